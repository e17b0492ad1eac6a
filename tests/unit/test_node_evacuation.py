"""Evacuating a worker, over the twins of the Swarm and of the hub."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.twins.hub import HubTwin

from labswarm.errors import Permanent, Transient
from labswarm.notices import Notice
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.config import HubConfig
from labswarm_node.evacuation import SAVE_WITHIN_S, Moves, MovesFile, evacuate, step
from labswarm_node.hub import HubApi, Running
from labswarm_node.swarm import Server
from labswarm_node.worker import activate

WORKER, OTHER = "i-00000000000000001", "i-00000000000000002"
ADA, BOB = Server("ada", "", "jupyter-ada"), Server("bob o", "lab-2", "jupyter-bob-20o--lab-2d2")
NOW = 1_796_000_000.0
NOBODY = "http://127.0.0.1:9"
SERVERS = {(server.user, server.name): server for server in (ADA, BOB)}


class Class:
    """A worker with students, another worker they can go to, and their hub."""

    def __init__(self, directory: Path) -> None:
        self.swarm = SwarmTwin(down_after_s=0)
        self.engines = {}
        for instance_id in (WORKER, OTHER):
            engine = self.swarm.start(instance_id, 2**31, 10**9)
            engine.join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
            self.engines[instance_id] = engine
        self.worker, self.other = (node.node_id for node in self.swarm.nodes())
        self.target = self.worker
        self.hub = HubTwin(
            frozenset({ADA.user, BOB.user}),
            spawn=lambda user, name: self.swarm.place(SERVERS[user, name], self.target),
            end=lambda user, name: self.swarm.end(SERVERS[user, name]),
        )
        self.file = MovesFile(directory / "moves", WORKER)
        self.now = NOW

    def sit(self, *servers: Server) -> None:
        """Students start their servers on the worker, which is to go from then on."""
        for server in servers:
            self.hub.start(server.user, server.name)
        self.hub.asked.clear()
        self.target = self.other

    def step(self, refused: tuple[str, ...] = ()) -> dict[str, list[str]]:
        """One step, in which the hub refuses for good just these services."""
        answer = step(self.swarm, self.hub, self.file, WORKER, self.now)
        assert answer.pop("refused") == list(refused)
        return answer


@pytest.fixture
def room(tmp_path: Path) -> Class:
    return Class(tmp_path)


def test_servers_are_stopped_and_then_started_elsewhere(room: Class) -> None:
    room.sit(ADA, BOB)
    both = [ADA.service, BOB.service]
    assert room.step() == {"servers": both, "moved": [], "moving": both}
    assert room.step() == {"servers": [], "moved": both, "moving": both}
    assert room.step() == {"servers": [], "moved": both, "moving": []}
    assert list(room.swarm.servers_on(room.other)) == [ADA, BOB]
    assert sorted(room.hub.asked) == [
        ("start", ADA.user, ADA.name),
        ("start", BOB.user, BOB.name),
        ("stop", ADA.user, ADA.name),
        ("stop", BOB.user, BOB.name),
    ]


def test_a_server_is_stopped_once_its_pages_have_saved(room: Class) -> None:
    room.sit(ADA, BOB)
    room.hub.saving.add((ADA.user, ADA.name))
    assert room.step()["moving"] == [BOB.service]
    room.now += SAVE_WITHIN_S - 1
    assert room.step()["servers"] == [ADA.service]
    room.hub.saving.clear()
    assert room.step()["moving"] == [ADA.service]


def test_a_page_that_does_not_finish_is_waited_for_20_s_at_most(room: Class) -> None:
    room.sit(ADA, BOB)
    room.hub.saving.add((ADA.user, ADA.name))
    room.step()
    room.now += SAVE_WITHIN_S
    assert ADA.service in room.step()["moving"]


def test_a_server_without_notices_has_no_page_to_wait_for(room: Class) -> None:
    room.sit(ADA)
    room.hub.without_notices.add(ADA.user)
    room.hub.saving.add((ADA.user, ADA.name))
    assert room.step()["moving"] == [ADA.service]


def test_a_server_too_busy_to_answer_may_be_saving(room: Class) -> None:
    class Busy(HubTwin):
        def is_saving(self, user: str, server: str) -> bool:
            raise Transient("no whole answer within 3.0 s")

    room.hub = Busy(frozenset({ADA.user}), lambda *_: room.swarm.place(ADA, room.worker))
    room.sit(ADA)
    assert room.step()["moving"] == []


def test_a_step_more_does_nothing_more(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.step()
    done = room.step()
    asked = list(room.hub.asked)
    assert room.step() == done
    assert room.hub.asked == asked


def test_no_server_is_started_before_the_old_one_has_ended(room: Class) -> None:
    room.sit(ADA)
    room.hub.slow = True
    for _ in range(3):
        answer = room.step()
        assert answer == {"servers": [ADA.service], "moved": [], "moving": [ADA.service]}
    assert {what for what, *_ in room.hub.asked} == {"stop"}
    room.hub.finish_stops()
    for _ in range(2):
        assert room.step() == {"servers": [], "moved": [ADA.service], "moving": [ADA.service]}
    room.hub.finish_starts()
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}


def test_a_student_without_a_seat_is_not_waited_for(room: Class) -> None:
    room.sit(ADA, BOB)
    room.step()
    room.hub.slow = True
    room.step()
    room.swarm.end(BOB)
    room.swarm.line_up(BOB, "lab")
    both = [ADA.service, BOB.service]
    assert room.step() == {"servers": [], "moved": both, "moving": [ADA.service]}


def test_a_start_that_the_hub_has_lost_is_asked_for_again(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.hub.slow = True
    room.step()
    room.hub.restart()
    for _ in range(2):
        assert room.step() == {"servers": [], "moved": [ADA.service], "moving": [ADA.service]}
    room.hub.finish_starts()
    assert room.step()["moving"] == []
    assert [what for what, *_ in room.hub.asked] == ["stop", "start", "start"]


def test_a_start_that_fails_is_asked_for_twice_and_holds_up_nobody(room: Class) -> None:
    room.sit(ADA, BOB)
    room.step()
    room.hub.slow = True
    for _ in range(2):
        assert room.step()["moving"] == [ADA.service, BOB.service]
        room.hub.restart()
    assert room.step(refused=(ADA.service, BOB.service))["moving"] == []
    assert [what for what, *_ in room.hub.asked].count("start") == 4


def test_the_hub_is_not_asked_again_and_again_about_an_ending_server(room: Class) -> None:
    room.sit(ADA)
    room.hub.slow = True
    room.step()

    class Asked(HubTwin):
        def running(self, user: str, server: str) -> Running:
            raise AssertionError(f"asked of {user}")

    answer = step(room.swarm, Asked(frozenset()), room.file, WORKER, NOW, first=False)
    assert answer["moving"] == [ADA.service]


def test_one_command_waits_until_everyone_is_back_but_not_for_long(room: Class) -> None:
    class Time:
        at, looks = 0.0, 0

        def now(self) -> float:
            return self.at

        def sleep(self, seconds: float) -> None:
            self.at, self.looks = self.at + seconds, self.looks + 1
            if self.looks == ends_at:
                room.hub.finish_stops()
                room.hub.slow = False

    ends_at, time = 5, Time()
    room.sit(ADA)
    room.hub.slow = True
    assert evacuate(room.swarm, room.hub, room.file, WORKER, time)["moving"] == []
    assert time.looks == ends_at + 1

    ends_at, time = -1, Time()
    room.target = room.worker
    room.hub.stop(ADA.user, ADA.name)
    activate(room.swarm, WORKER)
    room.sit(BOB)
    room.hub.slow = True
    assert evacuate(room.swarm, room.hub, room.file, WORKER, time)["moving"] == [BOB.service]
    assert 3 < time.at < 4


def test_a_server_that_still_starts_is_stopped_once_it_has_started(room: Class) -> None:
    room.hub.slow = True
    room.sit(ADA)
    assert room.step() == {"servers": [ADA.service], "moved": [], "moving": []}
    room.hub.finish_starts()
    assert room.step()["moving"] == [ADA.service]


def test_a_server_that_its_student_started_again_counts_as_moved(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.hub.start(ADA.user, ADA.name)
    room.hub.asked.clear()
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert room.hub.asked == []


def test_a_server_that_the_hub_does_not_run_is_not_started_elsewhere(room: Class) -> None:
    room.swarm.place(ADA, room.worker)
    assert room.step() == {"servers": [ADA.service], "moved": [], "moving": []}
    assert room.hub.asked == []


def test_servers_of_a_node_that_is_down_are_started_elsewhere_and_left_there(room: Class) -> None:
    room.sit(ADA)
    room.engines[WORKER].kill()
    room.hub = HubTwin(frozenset({ADA.user}))  # the Swarm still lists the old task on
    room.hub.start(ADA.user, ADA.name)
    assert room.step() == {"servers": [], "moved": [], "moving": [ADA.service]}
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": [ADA.service]}
    for _ in range(2):
        assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert [what for what, *_ in room.hub.asked] == ["start", "stop", "start"]


def test_a_server_that_its_student_started_again_elsewhere_is_not_stopped_for_the_dead_node(
    room: Class,
) -> None:
    """The Swarm lists the dead node's task of it on."""
    room.sit(ADA, BOB)
    room.engines[WORKER].kill()
    room.swarm.place(ADA, room.other)
    assert ADA in room.swarm.servers_on(room.worker)
    answer = room.step()
    assert [(what, user) for what, user, _ in room.hub.asked] == [("stop", BOB.user)]
    assert answer["moving"] == [BOB.service]


