"""A worker of the lab as it is prepared, and what a student's container on it cannot reach."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from docker import DockerClient
from tests.integration.hardening import FACTS, Fact, Worker

from labswarm_hub.homes import UID, make_home
from labswarm_hub.names import home_name
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import HOME, Server, service_spec
from labswarm_lab import hub
from labswarm_lab.images import hub_image, notebook_image, publish
from labswarm_lab.nodes import cookbooks, machine, network, registry, sweep
from labswarm_lab.nodes.founding import found_swarm
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.requirements import missing
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.plane.machines import Instance

pytestmark = pytest.mark.swarm

MIB = 2**20
MANAGER = "i-000000000000000a0"
WORKER, NEIGHBOUR = "i-000000000000000b1", "i-000000000000000b2"
METADATA = "169.254.169.254"
PLANE_PORT, CHEF_PORT = 5060, 4545
PATIENCE_S = 40

# By what it is, with its protocol, on which machine (see `Room.addresses`), and the port.
REFUSED = {
    "the instance metadata": ("tcp", "metadata", 80),
    **{
        f"the Docker API of {which}, port {port}": ("tcp", which, port)
        for which in ("the manager", "its own node", "its own bridge", "another node")
        for port in (2375, 2376)
    },
    "the Swarm's management": ("tcp", "the manager", 2377),
    **{
        f"the Swarm's {what} of {which}, {protocol}": (protocol, which, port)
        for which in ("the manager", "its own node", "another node")
        for what, protocol, port in (
            ("gossip", "tcp", 7946),
            ("gossip", "udp", 7946),
            ("overlay", "udp", 4789),
        )
    },
    "the Chef Server": ("tcp", "this machine", CHEF_PORT),
    "the plane": ("tcp", "this machine", PLANE_PORT),
    "the registry": ("tcp", "this machine", registry.PORT),
    "the hub's machine": ("tcp", "the manager", hub.API_PORT),
}
HUB = ("tcp", hub.SERVICE, hub.API_PORT)

# Given [protocol, host, port] by name, it prints by name what came of each.
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def probe(how):
    protocol, host, port = how
    try:
        if protocol == "tcp":
            socket.create_connection((host, port), 3).close()
        else:
            # Who is refused is told so, now and then: the kernel tells it so often a second only.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.connect((host, port))
                udp.settimeout(0.3)
                for _ in range(6):
                    try:
                        udp.send(b"?")
                        udp.recv(1)
                    except TimeoutError:
                        continue
    except OSError as error:
        return type(error).__name__
    return "reached"

asked = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(asked)) as pool:
    print(json.dumps(dict(zip(asked, pool.map(probe, asked.values())))))
"""
# Every file of this name that the container's user comes to.
LOOK = """
import os, sys
for top, folders, files in os.walk("/"):
    if top == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "usr")]
    found = [os.path.join(top, name) for name in files if name == sys.argv[1]]
    if found:
        print(*found, sep="\\n")
"""
LISTEN = """
import socket, sys, time
kept = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("listening", flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True)
class Room:
    """A class on two workers: one of these, and the container of a student on it."""

    worker: Worker
    container: Any
    addresses: dict[str, str]

    def python(self, *words: str) -> str:
        """What a Python program prints in the student's container."""
        answer = self.container.exec_run(["/usr/bin/python3", "-c", *words])
        assert answer.exit_code == 0, answer.output
        printed: str = answer.output.decode()
        return printed

    def probe(self, asked: dict[str, tuple[str, str, int]]) -> dict[str, str]:
        """What comes of talking to each, from the student's container."""
        where = {
            name: (protocol, self.addresses.get(host, host), port)
            for name, (protocol, host, port) in asked.items()
        }
        answers: dict[str, str] = json.loads(self.python(PROBE, json.dumps(where)))
        return answers


