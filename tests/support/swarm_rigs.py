"""A Swarm to hold to the contract: a real one on nodes in namespaces, or its twin."""

import io
import itertools
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import docker

from labswarm import labels
from labswarm_emulator.machines import Instance
from labswarm_hub.task_spec import WAITS_FOR_A_SEAT
from labswarm_lab.nodes import network, numbers, registry, sweep
from labswarm_lab.nodes.founding import found_swarm
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.swarm_twin import TOKEN, EngineTwin, SwarmTwin
from labswarm_node.docker_swarm import DockerEngine, DockerSwarm
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Engine, Server, Swarm

MEMORY = 2 * 1024**3
NANO_CPUS = 10**9
HUB = "i-000000000000000b0"
CLUSTER = "lab"
"""The labels of the workers' engines."""


class SwarmRig(Protocol):
    """One Swarm with its manager, and workers as many as a test asks for."""

    @property
    def swarm(self) -> Swarm:
        """The Swarm as its manager sees it."""
        ...

    @property
    def secret(self) -> JoinSecret:
        """The present join token."""
        ...

    @property
    def hub(self) -> Engine:
        """The manager's own engine."""
        ...

    @property
    def image(self) -> str:
        """An image that workers can pull."""
        ...

    def worker(self) -> tuple[str, Engine, str]:
        """A new machine: its instance id, its engine, its address."""

    def rotate_token(self) -> None:
        """Have a new join token, which `secret` then has."""

    def kill(self, instance_id: str) -> None:
        """Cut its power."""

    def cut(self, instance_id: str) -> None:
        """Have its link down."""

    def heal(self, instance_id: str) -> None:
        """Have it up again."""

    def serve(self, server: Server, node_id: str, cluster: str | None = None) -> None:
        """Have a student's server run on a node, its seat one of this cluster's."""

    def line_up(self, server: Server, cluster: str | None = None) -> None:
        """Have a student's server wait for a seat, as the hub does."""

    def end(self, server: Server) -> None:
        """Remove the student's server."""


