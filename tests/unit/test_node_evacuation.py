"""Evacuating a worker, over the Swarm's twin and a hub that answers HTTP as JupyterHub does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from labswarm.errors import Permanent, Transient
from labswarm_node.config import HubConfig
from labswarm_node.evacuation import MovesFile, evacuate
from labswarm_node.hub import HubApi
from labswarm_node.swarm import Server
from labswarm_node.twin import TOKEN, SwarmTwin

WORKER, OTHER = "i-00000000000000001", "i-00000000000000002"
ADA, BOB = Server("ada", "", "jupyter-ada"), Server("bob o", "2/b", "jupyter-bob-20o--2-2fb")
SECRET = "a-token"


class Jupyter(ThreadingHTTPServer):
    """The part of the hub's REST API that is called; the servers are what the Swarm's twin has.

    A stop takes until `finish_stops`, if `slow`.
    """

    def __init__(self, swarm: SwarmTwin, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.swarm, self.target = swarm, target
        self.slow = False
        self.status: int | None = None
        self.servers: dict[tuple[str, str], tuple[Server, str]] = {}
        self.asked: list[str] = []

    def running(self, server: Server, pending: str | None = None) -> None:
        self.servers[server.user, server.name] = (server, pending or "ready")

    def finish_stops(self) -> None:
        for key, (server, state) in list(self.servers.items()):
            if state == "stop":
                self.swarm.end(server)
                del self.servers[key]


class _Handler(BaseHTTPRequestHandler):
    server: Jupyter
    known = (ADA, BOB)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        user = self._path()[0]
        servers = {
            name: {
                "ready": state == "ready",
                "pending": None if state == "ready" else state,
            }
            for (owner, name), (_, state) in self.server.servers.items()
            if owner == user
        }
        self._answer(200, {"name": user, "servers": servers})

    def do_DELETE(self) -> None:
        self.server.asked.append(f"DELETE {self.path}")
        user, name = self._path()
        found = self.server.servers.get((user, name))
        if found is None:
            return self._answer(204)
        if found[1] == "spawn":
            return self._answer(400)
        self.server.servers[user, name] = (found[0], "stop")
        if not self.server.slow:
            self.server.finish_stops()
        return self._answer(202)

    def do_POST(self) -> None:
        self.server.asked.append(f"POST {self.path}")
        user, name = self._path()
        if (user, name) in self.server.servers:
            return self._answer(400)
        server = next(s for s in self.known if (s.user, s.name) == (user, name))
        self.server.swarm.place(server, self.server.target)
        self.server.running(server, "spawn")
        return self._answer(202)

    def _path(self) -> tuple[str, str]:
        parts = [unquote(part) for part in self.path.split("/")[3:]]
        assert parts[0] == "users", self.path
        return parts[1], parts[3] if len(parts) > 3 else ""

    def _answer(self, status: int, content: object = None) -> None:
        if self.server.status is not None:
            status = self.server.status
        if self.headers["Authorization"] != f"token {SECRET}":
            status = 403
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Class:
    """A worker with students, and another worker they can go to."""

    def __init__(self, directory: Path) -> None:
        self.swarm = SwarmTwin(down_after_s=0)
        self.engines = {}
        for instance_id in (WORKER, OTHER):
            engine = self.swarm.start(instance_id, 2**31, 10**9)
            engine.join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
            self.engines[instance_id] = engine
        self.worker, self.other = (node.node_id for node in self.swarm.nodes())
        self.jupyter = Jupyter(self.swarm, self.other)
        token = directory / "token"
        token.write_text(f"{SECRET}\n")
        url = f"http://127.0.0.1:{self.jupyter.server_port}/hub/api"
        self.hub = HubApi(HubConfig(url, token))
        self.file = MovesFile(directory / "moves", WORKER)

    def sit(self, server: Server, pending: str | None = None) -> None:
        self.swarm.place(server, self.worker)
        self.jupyter.running(server, pending)

    def step(self) -> dict[str, list[str]]:
        return evacuate(self.swarm, self.hub, self.file, WORKER)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Class]:
    room = Class(tmp_path)
    serving = threading.Thread(target=room.jupyter.serve_forever, args=(0.01,))
    serving.start()
    yield room
    room.jupyter.shutdown()
    serving.join()
    room.jupyter.server_close()


def test_servers_are_stopped_and_then_started_elsewhere(room: Class) -> None:
    room.sit(ADA)
    room.sit(BOB)
    both = [ADA.service, BOB.service]
    assert room.step() == {"servers": both, "moved": [], "moving": both}
    assert room.step() == {"servers": [], "moved": both, "moving": []}
    assert list(room.swarm.servers_on(room.other)) == [ADA, BOB]
    assert sorted(room.jupyter.asked) == [
        "DELETE /hub/api/users/ada/server",
        "DELETE /hub/api/users/bob%20o/servers/2%2Fb",
        "POST /hub/api/users/ada/server",
        "POST /hub/api/users/bob%20o/servers/2%2Fb",
    ]


def test_a_step_more_does_nothing_more(room: Class) -> None:
    room.sit(ADA)
    room.step()
    done = room.step()
    asked = list(room.jupyter.asked)
    assert room.step() == done
    assert room.jupyter.asked == asked


def test_no_server_is_started_before_the_old_one_has_ended(room: Class) -> None:
    room.jupyter.slow = True
    room.sit(ADA)
    for _ in range(3):
        answer = room.step()
        assert answer == {"servers": [ADA.service], "moved": [], "moving": [ADA.service]}
    assert not [asked for asked in room.jupyter.asked if asked.startswith("POST")]
    room.jupyter.finish_stops()
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}


def test_a_server_that_still_starts_is_stopped_once_it_has_started(room: Class) -> None:
    room.sit(ADA, pending="spawn")
    assert room.step() == {"servers": [ADA.service], "moved": [], "moving": []}
    room.jupyter.running(ADA)
    assert room.step()["moving"] == [ADA.service]


def test_a_server_that_its_student_started_again_counts_as_moved(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.swarm.place(ADA, room.other)
    room.jupyter.running(ADA)
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert room.jupyter.asked == ["DELETE /hub/api/users/ada/server"]


def test_a_server_that_the_hub_does_not_run_is_not_started_elsewhere(room: Class) -> None:
    room.swarm.place(ADA, room.worker)
    assert room.step() == {"servers": [ADA.service], "moved": [], "moving": []}
    assert room.jupyter.asked == []


def test_servers_of_a_node_that_is_down_are_started_elsewhere_and_left_there(room: Class) -> None:
    room.jupyter.slow = True
    room.sit(ADA)
    room.engines[WORKER].kill()
    room.step()
    del room.jupyter.servers["ada", ""]  # the hub gives up; the Swarm still lists the old task
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    room.jupyter.running(ADA)
    asked = list(room.jupyter.asked)
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}
    assert room.jupyter.asked == asked


def test_what_was_stopped_is_remembered_when_the_worker_is_gone(room: Class) -> None:
    room.sit(ADA)
    room.step()
    room.engines[WORKER].leave(force=False)
    room.swarm.remove(room.worker)
    assert room.step() == {"servers": [], "moved": [ADA.service], "moving": []}


def test_a_stop_that_failed_is_asked_for_again(room: Class) -> None:
    room.sit(ADA)
    room.file.write(room.file.read().__class__(frozenset({ADA}), frozenset()))
    assert room.step()["moving"] == [ADA.service]
    assert room.jupyter.asked == ["DELETE /hub/api/users/ada/server"]


@pytest.mark.parametrize(
    ("status", "error"), [(503, Transient), (429, Transient), (403, Permanent)]
)
def test_the_hub_s_refusals_have_a_kind(room: Class, status: int, error: type[Exception]) -> None:
    room.sit(ADA)
    room.jupyter.status = status
    with pytest.raises(error, match=str(status)):
        room.step()


def test_a_hub_that_is_down_is_asked_again(room: Class, tmp_path: Path) -> None:
    room.sit(ADA)
    room.hub = HubApi(HubConfig("http://127.0.0.1:9/hub/api", tmp_path / "token"))
    with pytest.raises(Transient, match="does not answer"):
        room.step()
    room.hub = HubApi(HubConfig("http://127.0.0.1:9/hub/api", tmp_path / "no-token"))
    with pytest.raises(Transient, match="no-token"):
        room.step()


def test_a_broken_memory_is_not_passed_over(room: Class, tmp_path: Path) -> None:
    (tmp_path / "moves").mkdir()
    (tmp_path / "moves" / f"{WORKER}.json").write_text("{")
    with pytest.raises(Permanent, match="delete it"):
        room.step()