def test_a_server_that_lives_elsewhere_is_not_stopped_for_the_task_of_a_node_that_is_back(
    room: Class,
) -> None:
    """Healed, the node has not ended yet what its students have started elsewhere since."""
    room.sit(ADA)
    room.swarm.place(ADA, room.other)
    assert ADA in room.swarm.servers_on(room.worker)
    room.step()
    assert room.hub.asked == []


def test_a_node_that_is_still_open_is_paused_before_anyone_is_moved(room: Class) -> None:
    room.sit(ADA)
    assert {node.availability for node in room.swarm.nodes()} == {"active"}
    room.step()
    availability = {node.node_id: node.availability for node in room.swarm.nodes()}
    assert availability == {room.worker: "pause", room.other: "active"}


def test_who_was_moved_and_came_back_to_the_node_is_moved_again(room: Class) -> None:
    """Someone opened the node meanwhile."""
    room.sit(ADA)
    room.file.write(Moves(moved=frozenset({ADA})))
    for _ in range(2):
        room.step()
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert ADA in room.swarm.servers_on(room.other)


def test_a_server_that_was_stopped_and_that_its_student_started_elsewhere_is_back(
    room: Class,
) -> None:
    room.sit(ADA)
    room.file.write(Moves(moving=frozenset({ADA})))
    room.engines[WORKER].kill()
    room.swarm.place(ADA, room.other)
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert room.hub.asked == []


