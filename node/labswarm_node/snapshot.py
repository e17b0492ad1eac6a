"""A cluster's snapshot, and when it has to be sent. Pure: no clock and no network."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from labswarm.errors import Permanent
from labswarm.seats import Seat, seats_with
from labswarm.snapshot import HubSeen, NodeSeen, ServiceSeen, Snapshot
from labswarm_node.swarm import StudentService, StudentTask, SwarmNode

WRITE_AFTER_S = 30.0
"""A quarter of the age at which a snapshot decides nothing any more."""
BETWEEN_SHORTAGES_S = 2.0
_UNKNOWN_TOLD = 100
NAMES_BYTES = 60_000
"""The room for students' names in a snapshot: an item of DynamoDB has 400 KB."""


@dataclass(frozen=True)
class HubAnswer:
    """The Swarm's services of students, and the servers (student, name) that the hub then knew."""

    services: Sequence[StudentService]
    servers: frozenset[tuple[str, str]]

    @property
    def unknown(self) -> list[StudentService]:
        """The services that the hub does not know, the oldest first."""
        found = [s for s in self.services if (s.server.user, s.server.name) not in self.servers]
        return sorted(found, key=lambda service: (service.created_at, service.service_id))

    def of(self, clusters: Container[str | None]) -> HubSeen:
        """Return the part of the answer for the snapshot of one of these clusters."""
        unknown = [
            ServiceSeen(service.service_id, service.created_at)
            for service in self.unknown
            if service.cluster in clusters
        ]
        return HubSeen(len(self.servers), tuple(unknown[:_UNKNOWN_TOLD]))


def snapshot_of(
    cluster: str,
    taken_at: float,
    nodes: Iterable[SwarmNode],
    tasks: Sequence[StudentTask],
    seat: Seat,
    overhead: Seat,
    hub: HubAnswer | None = None,
    *,
    own: bool = True,
) -> Snapshot:
    """Return a cluster's snapshot at `taken_at` (epoch s), from all nodes and tasks of the Swarm.

    It has the cluster's nodes and servers; those without a cluster label belong to the hub's `own`.
    A node's seats in use are those of its tasks that have not ended. `running` leaves out nodes
    that are down, because their tasks' last reports are old. `hub` is None when the hub did
    not answer.
    """
    ours = {cluster, None} if own else {cluster}
    used = Counter(task.node_id for task in tasks if task.node_id)
    taken: defaultdict[str, list[Seat]] = defaultdict(list)
    for task in tasks:
        if task.node_id:
            taken[task.node_id].append(task.seat or seat)
    by_id = sorted(nodes, key=lambda node: node.node_id)
    workers = [node for node in by_id if node.role == "worker" and node.cluster in ours]
    down = {node.node_id for node in by_id if node.state == "down"}
    refused = _refused(tasks)
    theirs = [task for task in tasks if task.cluster in ours]
    there = [task for task in theirs if not task.waits and task.node_id not in down]
    return Snapshot(
        cluster=cluster,
        taken_at=taken_at,
        nodes=tuple(
            NodeSeen(
                node_id=node.node_id,
                instance_id=_instance_id(node),
                state=node.state,
                availability=node.availability,
                seats=seats_with(
                    node.memory_bytes, node.nano_cpus, seat, overhead, taken[node.node_id]
                ),
                seats_used=used[node.node_id],
                created_at=node.created_at,
                refused=refused[node.node_id],
                unfit=node.unfit,
            )
            for node in workers
        ),
        running=len(there),
        waiting=sum(task.waits for task in theirs),
        hub=hub.of(ours) if hub else None,
        waiting_since=min((task.created_at for task in theirs if task.waits), default=None),
        students=_names(sorted(task.server.user for task in there)),
    )


@dataclass(frozen=True)
class Sent:
    """The last snapshot that AWS has, and the waiting students of the last `SeatsShort`.

    Times are epoch seconds. After an error nothing is recorded, so the same is due again.
    """

    snapshot: Snapshot | None = None
    waiting: int = 0
    called_at: float = -math.inf

    def is_news(self, seen: Snapshot) -> bool:
        """Return whether to write `seen`: it differs, or 30 s have passed."""
        known = self.snapshot
        return (
            known is None
            or seen.taken_at - known.taken_at >= WRITE_AFTER_S
            or replace(seen, taken_at=known.taken_at) != known
        )

    def call_due_in(self, seen: Snapshot) -> float | None:
        """Seconds until `SeatsShort` is due, 0 for now; None when no more students wait."""
        if seen.waiting <= self.waiting:
            return None
        return max(0.0, self.called_at + BETWEEN_SHORTAGES_S - seen.taken_at)

    def after(self, seen: Snapshot) -> "Sent":
        """Return the state after `seen` was written; a shorter line may grow again."""
        return replace(self, snapshot=seen, waiting=min(self.waiting, seen.waiting))

    def after_call(self, seen: Snapshot) -> "Sent":
        """Return the state after `SeatsShort` was sent for `seen`."""
        return replace(self, waiting=seen.waiting, called_at=seen.taken_at)


def _names(users: Iterable[str]) -> tuple[str, ...]:
    """Return as many of the users as have room."""
    room, names = NAMES_BYTES, []
    for user in users:
        # As JSON, with its quotes, the comma and the space.
        room -= len(json.dumps(user)) + 2
        if room < 0:
            break
        names.append(user)
    return tuple(names)


def _refused(tasks: Sequence[StudentTask]) -> Counter[str]:
    """Count the servers by each node on which they did not start.

    A server that started on the node later shows that it starts servers again.
    """
    started: dict[str, float] = {}
    for task in tasks:
        if task.node_id:
            started[task.node_id] = max(task.created_at, started.get(task.node_id, 0.0))
    return Counter(
        node_id
        for task in tasks
        for node_id in task.refused_by
        if task.created_at >= started.get(node_id, 0.0)
    )


def _instance_id(node: SwarmNode) -> str | None:
    """Return None for a node whose labels disagree: neither of them may be acted on."""
    try:
        return node.instance_id
    except Permanent:
        return None
