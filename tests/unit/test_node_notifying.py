"""Notifying the students on a worker, over the twins of the Swarm and of the hub."""

import threading

import pytest
from tests.twins.hub import HubTwin

from labswarm.errors import Gone, Permanent, Transient
from labswarm.notices import Message, Notice, key_of
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.notifying import notify, send
from labswarm_node.swarm import Server

WORKER, OTHER = "i-00000000000000001", "i-00000000000000002"
ADA, BOB, EVE = (
    *(Server("ada", "", "jupyter-ada"), Server("bob o", "lab-2", "jupyter-bob-20o--lab-2d2")),
    Server("eve", "", "jupyter-eve"),
)
SOON = Notice("interruption", 1_800_000_000)


class Class:
    """A worker with Ada and Bob, another one with Eve, and their hub."""

    def __init__(self) -> None:
        self.swarm = SwarmTwin(down_after_s=0)
        self.engines = {}
        for instance_id in (WORKER, OTHER):
            engine = self.swarm.start(instance_id, 2**31, 10**9)
            engine.join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
            self.engines[instance_id] = engine
        worker, other = (node.node_id for node in self.swarm.nodes())
        self.hub = HubTwin(frozenset({ADA.user, BOB.user, EVE.user}))
        for server, node in ((ADA, worker), (BOB, worker), (EVE, other)):
            self.swarm.place(server, node)
            self.hub.start(server.user, server.name)


@pytest.fixture
def room() -> Class:
    return Class()


def test_every_student_on_the_worker_is_notified_and_no_other(room: Class) -> None:
    answer = notify(room.swarm, room.hub, WORKER, SOON)
    assert answer == {"notified": [ADA.service, BOB.service], "failed": {}}
    assert room.hub.notices == {(ADA.user, ADA.name): SOON, (BOB.user, BOB.name): SOON}


def test_a_message_reaches_the_servers_that_it_is_for(room: Class) -> None:
    room.hub.without_notices, room.hub.down_for = {BOB.user}, {EVE.user}
    words = Message("Please save your work.")
    everybody = [(server.user, server.name) for server in (ADA, BOB, EVE)]
    assert send(room.hub, everybody, words) == {
        (ADA.user, ADA.name): None,
        (BOB.user, BOB.name): "gone",
        (EVE.user, EVE.name): "transient",
    }
    assert room.hub.messages == {(ADA.user, ADA.name): words}
    assert room.hub.notices == {}


def test_after_a_second_notice_the_newest_counts(room: Class) -> None:
    notify(room.swarm, room.hub, WORKER, Notice("terminate", 1_900_000_000))
    for _ in range(2):
        assert notify(room.swarm, room.hub, WORKER, SOON)["failed"] == {}
    assert set(room.hub.notices.values()) == {SOON}


def test_a_student_who_cannot_be_notified_is_named_with_the_reason_and_hinders_nobody(
    room: Class,
) -> None:
    room.hub.without_notices = {ADA.user}
    assert notify(room.swarm, room.hub, WORKER, SOON) == {
        "notified": [BOB.service],
        "failed": {ADA.service: "gone"},
    }
    room.hub.down_for = {BOB.user}
    assert notify(room.swarm, room.hub, WORKER, SOON) == {
        "notified": [],
        "failed": {ADA.service: "gone", BOB.service: "transient"},
    }


def test_a_server_that_takes_no_notice_of_this_hub_is_named(room: Class) -> None:
    class Refusing(HubTwin):
        def notify(self, user: str, server: str, notice: Notice | Message) -> None:
            raise Permanent("refuses the notice with 401")

    answer = notify(room.swarm, Refusing(frozenset()), WORKER, SOON)
    assert answer == {
        "notified": [],
        "failed": {ADA.service: "permanent", BOB.service: "permanent"},
    }


def test_students_are_notified_at_the_same_time(room: Class) -> None:
    both = threading.Barrier(2, timeout=10)

    class Meeting(HubTwin):
        def notify(self, user: str, server: str, notice: Notice | Message) -> None:
            both.wait()

    answer = notify(room.swarm, Meeting(frozenset()), WORKER, SOON)
    assert answer["notified"] == [ADA.service, BOB.service]


def test_nobody_is_begun_with_when_the_time_of_a_command_is_over(room: Class) -> None:
    late = iter([0.0, 60.0, 60.0])
    answer = notify(room.swarm, room.hub, WORKER, SOON, clock=lambda: next(late))
    assert answer == {
        "notified": [],
        "failed": {ADA.service: "transient", BOB.service: "transient"},
    }
    assert room.hub.notices == {}


def test_on_a_node_that_is_down_nobody_is_left_to_notify(room: Class) -> None:
    room.engines[WORKER].kill()
    assert notify(room.swarm, room.hub, WORKER, SOON) == {"notified": [], "failed": {}}
    assert room.hub.notices == {}


def test_a_worker_that_is_in_no_swarm_is_gone(room: Class) -> None:
    with pytest.raises(Gone):
        notify(room.swarm, room.hub, "i-00000000000000009", SOON)


def test_a_swarm_that_does_not_answer_is_no_answer(room: Class) -> None:
    class Silent(SwarmTwin):
        def nodes(self):  # type: ignore[no-untyped-def]
            raise Transient("the daemon does not answer")

    with pytest.raises(Transient):
        notify(Silent(), room.hub, WORKER, SOON)


def test_each_server_has_a_key_of_its_own_that_does_not_show_the_token() -> None:
    token = "0123456789abcdef"
    whose = [("ada", ""), ("ada", "lab"), ("adalab", ""), ("ad", "alab"), ('a", "lab', "")]
    keys = {key_of(token, user, server) for user, server in whose}
    assert len(keys) == len(whose)
    assert key_of(token, "ada", "") != key_of("another", "ada", "")
    assert all(len(key) == 64 and token not in key for key in keys)
