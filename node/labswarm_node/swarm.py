"""The two seams to Docker Swarm: a node's own engine, and the Swarm as its manager sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from labswarm.errors import Permanent
from labswarm.seats import Seat

Availability = Literal["active", "pause", "drain"]


@dataclass(frozen=True)
class Membership:
    """An engine's own view: `state` is Docker's LocalNodeState, `managers` are address:port.

    An engine that was removed while ready still believes that it is a member.
    """

    state: str
    node_id: str = ""
    managers: frozenset[str] = frozenset()
    is_manager: bool = False


@dataclass(frozen=True)
class SwarmNode:
    """A node as the manager knows it.

    `node_label` and `engine_label` are the instance ids in its labels, `node_cluster` and
    `engine_cluster` the clusters, None where there is none; `state` is ready, down, unknown or
    disconnected. Memory in bytes, CPU in 1e-9 cores; `created_at` orders nodes by age. An `unfit`
    node reports that its homes cannot be used.
    """

    node_id: str
    role: str
    state: str
    availability: str
    node_label: str | None
    engine_label: str | None
    memory_bytes: int
    nano_cpus: int
    created_at: str
    node_cluster: str | None = None
    engine_cluster: str | None = None
    unfit: bool = False

    @property
    def cluster(self) -> str | None:
        """The worker's cluster; None for the hub's own.

        The manager's label counts. A new node that is still paused has none yet, so the engine's
        label counts until then: it must not pass for one of the hub's own.
        """
        return self.node_cluster or self.engine_cluster

    @property
    def instance_id(self) -> str | None:
        """The instance it says it is. Raises Permanent when its two labels disagree."""
        if self.node_label and self.engine_label and self.node_label != self.engine_label:
            raise Permanent(
                f"node {self.node_id} is labelled {self.node_label} but its engine says "
                f"{self.engine_label}"
            )
        return self.node_label or self.engine_label


@dataclass(frozen=True)
class Server:
    """A student's server by its task: the student, the server's name, the service."""

    user: str
    name: str
    service: str


@dataclass(frozen=True)
class StudentTask:
    """A student's server that has not ended, and the node it runs or starts on, if any yet.

    It `waits` when it is in line for a seat. `cluster` is the seat's; None: the hub's own.
    `refused_by` are the ids of the nodes on which its start failed before, `created_at` is when
    this task began (epoch seconds). `seat` is what Swarm reserves for it; None: the cluster's seat.
    """

    server: Server
    node_id: str | None
    waits: bool
    cluster: str | None = None
    refused_by: frozenset[str] = frozenset()
    created_at: float = field(default=0.0, compare=False)
    seat: Seat | None = field(default=None, compare=False)


@dataclass(frozen=True)
class StudentService:
    """The service of a student's server, whether or not a task of it runs.

    `created_at` is in epoch seconds; `cluster` is the seat's; None: the hub's own.
    """

    service_id: str
    server: Server
    created_at: float
    cluster: str | None = None


class Engine(Protocol):
    """A node's own Docker daemon.

    Every call raises Transient when the daemon does not answer.
    """

    def membership(self) -> Membership:
        """Return the engine's view of its membership."""
        ...

    def join(
        self, token: str, manager: str, advertise_address: str, availability: Availability
    ) -> None:
        """Join the Swarm whose manager is at `manager` (address:port).

        Raises Permanent when the token is refused or the engine is in a Swarm already, Transient
        when the manager does not answer in time.
        """
        ...

    def leave(self, force: bool) -> None:
        """Leave the Swarm. Raises Gone when in none, Permanent for a manager without `force`."""
        ...

    def has_image(self, image: str) -> bool:
        """Whether the image (name with tag or digest) is here."""
        ...

    def pull(self, image: str) -> None:
        """Fetch an image. Raises Permanent when there is none of that name."""
        ...


class Watched(Protocol):
    """The Swarm to look at; every call raises Transient when its manager does not answer."""

    def nodes(self) -> Sequence[SwarmNode]:
        """Every node, also those that are down."""
        ...

    def tasks(self) -> Sequence[StudentTask]:
        """Every student's task that has not ended, by service name.

        Tasks that wait for a node that is down to report their end are among them.
        """
        ...

    def services(self) -> Sequence[StudentService]:
        """Every student's service, by its name."""
        ...

    def await_change(self, since: float, timeout_s: float) -> bool:
        """Wait until a service or a node is made, changed or removed.

        True at once when that was at `since` (epoch s) or later, False after `timeout_s` without.
        """
        ...


class Swarm(Watched, Protocol):
    """The Swarm, asked at a manager; every call raises Transient when it does not answer."""

    def update(
        self,
        node_id: str,
        availability: Availability,
        instance_id: str,
        cluster: str | None = None,
    ) -> None:
        """Set a node's availability and its labels, all in one update.

        Without `cluster` its cluster label stays as it is. Raises Gone when there is no such node.
        """
        ...

    def servers_on(self, node_id: str) -> Sequence[Server]:
        """The students' servers whose tasks there have not ended, by service name.

        Tasks that wait for a node that is down to report their end are among them. Raises Gone when
        there is no such node.
        """
        ...

    def remove(self, node_id: str, force: bool = False) -> None:
        """Remove a node that is down. Raises Transient while it is ready, Gone when not there.

        With `force` a ready one is removed too, and goes on believing that it is a member.
        """
        ...

    def remove_service(self, service_id: str) -> None:
        """Remove a service, which ends its task. Raises Gone when there is no such service."""
        ...
