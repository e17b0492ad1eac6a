"""Reads a class: the hub's users, the snapshot and the group, at the same moment."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.groups import AutoScalingGroups
from labswarm.lab_hours.booked_labs import labs_of
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.demand import node_start_s
from labswarm.lab_hours.timetable import HORIZON_S
from labswarm.names import app_name
from labswarm.notices import Message
from labswarm.snapshot import Snapshot
from labswarm_labs.hub import Hub
from labswarm_labs.live import LiveClass, live_class
from labswarm_labs.service import Labs
from labswarm_node.config import HubConfig
from labswarm_node.hub import HubApi
from labswarm_node.notifying import send
from labswarm_operator.account import Clients

SNAPSHOTS_TABLE = app_name("snapshots")
DESCRIBED_FOR_S = 60.0


@dataclass(frozen=True)
class _OfCluster:
    """The parts of a class that change rarely, and the group's desired capacity."""

    node_seats: int
    start_s: float
    desired: Callable[[], int]


@dataclass(frozen=True)
class _Seen:
    """The parts of a class that AWS knows."""

    snapshot: Snapshot | None
    launching: int
    node_seats: int
    start_s: float
    labs: list[Booking]


class Classes:
    """The classes of one cluster.

    `sending` has labswarm-manager's token, from which each server's notice key follows; None:
    nobody can write to a class.
    """

    def __init__(
        self, labs: Labs, hub: Hub, clients: Clients, sending: HubConfig | None = None
    ) -> None:
        self._labs = labs
        self._hub = hub
        self._clients = clients
        self._sending = sending
        self._cluster: tuple[float, _OfCluster] | None = None

    @property
    def can_write(self) -> bool:
        """Whether messages can be sent."""
        return self._sending is not None

    async def look(self, group: str) -> LiveClass:
        """Return a group's class. Raises the errors of the hub and of AWS by kind."""
        members, active, seen = await asyncio.gather(
            self._hub.members(group),
            self._hub.active(),
            asyncio.to_thread(self._seen, group),
        )
        return live_class(
            group=group,
            members=members,
            active=active,
            snapshot=seen.snapshot,
            launching=seen.launching,
            node_seats=seen.node_seats,
            start_s=seen.start_s,
            labs=seen.labs,
            now=self._labs.now(),
        )

    async def free_seats(self) -> int:
        """Return the free seats of the cluster's open nodes."""
        snapshot = await asyncio.to_thread(self._snapshot)
        there = [
            node
            for node in (snapshot.nodes if snapshot else ())
            if (node.state, node.availability) == ("ready", "active")
        ]
        return sum(max(0, node.seats - node.seats_used) for node in there)

    async def write(self, group: str, message: Message) -> tuple[int, int]:
        """Send a message to the servers of a class; return how many took it, and how many not."""
        if self._sending is None:
            return 0, 0
        members = set(await self._hub.members(group))
        active = await self._hub.active()
        servers = [
            (str(user["name"]), str(name))
            for user in active
            if user["name"] in members
            for name, server in user["servers"].items()
            if server.get("ready")
        ]
        outcomes = await asyncio.to_thread(send, HubApi(self._sending), servers, message)
        reached = sum(outcome is None for outcome in outcomes.values())
        return reached, len(outcomes) - reached

    def _seen(self, group: str) -> _Seen:
        now = self._labs.now()
        bookings = [one for one in self._labs.bookings() if one.group == group]
        of_cluster = self._of_cluster(now)
        snapshot = self._snapshot()
        nodes = sum(node.state == "ready" for node in (snapshot.nodes if snapshot else ()))
        return _Seen(
            snapshot=snapshot,
            launching=max(0, of_cluster.desired() - nodes),
            node_seats=of_cluster.node_seats,
            start_s=of_cluster.start_s,
            labs=labs_of(bookings, now, now + HORIZON_S),
        )

    def _snapshot(self) -> Snapshot | None:
        store = DynamoSnapshots(self._clients("dynamodb"), SNAPSHOTS_TABLE)
        return store.read_snapshot(self._labs.cluster)

    def _of_cluster(self, now: float) -> _OfCluster:
        if self._cluster is None or now - self._cluster[0] > DESCRIBED_FOR_S:
            name = self._labs.cluster
            described = SsmClusters(self._clients("ssm")).read_cluster(name)
            state = DynamoLabHoursStates(self._clients("dynamodb"), TABLE).read_state(name)
            groups = AutoScalingGroups(self._clients("autoscaling"))
            self._cluster = (
                now,
                _OfCluster(
                    node_seats=state.node_seats or 0,
                    start_s=node_start_s(state.starts_s, described.node_start_s),
                    desired=lambda: groups.size(described.asg).desired,
                ),
            )
        return self._cluster[1]