def test_stopped_servers_are_remembered_when_the_worker_is_gone(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.engines[WORKER].leave(force=False)
    room.swarm.remove(room.worker)
    assert room.step()["moved"] == [ADA.service]
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}


def test_a_stop_that_failed_is_asked_for_again(room: Class) -> None:
    room.sit(ADA)
    room.file.write(Moves(moving=frozenset({ADA})))
    assert room.step()["moving"] == [ADA.service]
    assert room.hub.asked == [("stop", "ada", "")]


def test_a_student_unknown_to_the_hub_hinders_no_other(room: Class) -> None:
    room.sit(ADA, BOB)
    room.step()
    room.hub.forget(ADA.user)
    assert room.step(refused=(ADA.service,))["moved"] == [BOB.service]
    assert room.step() == {"servers": [], "moved": [BOB.service], "moving": []}


def test_moves_made_before_the_hub_failed_stay_made(room: Class) -> None:
    room.sit(ADA, BOB)
    room.step()
    room.hub.down_for.add(ADA.user)
    with pytest.raises(Transient):
        room.step()
    assert room.file.read() == Moves(
        moving=frozenset({ADA, BOB}), moved=frozenset({BOB}), save_by=NOW + SAVE_WITHIN_S
    )
    room.hub.down_for.clear()
    assert room.step()["moving"] == [ADA.service]
    assert room.step()["moving"] == []


class _Refusing(BaseHTTPRequestHandler):
    """Answers everything with one status."""

    status = 503

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "token a-token"
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize(
    ("status", "error"), [(503, Transient), (429, Transient), (403, Permanent)]
)
def test_the_hub_s_refusals_have_a_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    monkeypatch.setattr(_Refusing, "status", status)
    (tmp_path / "token").write_text("a-token\n")
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        hub = HubApi(
            HubConfig(f"http://127.0.0.1:{server.server_port}/hub/api", tmp_path / "token", NOBODY)
        )
        with pytest.raises(error, match=str(status)):
            hub.running("ada", "")
        answering.join()


def test_a_hub_that_is_down_or_was_never_up_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token")
    with pytest.raises(Transient, match="does not answer"):
        HubApi(HubConfig(f"{NOBODY}/hub/api", tmp_path / "token", NOBODY)).running("ada", "")
    with pytest.raises(Transient, match="none"):
        HubApi(HubConfig(f"{NOBODY}/hub/api", tmp_path / "none", NOBODY)).running("ada", "")


def test_a_broken_memory_is_not_passed_over(room: Class, tmp_path: Path) -> None:
    (tmp_path / "moves").mkdir()
    (tmp_path / "moves" / f"{WORKER}.json").write_text("{")
    with pytest.raises(Permanent, match="delete it"):
        room.step()


class _Dripping(BaseHTTPRequestHandler):
    """Answers any notice with a header per tick, for longer than any test waits."""

    def do_POST(self) -> None:
        self.wfile.write(b"HTTP/1.0 204 No Content\r\n")
        with suppress(OSError):
            while not _Dripping.enough.wait(0.05):
                self.wfile.write(b"X: y\r\n")

    enough = threading.Event()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def test_a_server_that_answers_without_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labswarm_node.hub._TIMEOUT_S", 0.3)
    # As many headers as it likes.
    monkeypatch.setattr("http.client._MAXHEADERS", 10**6)
    (tmp_path / "token").write_text("a-token")
    with HTTPServer(("127.0.0.1", 0), _Dripping) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        over = threading.Timer(20, _Dripping.enough.set)
        over.start()
        address = f"http://127.0.0.1:{server.server_port}"
        hub = HubApi(HubConfig(f"{address}/hub/api", tmp_path / "token", address))
        with pytest.raises(Transient, match="does not answer"):
            hub.notify("ada", "", Notice("terminate", 1))
        assert not _Dripping.enough.is_set(), "it was the server that gave up"
        over.cancel()
        answering.join()
