"""The Engine API over a Unix socket, and the meaning of its errors."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from urllib.parse import parse_qs, urlsplit

import pytest

from labswarm import labels
from labswarm.errors import BadInput, Gone, LabswarmError, Permanent, Transient
from labswarm_node.docker_swarm import DockerEngine, DockerSwarm
from labswarm_node.engine_api import EngineApi
from labswarm_node.engine_errors import StaleToken, engine_error

NODE = "abcdefghijklmnopqrstuvwxy"


class Daemon(ThreadingMixIn, UnixStreamServer):
    """A daemon with one node, which others update as often as a test wants."""

    daemon_threads = True
    version = "1.41"
    others = 0
    index = 7
    labels = {"kept": "yes"}  # noqa: RUF012  # replaced, never changed
    pulled = b'{"status":"Pulling"}\n'
    tasks: list[object] = []  # noqa: RUF012  # replaced, never changed
    events = b""
    targets: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: Daemon

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        self.server.targets.append(self.path)
        if "/tasks" in self.path:
            return self._answer(200, self.server.tasks)
        if "/events" in self.path:
            return self._send(200, self.server.events)
        spec = {"Role": "worker", "Availability": "active", "Labels": self.server.labels}
        return self._answer(200, {"Spec": spec, "Version": {"Index": self.server.index}})

    def do_POST(self) -> None:
        self.server.targets.append(self.path)
        if "/images/create" in self.path:
            return self._send(200, self.server.pulled)
        # As Docker: a body of another type is refused.
        if self.headers["Content-Type"] != "application/json":
            return self._answer(415, {"message": "Content-Type specified must be JSON"})
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.others:
            self.server.others -= 1
            self.server.index += 1
        (version,) = parse_qs(urlsplit(self.path).query)["version"]
        if int(version) != self.server.index:
            message = "rpc error: code = Unknown desc = update out of sequence"
            return self._answer(500, {"message": message})
        self.server.labels = body["Labels"]
        return self._answer(200, None)

    def _answer(self, status: int, content: object) -> None:
        self._send(status, json.dumps(content).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", self.server.version)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(str(tmp_path / "docker.sock"), _Handler) as server:
        server.targets = []
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.fixture
def host(daemon: Daemon) -> str:
    return f"unix://{daemon.server_address!s}"


@pytest.mark.parametrize(
    ("theirs", "spoken"), [("1.41", "1.41"), ("1.44", "1.44"), ("9.9", "1.47")]
)
def test_the_newest_version_that_both_know_is_spoken(
    daemon: Daemon, host: str, theirs: str, spoken: str
) -> None:
    daemon.version = theirs
    api = EngineApi(host)
    api.call("GET", "/info")
    api.call("GET", "/nodes")
    assert daemon.targets == ["/_ping", f"/v{spoken}/info", f"/v{spoken}/nodes"]


def test_an_update_keeps_other_labels_and_outlasts_others_updates(
    daemon: Daemon, host: str
) -> None:
    daemon.others = 2
    DockerSwarm(host).update(NODE, "pause", "i-00000001")
    assert daemon.labels == {"kept": "yes", "labswarm.instance": "i-00000001"}


def test_a_node_is_labelled_with_its_cluster_in_the_same_update(daemon: Daemon, host: str) -> None:
    DockerSwarm(host).update(NODE, "active", "i-00000001", "lab-gpu")
    assert daemon.labels == {
        "kept": "yes",
        "labswarm.instance": "i-00000001",
        "labswarm.cluster": "lab-gpu",
    }


def test_an_update_that_never_comes_through_raises_a_transient_error(
    daemon: Daemon, host: str
) -> None:
    daemon.others = 100
    with pytest.raises(Transient, match="changed by others"):
        DockerSwarm(host).update(NODE, "pause", "i-00000001")
    assert daemon.labels == {"kept": "yes"}


@pytest.mark.parametrize(
    ("image", "query"),
    [
        ("r:5000/a", "fromImage=r%3A5000%2Fa&tag=latest"),
        ("r:5000/a:1", "fromImage=r%3A5000%2Fa%3A1"),
        ("a@sha256:00", "fromImage=a%40sha256%3A00"),
    ],
)
def test_one_image_is_pulled_not_every_tag_of_it(
    daemon: Daemon, host: str, image: str, query: str
) -> None:
    DockerEngine(host).pull(image)
    assert daemon.targets[-1] == f"/v1.41/images/create?{query}"


@pytest.mark.parametrize(
    ("error_text", "error"),
    [("manifest for a:1 not found: manifest unknown", Permanent), ("connection reset", Transient)],
)
def test_a_pull_that_fails_midway_is_an_error(
    daemon: Daemon, host: str, error_text: str, error: type[Exception]
) -> None:
    daemon.pulled = b'{"status":"Pulling"}\n' + json.dumps({"error": error_text}).encode()
    with pytest.raises(error, match="a:1"):
        DockerEngine(host).pull("a:1")


def task(
    user: str, state: str, *constraints: str, node: str = "", wanted: str = "running"
) -> dict[str, object]:
    """A student's task as the Engine lists it."""
    named = {labels.USER: user, labels.SERVER: "", labels.SERVICE: f"jupyter-{user}"}
    return {
        "CreatedAt": "2026-11-30T10:00:00.000000000Z",
        "NodeID": node,
        "DesiredState": wanted,
        "Status": {"State": state},
        "Spec": {
            "ContainerSpec": {"Labels": named},
            "Placement": {"Constraints": ["node.role==worker", *constraints]},
        },
    }


