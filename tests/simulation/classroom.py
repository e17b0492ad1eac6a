"""The students, their servers, the hub that seats them, and its reports to AWS about them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from labswarm.seats import Seat
from labswarm.snapshot import Snapshot
from labswarm_lab.nodes.swarm_twin import SwarmTwin
from labswarm_node.snapshot import HubAnswer, snapshot_of
from labswarm_node.swarm import Availability, Server
from tests.twins.hub import HubTwin
from tests.twins.snapshot import MemorySnapshots

SEAT, OVERHEAD = Seat(2**29, 250_000_000), Seat(2**29, 0)
"""A worker of 2 GiB has three seats."""
STUDENTS = frozenset(f"s{number}" for number in range(60))


@dataclass(frozen=True)
class Cut:
    """A server that was ended on a worker while its student used it; `at` in epoch seconds."""

    student: str
    instance_id: str
    at: float
    drained: bool


class WatchedSwarm(SwarmTwin):
    """A Swarm that reports the servers which a drain has ended."""

    drained: Callable[[str, list[Server]], None]

    def update(
        self,
        node_id: str,
        availability: Availability,
        instance_id: str,
        cluster: str | None = None,
    ) -> None:
        """As the twin."""
        there = list(self.servers_on(node_id)) if availability == "drain" else []
        super().update(node_id, availability, instance_id, cluster)
        if there:
            self.drained(instance_id, there)


class Classroom:
    """Students 0 to 59 of one cluster; `short` is called when one finds no seat.

    `cuts` are the servers that ended although nobody of the class had asked for it.
    """

    def __init__(
        self,
        swarm: WatchedSwarm,
        snapshots: MemorySnapshots,
        cluster: str,
        now: Callable[[], float],
        short: Callable[[], None],
    ) -> None:
        self._swarm = swarm
        self._snapshots = snapshots
        self._cluster = cluster
        self._now = now
        self._short = short
        self._leaving: set[str] = set()
        self.cuts: list[Cut] = []
        self.hub = HubTwin(STUDENTS, self._seat, self._unseat)
        swarm.drained = self._drained

    def sit(self, student: str) -> None:
        """A student starts a server, if none runs."""
        self.hub.start(student, "")

    def leave(self, student: str) -> None:
        """A student stops the server."""
        self._leaving.add(student)
        self.hub.stop(student, "")
        self._leaving.discard(student)

    def lose(self, student: str) -> None:
        """The hub loses a student's server, as of a database that is older."""
        self.hub.lose(student, "")

    def lost(self) -> list[str]:
        """The services that the hub does not know."""
        return [
            s.server.service for s in HubAnswer(self._swarm.services(), self.hub.servers()).unknown
        ]

    def worker_of(self, student: str) -> str | None:
        """The instance on which a student's server runs."""
        by_id = {node.node_id: node.instance_id for node in self._swarm.nodes()}
        return next(
            (
                by_id[t.node_id]
                for t in self._swarm.tasks()
                if t.node_id and t.server.user == student
            ),
            None,
        )

    def students(self) -> set[str]:
        """Those whose servers run or wait."""
        return {task.server.user for task in self._swarm.tasks()}

    def snapshot(self) -> Snapshot:
        """The hub's machine's view now."""
        seen = (self._now(), self._swarm.nodes(), self._swarm.tasks())
        hub = None
        if not self.hub.down:
            hub = HubAnswer(self._swarm.services(), self.hub.servers())
        return snapshot_of(self._cluster, *seen, SEAT, OVERHEAD, hub)

    def look(self) -> None:
        """The hub polls, the line moves up, and AWS gets a snapshot."""
        if not self.hub.down:
            self._poll()
        self._snapshots.write_snapshot(self.snapshot())

    def _poll(self) -> None:
        # Swarm has given up tasks on a node that is down, and a poll sees that.
        down = {node.node_id for node in self._swarm.nodes() if node.state == "down"}
        alive = {task.server.user for task in self._swarm.tasks() if task.node_id not in down}
        for student in sorted(STUDENTS - alive):
            if self.hub.running(student, "") == "ready":
                self.hub.find_ended(student, "")
        for task in [task for task in self._swarm.tasks() if task.waits]:
            self._swarm.end(task.server)
            self._place(task.server)

    def _seat(self, user: str, _name: str) -> None:
        # As the spawner does: the hub may have lost an earlier service of this server.
        self._swarm.end(_server(user))
        # Nobody overtakes those who wait (labswarm_hub.seating).
        if any(task.waits for task in self._swarm.tasks()):
            self._swarm.line_up(_server(user), self._cluster)
            self._short()
        elif not self._place(_server(user)):
            self._short()

    def _place(self, server: Server) -> bool:
        """On the fullest open node with a free seat, else in line."""
        used = Counter(task.node_id for task in self._swarm.tasks() if task.node_id)
        free = [
            node
            for node in self.snapshot().nodes
            if (node.state, node.availability) == ("ready", "active")
            and node.seats > used[node.node_id]
        ]
        if not free:
            self._swarm.line_up(server, self._cluster)
            return False
        best = max(free, key=lambda node: (used[node.node_id], node.node_id))
        self._swarm.place(server, best.node_id, self._cluster)
        return True

    def _unseat(self, user: str, _name: str) -> None:
        worker = self.worker_of(user)
        if worker is not None and user not in self._leaving:
            self.cuts.append(Cut(user, worker, self._now(), drained=False))
        self._swarm.end(_server(user))

    def _drained(self, instance_id: str, servers: list[Server]) -> None:
        for server in servers:
            self.cuts.append(Cut(server.user, instance_id, self._now(), drained=True))


def _server(user: str) -> Server:
    return Server(user, "", f"jupyter-{user}")
