"""The Swarm in memory: the twin of the real one, for tests and for a lab with simulated nodes.

It checks what it is given as Docker does, and its nodes go down some time after their last
heartbeat, as Docker's do (swarmkit manager/dispatcher: three periods of 5 s).
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from threading import Condition, RLock
from typing import get_args

from labswarm.errors import BadInput, Gone, Permanent, Transient
from labswarm_node.config import IMAGE
from labswarm_node.engine_errors import StaleToken
from labswarm_node.swarm import (
    Availability,
    Membership,
    Server,
    StudentService,
    StudentTask,
    SwarmNode,
)

TOKEN = "SWMTKN-1-twin"  # noqa: S105  # opens nothing but the twin
DOWN_AFTER_S = 15.0


@dataclass(frozen=True)
class _Member:
    node: SwarmNode
    silent_since: float | None = None
    servers: tuple[Server, ...] = ()


@dataclass
class _Host:
    """An engine's own side: the node it believes to be, and its images."""

    instance_id: str
    memory_bytes: int
    nano_cpus: int
    cluster: str | None = None
    node_id: str = ""
    images: list[str] = field(default_factory=list)
    up: bool = True


class SwarmTwin:
    """`Swarm`, and where its engines come from.

    `down_after_s` is how long after its last heartbeat a node is down (seconds); `now` gives
    seconds since the epoch. `registry` has the images that can be pulled; None: any.
    """

    def __init__(
        self,
        manager: str = "10.98.0.10:2377",
        down_after_s: float = DOWN_AFTER_S,
        now: Callable[[], float] = time.time,
        registry: frozenset[str] | None = None,
    ) -> None:
        self.manager = manager
        self.token = TOKEN
        self._former_tokens: list[str] = []
        self.registry = registry
        self._down_after_s = down_after_s
        self._now = now
        self._members: dict[str, _Member] = {}
        self._made = 0
        self._line: tuple[Server, ...] = ()
        self._services: dict[str, StudentService] = {}
        self._changed_at = 0.0
        self._lock = RLock()
        self._changed = Condition(self._lock)

    def start(
        self, instance_id: str, memory_bytes: int, nano_cpus: int, cluster: str | None = None
    ) -> "EngineTwin":
        """Return the engine of a new machine with the label `cluster`."""
        return EngineTwin(self, _Host(instance_id, memory_bytes, nano_cpus, cluster))

    def found(
        self, instance_id: str, memory_bytes: int, nano_cpus: int, cluster: str | None = None
    ) -> "EngineTwin":
        """Return the engine of the manager, the Swarm's first node."""
        host = _Host(instance_id, memory_bytes, nano_cpus, cluster)
        host.node_id = self._add(host, "manager", "active")
        return EngineTwin(self, host)

    def rotate_token(self) -> str:
        """Replace the join token; nodes that have joined stay."""
        self._former_tokens.append(self.token)
        self.token = f"{TOKEN}-{len(self._former_tokens)}"
        return self.token

    def place(self, server: Server, node_id: str, cluster: str | None = None) -> None:
        """Have a student's server run on a node, its seat one of `cluster`'s.

        Raises Permanent where Docker starts nothing.
        """
        node = self._state_of(self._member(node_id))
        if (node.state, node.availability) != ("ready", "active"):
            raise Permanent(f"node {node_id} is {node.state} and {node.availability}")
        with self._lock:
            member = self._member(node_id)
            self._members[node_id] = replace(member, servers=(*member.servers, server))
            self._create(server, cluster)
            self._note()

    def line_up(self, server: Server, cluster: str | None = None) -> None:
        """Have a student's server wait for one of `cluster`'s seats."""
        with self._lock:
            self._line = (*self._line, server)
            self._create(server, cluster)
            self._note()

    def end(self, server: Server) -> None:
        """End a student's server wherever it runs or waits."""
        with self._lock:
            self._note()
            self._line = tuple(other for other in self._line if other != server)
            self._services.pop(server.service, None)
            for node_id, member in self._members.items():
                left = tuple(other for other in member.servers if other != server)
                self._members[node_id] = replace(member, servers=left)

    def nodes(self) -> Sequence[SwarmNode]:
        with self._lock:
            return [self._state_of(member) for member in self._members.values()]

    def update(
        self,
        node_id: str,
        availability: Availability,
        instance_id: str,
        cluster: str | None = None,
    ) -> None:
        _check_availability(availability)
        with self._lock:
            member = self._member(node_id)
            node = replace(
                member.node,
                availability=availability,
                node_label=instance_id,
                node_cluster=cluster or member.node.node_cluster,
            )
            servers = () if availability == "drain" else member.servers
            self._members[node_id] = replace(member, node=node, servers=servers)
            self._note()

    def tasks(self) -> Sequence[StudentTask]:
        with self._lock:
            on_nodes = [
                StudentTask(server, node_id, False, self._cluster_of(server))
                for node_id, member in self._members.items()
                for server in member.servers
            ]
            waiting = [
                StudentTask(server, None, True, self._cluster_of(server)) for server in self._line
            ]
        return sorted(
            [*on_nodes, *waiting], key=lambda task: (task.server.service, task.node_id or "")
        )

    def services(self) -> Sequence[StudentService]:
        with self._lock:
            return [service for _, service in sorted(self._services.items())]

    def await_change(self, since: float, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._changed_at >= since, timeout_s)

    def servers_on(self, node_id: str) -> Sequence[Server]:
        return sorted(self._member(node_id).servers, key=lambda server: server.service)

    def remove(self, node_id: str, force: bool = False) -> None:
        with self._lock:
            node = self._state_of(self._member(node_id))
            if node.state != "down" and not force:
                raise Transient(f"node {node_id} is not down and can't be removed")
            del self._members[node_id]
            self._note()

    def remove_service(self, service_id: str) -> None:
        with self._lock:
            found = [s for s in self._services.values() if s.service_id == service_id]
            if not found:
                raise Gone(f"service {service_id} not found")
            self.end(found[0].server)

    def to_json(self) -> str:
        """Every member, for another process to look at with `parse`."""
        with self._lock:
            members = [asdict(member) for member in self._members.values()]
            line = [asdict(server) for server in self._line]
            services = [asdict(service) for service in self._services.values()]
            seen = {"members": members, "line": line, "services": services}
            return json.dumps({"down_after_s": self._down_after_s, **seen})

    @classmethod
    def parse(cls, text: str) -> "SwarmTwin":
        """A Swarm to look at, as `to_json` wrote it."""
        values = json.loads(text)
        twin = cls(down_after_s=values["down_after_s"])
        for member in values["members"]:
            node = SwarmNode(**member["node"])
            servers = tuple(Server(**server) for server in member["servers"])
            twin._members[node.node_id] = _Member(node, member["silent_since"], servers)
        twin._line = tuple(Server(**server) for server in values["line"])
        for service in values["services"]:
            server = Server(**service.pop("server"))
            twin._services[server.service] = StudentService(server=server, **service)
        return twin

    def _join(self, host: _Host, token: str, manager: str, availability: Availability) -> None:
        _check_availability(availability)
        if manager != self.manager:
            raise Transient(
                f"Timeout was reached before node joined: no manager answers at {manager}"
            )
        if token in self._former_tokens:
            raise StaleToken("A valid join token is necessary to join this cluster")
        if token != self.token:
            raise Permanent("invalid join token")
        host.node_id = self._add(host, "worker", availability)

    def _add(self, host: _Host, role: str, availability: Availability) -> str:
        with self._lock:
            self._made += 1
            node_id = f"twin{self._made:021d}"
            node = SwarmNode(
                node_id=node_id,
                role=role,
                state="ready",
                availability=availability,
                node_label=None,
                engine_label=host.instance_id,
                memory_bytes=host.memory_bytes,
                nano_cpus=host.nano_cpus,
                created_at=f"{self._now():020.6f}",
                engine_cluster=host.cluster,
            )
            self._members[node_id] = _Member(node)
            self._note()
            return node_id

    def _silence(self, node_id: str) -> None:
        with self._lock:
            # A removed node still believes that it is a member; nobody misses its heartbeat.
            member = self._members.get(node_id)
            if member is not None and member.silent_since is None:
                self._members[node_id] = replace(member, silent_since=self._now())
                self._note()

    def _hear(self, node_id: str) -> None:
        with self._lock:
            member = self._members.get(node_id)
            if member is None or member.silent_since is None:
                return
            # Swarm has given up the tasks of a node that was down, so the node ends them.
            servers = () if self._state_of(member).state == "down" else member.servers
            self._members[node_id] = replace(member, silent_since=None, servers=servers)
            self._note()

    def _create(self, server: Server, cluster: str | None) -> None:
        """Make the server's service again; with the lock held."""
        self._made += 1
        service_id = f"service{self._made:018d}"
        self._services[server.service] = StudentService(service_id, server, self._now(), cluster)

    def _cluster_of(self, server: Server) -> str | None:
        """Whose seat a server takes; its task may outlive its service."""
        service = self._services.get(server.service)
        return service.cluster if service else None

    def _note(self) -> None:
        """Wake those who await a change; with the lock held."""
        self._changed_at = self._now()
        self._changed.notify_all()

    def _member(self, node_id: str) -> _Member:
        with self._lock:
            if node_id not in self._members:
                raise Gone(f"node {node_id} not found")
            return self._members[node_id]

    def _state_of(self, member: _Member) -> SwarmNode:
        silent = member.silent_since
        down = silent is not None and self._now() - silent >= self._down_after_s
        return replace(member.node, state="down") if down else member.node