def eventually(condition: Callable[[], bool], seen: Callable[[], object], within_s: float) -> None:
    """Wait until the condition holds; fails with the last value seen."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s; seen: {seen()}"
        time.sleep(0.05)


class TwinSwarmRig:
    """The twin."""

    def __init__(self) -> None:
        self.image = f"10.98.0.1:5000/labswarm/empty@sha256:{'0' * 64}"
        self.swarm = SwarmTwin(down_after_s=0.3, registry=frozenset({self.image}))
        self.hub: Engine = self.swarm.found(HUB, MEMORY, NANO_CPUS, CLUSTER)
        self.secret = JoinSecret(TOKEN, self.swarm.manager)
        self._ids = (f"i-{n:017x}" for n in itertools.count(1))
        self._engines: dict[str, EngineTwin] = {}

    def worker(self) -> tuple[str, Engine, str]:
        instance_id = next(self._ids)
        self._engines[instance_id] = self.swarm.start(instance_id, MEMORY, NANO_CPUS, CLUSTER)
        return instance_id, self._engines[instance_id], "10.98.0.11"

    def rotate_token(self) -> None:
        self.secret = JoinSecret(self.swarm.rotate_token(), self.swarm.manager)

    def kill(self, instance_id: str) -> None:
        self._engines[instance_id].kill()

    def cut(self, instance_id: str) -> None:
        self._engines[instance_id].cut()

    def heal(self, instance_id: str) -> None:
        self._engines[instance_id].heal()

    def serve(self, server: Server, node_id: str, cluster: str | None = None) -> None:
        self.swarm.place(server, node_id, cluster)

    def line_up(self, server: Server, cluster: str | None = None) -> None:
        self.swarm.line_up(server, cluster)

    def end(self, server: Server) -> None:
        self.swarm.end(server)

    def close(self) -> None:
        """Nothing is left of it."""


class DockerSwarmRig:
    """A real Swarm in a lab of its own."""

    def __init__(self, root: Path) -> None:
        self._place = Place(f"t-c{os.getpid()}", root)
        self._ids = (f"i-{n:017x}" for n in itertools.count(1))
        settings = NodesSettings(
            place=self._place,
            subnet=network.raise_bridge(self._place),
            cluster=CLUSTER,
            region="eu-west-1",
            aws_url="http://127.0.0.1:9",
            join_secret="labswarm/lab/swarm-join",
            chef_url="https://127.0.0.1:9",
            chef_ca_file=None,
        )
        settings.write()
        self._machines = NamespaceMachines(settings)
        hub = Instance(HUB, "t3.large", MEMORY, 1, {"labswarm:role": "hub"})
        self._machines.boot(hub)
        self.secret = found_swarm(settings, HUB)
        self.swarm: Swarm = DockerSwarm(self._host(HUB))
        self.hub: Engine = DockerEngine(self._host(HUB))
        self._manager: Any = docker.APIClient(self._host(HUB))
        self._booted = 0
        self._settings = settings
        self.image = self._publish(registry.start(settings))

    def worker(self) -> tuple[str, Engine, str]:
        instance_id = next(self._ids)
        self._machines.boot(Instance(instance_id, "t3.medium", MEMORY, 1))
        self._booted += 1
        return (
            instance_id,
            DockerEngine(self._host(instance_id)),
            self._settings.address(10 + self._booted),
        )

    def rotate_token(self) -> None:
        now = self._manager.inspect_swarm()
        self._manager.update_swarm(now["Version"]["Index"], now["Spec"], rotate_worker_token=True)
        token = self._manager.inspect_swarm()["JoinTokens"]["Worker"]
        self.secret = JoinSecret(token, self.secret.manager)

    def kill(self, instance_id: str) -> None:
        self._machines.terminate(instance_id)

    def cut(self, instance_id: str) -> None:
        self._set_link(instance_id, up=False)

    def heal(self, instance_id: str) -> None:
        self._set_link(instance_id, up=True)

    def _set_link(self, instance_id: str, *, up: bool) -> None:
        number = numbers.number_of(self._place, instance_id)
        assert number is not None
        network.set_cable(self._settings.subnet, number, up=up)

    def serve(self, server: Server, node_id: str, cluster: str | None = None) -> None:
        self._create(server, f"node.id=={node_id}", cluster)
        tasks = {"service": server.service}
        eventually(
            lambda: [task["Status"]["State"] for task in self._manager.tasks(tasks)] == ["running"],
            lambda: self._manager.tasks(tasks),
            20,
        )

    def line_up(self, server: Server, cluster: str | None = None) -> None:
        self._create(server, WAITS_FOR_A_SEAT, cluster)

    def _create(self, server: Server, constraint: str, cluster: str | None) -> None:
        named = {
            labels.USER: server.user,
            labels.SERVER: server.name,
            labels.SERVICE: server.service,
            **({labels.CLUSTER: cluster} if cluster else {}),
        }
        self._manager.create_service(
            name=server.service,
            labels=named,
            task_template={
                "ContainerSpec": {
                    "Image": self.image,
                    "Command": ["/usr/bin/sleep", "600"],
                    "Labels": named,
                    "Mounts": [
                        {"Type": "bind", "Source": "/usr", "Target": "/usr", "ReadOnly": True}
                    ],
                    "StopGracePeriod": 0,
                },
                "RestartPolicy": {"Condition": "none"},
                "Placement": {"Constraints": [constraint]},
            },
        )

    def end(self, server: Server) -> None:
        self._manager.remove_service(server.service)

    def close(self) -> None:
        sweep.clear(self._place)

    def _publish(self, address: str) -> str:
        """Put an image into the registry; its name with its digest."""
        name = f"{address}/labswarm/empty"
        self._manager.import_image_from_data(_empty_image(), repository=name, tag="1")
        self._manager.push(name, tag="1")
        digest: str = self._manager.inspect_image(f"{name}:1")["RepoDigests"][0]
        return digest

    def _host(self, instance_id: str) -> str:
        return f"unix://{self._place.docker_socket(instance_id)}"


def _empty_image() -> bytes:
    """An image that has nothing but the links to the /usr mounted into it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as image:
        for name in ("usr", "proc", "sys", "dev", "etc"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            image.addfile(folder)
        for name in ("bin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            image.addfile(link)
    return content.getvalue()
