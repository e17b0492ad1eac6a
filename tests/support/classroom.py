"""A class on two workers of a lab: the parts needed for requests from a student's container."""

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

from docker import DockerClient

from labswarm.homes import home_name
from labswarm_emulator.machines import Instance
from labswarm_hub.homes import UID, make_home
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import Server, service_spec
from labswarm_lab import hub
from labswarm_lab.images import hub_image, notebook_image, publish
from labswarm_lab.nodes import machine, registry
from labswarm_lab.nodes.founding import found_swarm
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from tests.support.lab_worker import Worker
from tests.support.probes import LISTEN, PROBE

MIB = 2**20
MANAGER = "i-000000000000000a0"
WORKER, NEIGHBOUR = "i-000000000000000b1", "i-000000000000000b2"
METADATA = "169.254.169.254"
EMULATOR_PORT, CHEF_PORT = 5060, 4545
PATIENCE_S = 90


@dataclass(frozen=True)
class Room:
    """A class on two workers: one of these, and the container of a student on it."""

    worker: Worker
    container: Any
    addresses: dict[str, str]

    def python(self, *words: str) -> str:
        """The output of a Python program in the student's container."""
        answer = self.container.exec_run(["/usr/bin/python3", "-c", *words])
        assert answer.exit_code == 0, answer.output
        printed: str = answer.output.decode()
        return printed

    def probe(self, asked: dict[str, tuple[str, str, int]]) -> dict[str, str]:
        """The result of a connection to each, from the student's container."""
        where = {
            name: (protocol, self.addresses.get(host, host), port)
            for name, (protocol, host, port) in asked.items()
        }
        answers: dict[str, str] = json.loads(self.python(PROBE, json.dumps(where)))
        return answers


def eventually(what: str, found: Callable[[], Any]) -> Any:
    """The wanted object, as soon as it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while not (it := found()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.1)
    return it


def secrets_manager(stack: ExitStack, at: str, shared: dict[str, str]) -> str:
    """Answers whatever is asked with a secret, as Secrets Manager does; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = json.dumps({"Name": "join", "SecretString": json.dumps(shared)}).encode()
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


def prepared(stack: ExitStack, place: Place, subnet: int) -> Room:
    """The nodes, joined by their own tool, and the class on them."""
    shared: dict[str, str] = {}
    gateway = f"10.98.{subnet}.1"
    settings = NodesSettings(
        place=place,
        subnet=subnet,
        cluster="lab",
        region="eu-west-1",
        aws_url=secrets_manager(stack, gateway, shared),
        join_secret="labswarm/lab/swarm-join",
        chef_url=f"https://{gateway}:{CHEF_PORT}",
        chef_ca_file=None,
    )
    settings.write()
    for port in (EMULATOR_PORT, CHEF_PORT):
        stack.enter_context(socket.create_server((gateway, port)))

    machines = NamespaceMachines(settings)
    for instance_id in (MANAGER, WORKER, NEIGHBOUR):
        stack.callback(machines.terminate, instance_id)
    machines.boot(Instance(MANAGER, "t3.large", 4096 * MIB, 2, {"labswarm:role": "hub"}))
    machines.boot(Instance(WORKER, "t3.medium", 2048 * MIB, 1))
    machines.boot(Instance(NEIGHBOUR, "t3.medium", 2048 * MIB, 1))
    secret = found_swarm(settings, MANAGER)
    shared.update(token=secret.token, manager=secret.manager)
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
    """A program accepts connections at ports that are closed on a node anyway, and at the
    metadata's.
    """
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
    hub_settings = HubSettings.parse(json.dumps(hub.settings_of(ground)))
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