class EngineTwin:
    """`Engine` of one machine of a SwarmTwin."""

    def __init__(self, swarm: SwarmTwin, host: _Host) -> None:
        self._swarm = swarm
        self._host = host

    def kill(self) -> None:
        """The machine ends at once."""
        self._host.up = False
        self._swarm._silence(self._host.node_id)

    def cut(self) -> None:
        """The machine's link is down: its Swarm hears nothing of it."""
        self._swarm._silence(self._host.node_id)

    def heal(self) -> None:
        """The link is up again; where it never was down this is no error."""
        self._swarm._hear(self._host.node_id)

    def membership(self) -> Membership:
        self._check_up()
        if not self._host.node_id:
            return Membership("inactive")
        managers = frozenset({self._swarm.manager})
        return Membership("active", self._host.node_id, managers, self._is_manager())

    def join(
        self, token: str, manager: str, advertise_address: str, availability: Availability
    ) -> None:
        self._check_up()
        if self._host.node_id:
            raise Permanent("This node is already part of a swarm")
        if not advertise_address:
            raise Permanent("advertise address must be given")
        self._swarm._join(self._host, token, manager, availability)

    def leave(self, force: bool) -> None:
        self._check_up()
        if not self._host.node_id:
            raise Gone("This node is not part of a swarm")
        if self._is_manager() and not force:
            raise Permanent("You are attempting to leave the swarm on a node that is a manager")
        self._swarm._silence(self._host.node_id)
        self._host.node_id = ""

    def has_image(self, image: str) -> bool:
        self._check_up()
        return image in self._host.images

    def pull(self, image: str) -> None:
        self._check_up()
        if not IMAGE.fullmatch(image):
            raise Permanent(f"invalid reference format: {image}")
        if self._swarm.registry is not None and image not in self._swarm.registry:
            raise Permanent(f"{image}: manifest unknown")
        if image not in self._host.images:
            self._host.images.append(image)

    def _is_manager(self) -> bool:
        member = self._swarm._members.get(self._host.node_id)
        return member is not None and member.node.role == "manager"

    def _check_up(self) -> None:
        if not self._host.up:
            raise Transient("the Docker daemon does not answer")


def _check_availability(availability: str) -> None:
    if availability not in get_args(Availability):
        raise BadInput("availability", f"is {availability!r}; write active, pause or drain")