def test_a_task_waits_runs_or_is_left_out_by_its_state_its_node_and_its_constraint(
    daemon: Daemon, host: str
) -> None:
    in_line, pinned = labels.WAITS_FOR_A_SEAT, f"node.id=={NODE}"
    daemon.tasks = [
        task("waits", "pending", in_line),
        task("given-up", "pending", in_line, wanted="remove"),
        task("starts", "pending", pinned),
        task("runs", "running", pinned, node=NODE),
        task("stops", "running", pinned, node=NODE, wanted="shutdown"),
        task("ended", "complete", pinned, node=NODE, wanted="shutdown"),
        task("failed", "failed", pinned, node=NODE),
    ]
    seen = {one.server.user: (one.node_id, one.waits) for one in DockerSwarm(host).tasks()}
    assert seen == {
        "waits": (None, True),
        "starts": (None, False),
        "runs": (NODE, False),
        "stops": (NODE, False),
    }
    assert parse_qs(urlsplit(daemon.targets[-1]).query)["filters"] == [
        '{"label": ["labswarm.user"]}'
    ]


@pytest.mark.parametrize(
    ("events", "changed"),
    [(b"", False), (b'{"Type":"service","Action":"create"}\n{"Type":"node"}\n', True)],
)
def test_a_change_reported_by_the_daemon_ends_the_wait(
    daemon: Daemon, host: str, events: bytes, changed: bool
) -> None:
    daemon.events = events
    assert DockerSwarm(host).await_change(1_800_000_000.25, 5) is changed
    query = parse_qs(urlsplit(daemon.targets[-1]).query)
    assert query["since"] == ["1800000000.250000000"]
    assert query["filters"] == ['{"type": ["service", "node"]}']


def test_a_daemon_that_is_not_there_may_come(tmp_path: Path) -> None:
    api = EngineApi(f"unix://{tmp_path}/none.sock")
    assert not api.answers()
    with pytest.raises(Transient, match=r"none\.sock"):
        api.call("GET", "/info")


def test_only_a_socket_is_spoken_to() -> None:
    with pytest.raises(BadInput, match="docker_host"):
        EngineApi("tcp://10.0.0.1:2375")


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (404, "node x not found", Gone),
        (503, "This node is not part of a swarm", Gone),
        (503, "This node is not a swarm manager.", Permanent),
        (503, "Timeout was reached before node joined.", Transient),
        (400, "rpc error: node x is not down and can't be removed", Transient),
        (500, "invalid join token", Permanent),
        (400, "rpc error: A valid join token is necessary to join this cluster", StaleToken),
        (404, "pull access denied for x", Permanent),
        (409, "conflict", Transient),
        (400, "bad parameter", Permanent),
        (500, "anything else", Transient),
    ],
)
def test_an_error_has_its_kind(status: int, message: str, error: type[LabswarmError]) -> None:
    assert type(engine_error(status, message)) is error