def eventually(what: str, found: Callable[[], Any]) -> Any:
    """What is found, as soon as it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while not (it := found()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.1)
    return it


def secrets_manager(stack: ExitStack, at: str, told: dict[str, str]) -> str:
    """Answers whatever is asked with a secret, as Secrets Manager does; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = json.dumps({"Name": "join", "SecretString": json.dumps(told)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *words: object) -> None:  # its name
            pass

    server = stack.enter_context(ThreadingHTTPServer((at, 0), Handler))
    Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return f"http://{at}:{server.server_port}"


def engine_of(stack: ExitStack, place: Place, instance_id: str) -> Any:
    socket_file = place.docker_socket(instance_id)
    return stack.enter_context(closing(DockerClient(f"unix://{socket_file}", version="auto")))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    lacking = missing()
    if lacking:
        pytest.skip(f"no real nodes here, missing: {'; '.join(map(str, lacking))}")
    root = tmp_path_factory.mktemp("student")
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    place = Place(f"stu{os.getpid() % 10**6}", root)
    with ExitStack() as stack:
        stack.callback(sweep.clear, place)
        yield prepared(stack, place, network.raise_bridge(place))


def prepared(stack: ExitStack, place: Place, subnet: int) -> Room:
    """The nodes, joined by their own tool, and the class on them."""
    told: dict[str, str] = {}
    gateway = f"10.98.{subnet}.1"
    settings = NodesSettings(
        place=place,
        subnet=subnet,
        cluster="lab",
        region="eu-west-1",
        aws_url=secrets_manager(stack, gateway, told),
        join_secret="labswarm/lab/swarm-join",
        chef_url=f"https://{gateway}:{CHEF_PORT}",
        chef_ca_file=None,
    )
    settings.write()
    for port in (PLANE_PORT, CHEF_PORT):
        stack.enter_context(socket.create_server((gateway, port)))

    machines = NamespaceMachines(settings)
    for instance_id in (MANAGER, WORKER, NEIGHBOUR):
        stack.callback(machines.terminate, instance_id)
    machines.boot(Instance(MANAGER, "t3.large", 4096 * MIB, 2, {"labswarm:role": "hub"}))
    machines.boot(Instance(WORKER, "t3.medium", 2048 * MIB, 1))
    machines.boot(Instance(NEIGHBOUR, "t3.medium", 2048 * MIB, 1))
    secret = found_swarm(settings, MANAGER)
    told.update(token=secret.token, manager=secret.manager)
    worker = Worker(settings, machines, WORKER)
    worker.run("labswarm-node identify && labswarm-node join")
    Worker(settings, machines, NEIGHBOUR).run("labswarm-node join")
    addresses = {
        "the manager": settings.manager_address,
        "its own node": settings.address(11),
        "another node": settings.address(12),
        "this machine": gateway,
        "metadata": METADATA,
    }

    # In the place of a metadata service, which a lab does not have: an address of the manager's.
    Worker(settings, machines, MANAGER).run(f"ip addr add {METADATA}/32 dev eth0")
    worker.run(f"ip route add {METADATA}/32 via {settings.manager_address}")

    manager = engine_of(stack, place, MANAGER)
    container = start_class(stack, settings, manager)
    worker_engine = engine_of(stack, place, WORKER)
    bridge = worker_engine.networks.get("docker_gwbridge").attrs["IPAM"]["Config"][0]["Gateway"]
    return Room(worker, container, {**addresses, "its own bridge": bridge})


@contextmanager
def listening(room: Room) -> Iterator[None]:
    """Somebody takes connections at what is closed on a node anyway, and at the metadata's."""
    place = room.worker.settings.place
    # In its own network each.
    everywhere = ("0.0.0.0", "2375", "2376")  # noqa: S104
    wanted = [(node, everywhere) for node in (MANAGER, WORKER, NEIGHBOUR)]
    with ExitStack() as stack:
        for instance_id, words in [*wanted, (MANAGER, (METADATA, "80"))]:
            inside = ["nsenter", "--target", str(machine.pid_of(place, instance_id)), "--net"]
            listener = stack.enter_context(
                subprocess.Popen(
                    [*inside, sys.executable, "-c", LISTEN, *words],
                    stdout=subprocess.PIPE,
                    env={**os.environ, **place.mark},
                )
            )
            stack.callback(listener.kill)
            assert listener.stdout is not None
            assert listener.stdout.readline() == b"listening\n"
        yield


def start_class(stack: ExitStack, settings: NodesSettings, manager: Any) -> Any:
    """The servers of ann and bob on the worker, cem's on the other, and a hub that listens.

    Returns ann's container.
    """
    place = settings.place
    at = registry.start(settings)
    empty = place.state_dir / "class"
    empty.mkdir()
    room = {"memory_bytes": 256 * MIB, "nano_cpus": 10**8}
    ground = hub.HubGround(
        cluster=settings.cluster,
        checkout=Path(__file__).parents[2],
        class_env=empty,
        state=place.state_dir / "hub",
        homes=place.state_dir / "homes",
        docker_socket=place.docker_socket(MANAGER),
        address=settings.manager_address,
        hub_image=publish(manager, hub_image(), f"{at}/labswarm/hub"),
        notebook_image=publish(manager, notebook_image(), f"{at}/labswarm/notebook"),
        seat=room,
        overhead=room,
    )
    hub.lay_homes(ground.homes)
    hub_settings = HubSettings.parse(json.dumps(hub.settings_of(ground, empty / "node")))
    nodes = {
        node["Description"]["Engine"]["Labels"]["labswarm.instance"]: node
        for node in manager.api.nodes()
    }
    for instance_id in (WORKER, NEIGHBOUR):
        node = nodes[instance_id]
        spec = node["Spec"] | {"Availability": "active"}
        manager.api.update_node(node["ID"], node["Version"]["Index"], spec)
    for user, instance_id in (("ann", WORKER), ("bob", WORKER), ("cem", NEIGHBOUR)):
        home = ground.homes / home_name(user)
        make_home(home)
        (home / f"{user}.txt").write_text(user)
        os.chown(home / f"{user}.txt", UID, -1)
        command = ["/usr/bin/sleep", "3600"]
        node_id = nodes[instance_id]["ID"]
        service = service_spec(hub_settings, hub_settings.own, Server(user), node_id, command, {})
        manager.api.create_service(**service)
    manager.api.create_service(**stand_in(ground))

    worker = engine_of(stack, place, WORKER)
    ann = {"label": "labswarm.user=ann", "status": "running"}
    (container,) = eventually("ann's server", lambda: worker.containers.list(filters=ann))
    eventually("all of them", lambda: sum(map(runs, manager.api.tasks())) == 4)
    return container


def runs(task: dict[str, Any]) -> bool:
    return bool(task["Status"]["State"] == "running")


def stand_in(ground: hub.HubGround) -> dict[str, Any]:
    """A service where the hub is, that takes connections where the hub does."""
    spec = hub._service(ground)
    container = spec["task_template"]["ContainerSpec"]
    container["Command"] = ["/usr/bin/python3", "-c", LISTEN, "0.0.0.0", str(hub.API_PORT)]  # noqa: S104
    container["Args"] = []
    container["Mounts"] = [mount for mount in container["Mounts"] if mount["Target"] == "/usr"]
    return spec


@pytest.fixture(scope="module")
def answers(room: Room) -> dict[str, str]:
    """What comes of talking to each, as a worker is."""
    eventually("the hub is reached", lambda: room.probe({"hub": HUB})["hub"] == "reached")
    with listening(room):
        return room.probe({**REFUSED, "the hub": HUB})


@pytest.fixture(scope="module")
def unshielded(room: Room, answers: dict[str, str]) -> dict[str, str]:
    """The same without the firewall, which is then loaded again."""
    before = [room.worker.rules(chain) for chain in ("DOCKER-USER", "LABSWARM-HOST", "INPUT")]
    room.worker.run("iptables -w -F DOCKER-USER; iptables -w -F LABSWARM-HOST")
    try:
        with listening(room):
            return room.probe(REFUSED)
    finally:
        conf = room.worker.settings.place.node_dir(WORKER) / "student-firewall.conf"
        room.worker.run(f"sh {cookbooks.STUDENT_FIREWALL} {conf}")
        after = [room.worker.rules(chain) for chain in ("DOCKER-USER", "LABSWARM-HOST", "INPUT")]
        # Docker's own last line in its chain is what the chain does anyway.
        assert [r for rules in after for r in rules] == [
            r for rules in before for r in rules if r != "-A DOCKER-USER -j RETURN"
        ]


@pytest.mark.parametrize("what", REFUSED)
def test_a_students_container_does_not_reach(what: str, answers: dict[str, str]) -> None:
    assert answers[what] in ("ConnectionRefusedError", "TimeoutError")


@pytest.mark.parametrize("what", REFUSED)
def test_without_the_firewall_it_would_reach(what: str, unshielded: dict[str, str]) -> None:
    assert unshielded[what] == "reached"


def test_it_reaches_the_hub_which_its_server_needs(answers: dict[str, str]) -> None:
    assert answers["the hub"] == "reached"


def test_it_sees_its_own_home_and_nobody_elses(room: Room) -> None:
    assert room.python(LOOK, "ann.txt").split() == [f"{HOME}/ann.txt"]
    for other in ("bob", "cem"):
        assert room.python(LOOK, f"{other}.txt") == ""
        home = room.worker.settings.place.state_dir / "homes" / other / f"{other}.txt"
        assert home.read_text() == other
        assert room.python("import os, sys; print(os.path.exists(sys.argv[1]))", str(home)) == (
            "False\n"
        )


def test_it_has_no_docker_socket(room: Room) -> None:
    assert room.python(LOOK, "docker.sock") == ""
    own = room.worker.settings.place.docker_socket(WORKER)
    assert room.worker.run(f"test -S {own} && echo there") == "there\n"
    there = "import os, sys; print([p for p in sys.argv[1:] if os.path.lexists(p)])"
    paths = [str(own), "/var/run/docker.sock", "/run/docker.sock", "/run/docker"]
    assert room.python(there, *paths, HOME) == f"[{HOME!r}]\n"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.control}: {fact.what}")
def test_a_worker_is_hardened(fact: Fact, room: Room) -> None:
    assert fact.is_so(room.worker)


def test_the_look_for_a_join_token_finds_one(room: Room) -> None:
    (fact,) = (fact for fact in FACTS if fact.control == "labswarm-node-2")
    leaked = room.worker.settings.place.node_dir(WORKER) / "leaked"
    leaked.write_text(f"SWMTKN-1-{'0' * 49}-{'1' * 25}")
    try:
        assert not fact.is_so(room.worker)
    finally:
        leaked.unlink()


def test_the_look_at_the_firewall_sees_when_it_is_gone(room: Room) -> None:
    facts = [fact for fact in FACTS if fact.control == "labswarm-worker-1"]
    room.worker.run(
        "iptables -w -F DOCKER-USER; iptables -w -F LABSWARM-HOST; iptables -w -F INPUT"
    )
    try:
        assert not any(fact.is_so(room.worker) for fact in facts)
    finally:
        conf = room.worker.settings.place.node_dir(WORKER) / "student-firewall.conf"
        room.worker.run(f"sh {cookbooks.STUDENT_FIREWALL} {conf}")
    assert all(fact.is_so(room.worker) for fact in facts)
