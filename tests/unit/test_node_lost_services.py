"""Removing students' services that the hub has lost, over the twins of the Swarm and of the hub."""

import pytest
from tests.twins.hub import HubTwin

from labswarm.errors import Permanent, Transient
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.lost_services import remove_lost_services
from labswarm_node.swarm import Server

ADA, BOB = Server("ada", "", "jupyter-ada"), Server("bob o", "lab-2", "jupyter-bob-20o--lab-2d2")
SERVERS = {(server.user, server.name): server for server in (ADA, BOB)}
NO_SUCH = "z" * 25


class Class:
    """A worker with the servers of two students, and their hub."""

    def __init__(self) -> None:
        self.swarm = SwarmTwin()
        engine = self.swarm.start("i-00000000000000001", 2**31, 10**9)
        engine.join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
        (node,) = self.swarm.nodes()
        self.hub = HubTwin(
            frozenset({ADA.user, BOB.user}),
            spawn=lambda user, name: self.swarm.place(SERVERS[user, name], node.node_id),
            end=lambda user, name: self.swarm.end(SERVERS[user, name]),
        )
        for server in (ADA, BOB):
            self.hub.start(server.user, server.name)
        self.ada, self.bob = (service.service_id for service in self.swarm.services())

    def there(self) -> list[str]:
        """The users whose services there are."""
        return [service.server.user for service in self.swarm.services()]


@pytest.fixture
def room() -> Class:
    return Class()


def test_a_lost_service_is_removed_with_its_task_and_a_second_time_is_no_error(
    room: Class,
) -> None:
    room.hub.lose(ADA.user, ADA.name)
    for _ in range(2):
        assert remove_lost_services(room.swarm, room.hub, [room.ada]) == {
            "removed": [room.ada],
            "kept": [],
        }
    assert room.there() == [BOB.user]
    assert [task.server for task in room.swarm.tasks()] == [BOB]


def test_a_service_that_the_hub_knows_by_now_is_kept_also_while_it_starts(room: Class) -> None:
    room.hub.slow = True
    room.hub.stop(BOB.user, BOB.name)
    assert room.hub.running(BOB.user, BOB.name) == "pending"
    asked = [room.ada, room.bob]
    assert remove_lost_services(room.swarm, room.hub, asked) == {"removed": [], "kept": asked}
    assert room.there() == [ADA.user, BOB.user]


def test_only_the_named_service_is_removed_and_a_later_one_of_the_same_server_is_not(
    room: Class,
) -> None:
    for server in (ADA, BOB):
        room.hub.lose(server.user, server.name)
    room.swarm.end(ADA)
    room.swarm.line_up(ADA)
    assert remove_lost_services(room.swarm, room.hub, [room.ada, NO_SUCH]) == {
        "removed": [room.ada, NO_SUCH],
        "kept": [],
    }
    assert room.there() == [ADA.user, BOB.user]


def test_while_the_hub_does_not_answer_of_each_nothing_is_removed(room: Class) -> None:
    room.hub.lose(ADA.user, ADA.name)
    room.hub.down = True
    with pytest.raises(Transient):
        remove_lost_services(room.swarm, room.hub, [room.ada, room.bob])
    assert room.there() == [ADA.user, BOB.user]


def test_a_hub_that_shows_no_servers_of_one_student_has_nobodys_removed(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.hub.lose(ADA.user, ADA.name)
    running = room.hub.running

    def shown(user: str, server: str) -> object:
        if user == BOB.user:
            raise Permanent("the hub does not show bob o's servers")
        return running(user, server)

    monkeypatch.setattr(room.hub, "running", shown)
    with pytest.raises(Permanent):
        remove_lost_services(room.swarm, room.hub, [room.ada, room.bob])
    assert room.there() == [ADA.user, BOB.user]
