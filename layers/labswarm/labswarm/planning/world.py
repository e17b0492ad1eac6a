"""A simulated cluster: its group, nodes, seats, line and students, in virtual time.

A policy looks at it every minute, and at once when a student finds no seat, and answers with
actions as lab hours' machine gets them (labswarm.lab_hours.decide.actions_of). EC2, the group and
the hub are modelled as far as they change when a student gets a seat, or the bill.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labswarm.groups import Group
from labswarm.lab_hours.purchases import Market, Refusal
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.distributions import Distributions
from labswarm.planning.packing import FreeSeats
from labswarm.planning.students import Student
from labswarm.snapshot import NodeSeen, Snapshot

WARNING_S = 120
"""How long before its end EC2 warns of a spot instance's interruption (seconds).
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html"""
RETRY_S = 60
"""How long a group waits until it tries a launch again that failed (seconds)."""
SHORT_EVERY_S = 2
"""The hub says at most this often that seats are short (labswarm-snapshot)."""

Action = Mapping[str, Any]


@dataclass(eq=False)
class Node:
    """A worker from its launch on; times are epoch seconds. `warned`: EC2 takes it back."""

    instance_id: str
    launched_at: float
    spot: bool
    state: str = "queued"
    joined_at: float | None = None
    ended_at: float | None = None
    warned: bool = False
    servers: "set[Server]" = field(default_factory=set)
    _seen: NodeSeen | None = None

    @property
    def is_member(self) -> bool:
        """Whether it counts for its group's capacity."""
        return not self.warned and self.state in ("queued", "starting", "open", "paused")

    def seen(self, seats: int) -> NodeSeen:
        """The node as the hub's machine reports it."""
        availability = "active" if self.state == "open" else "pause"
        last = self._seen
        # Most nodes are as they were a minute ago.
        if (
            last is None
            or last.seats_used != len(self.servers)
            or last.availability != availability
        ):
            name = self.instance_id
            self._seen = last = NodeSeen(
                name, name, "ready", availability, seats, len(self.servers), ""
            )
        return last


@dataclass(eq=False)
class Server:
    """A student's server. `ready_at` is its first answer; `cut_at` are the times at which a node
    ended under it. All times are epoch seconds, None while they have not come."""

    student: Student
    node: Node | None = None
    ready_at: float | None = None
    gave_up: bool = False
    moved_s: list[float] = field(default_factory=list)
    cut_at: float | None = None
    killed: bool = False

    @property
    def wait_s(self) -> float | None:
        """From the student's click to the server's first answer."""
        return None if self.ready_at is None else self.ready_at - self.student.arrives


@dataclass(frozen=True)
class Sample:
    """The cluster at one moment."""

    at: float
    starting: int
    open: int
    paused: int
    servers: int
    waiting: int


Policy = Callable[["World"], Sequence[Action]]
"""Decides at the world's `now`; returns the actions, in the words of `actions_of`."""


class World:
    """One cluster; `policy` sizes it. The same `seed` makes the same world."""

    def __init__(
        self,
        cluster: PlannedCluster,
        distributions: Distributions,
        policy: Policy,
        seed: int,
        begins: float,
    ) -> None:
        self.cluster = cluster
        self.now = begins
        self.desired = cluster.least
        self.mix = cluster.mix
        self.nodes: dict[str, Node] = {}
        self.servers: list[Server] = []
        self.samples: list[Sample] = []
        self.grown: list[tuple[float, int]] = []
        """Each time at which the group was asked to be larger, and how large."""
        self.starts_s: list[float] = list(distributions.measured_starts_s)
        self.unlaunched: set[str] = set()
        """Why launches had to wait: the limits and shortages that were met."""
        self.refusals: list[Refusal] = []
        """The launches that EC2 refused for want of capacity or by a quota."""
        self._distributions = distributions
        self._policy = policy
        self._chance = random.Random(seed)  # noqa: S311  # a simulation to be had again, no secret
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._live: dict[str, Node] = {}
        self._free = FreeSeats(cluster.kind.seats)
        self._running = 0
        self._line: deque[Server] = deque()
        self._hub_free_at = begins
        self._short_at = float("-inf")
        self._retry_at: float | None = None

    # The clock.

    def run(self, students: Iterable[Student], until: float, tick_s: float = 60) -> None:
        """Let the students come, and time pass until `until` (epoch seconds)."""
        for student in students:
            self._at(student.arrives, lambda student=student: self._arrive(student))  # type: ignore[misc]
        self._launch()
        self._at(self.now, lambda: self._tick(tick_s))
        while self._due and self._due[0][0] <= until:
            self.now, _, do = heapq.heappop(self._due)
            do()
        self.now = until

    def _at(self, when: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (when, self._count, do))

    def _tick(self, tick_s: float) -> None:
        self._decide()
        self._at(self.now + tick_s, lambda: self._tick(tick_s))

    def _decide(self) -> None:
        actions = self._policy(self)
        self._sample()
        if actions:
            after_s = self._distributions.decision.drawn(self._chance)
            self._at(self.now + after_s, lambda: self._act(actions))

    def _sample(self) -> None:
        states = [node.state for node in self._live.values()]
        sample = Sample(
            self.now,
            states.count("starting") + states.count("queued"),
            states.count("open"),
            states.count("paused"),
            self._running,
            len(self._line),
        )
        self.samples.append(sample)

    # The view of lab hours.

    def group(self) -> Group:
        """The group as lab hours read it."""
        return Group(
            desired=self.desired,
            least=self.cluster.least,
            most=self.cluster.most,
            in_service=frozenset(
                node.instance_id
                for node in self._live.values()
                if node.is_member and node.joined_at is not None
            ),
            pending=frozenset(
                node.instance_id
                for node in self._live.values()
                if node.is_member and node.joined_at is None
            ),
            mix=self.mix,
        )

    def snapshot(self) -> Snapshot:
        """The Swarm as the hub's machine reports it."""
        seats = self.cluster.kind.seats
        nodes = tuple(
            node.seen(seats) for node in self._live.values() if node.joined_at is not None
        )
        name = self.cluster.description.name
        return Snapshot(name, self.now, nodes, self._running, len(self._line))

    @property
    def running(self) -> int:
        """The servers that run or start on a node."""
        return self._running

    @property
    def waiting(self) -> int:
        """The students in line."""
        return len(self._line)

    def live(self) -> Iterable[Node]:
        """The nodes that have not ended."""
        return self._live.values()

    # Actions.

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case {"do": "grow", "desired": int(desired)}:
                    self._grow(desired)
                case {"do": "buy", "on_demand_base": int(base)}:
                    # It counts from the next try on.
                    self.mix = replace(self.mix, base=base)
                    if isinstance(action.get("desired"), int):
                        self._grow(action["desired"])
                case {"do": what, "instance_id": str(instance_id)} if instance_id in self._live:
                    self._change(str(what), self._live[instance_id])

    def _grow(self, desired: int) -> None:
        if desired > self.desired:
            self.desired = min(desired, self.cluster.most)
            self.grown.append((self.now, self.desired))
            self._launch()

    def _change(self, what: str, node: Node) -> None:
        if not node.is_member or node.joined_at is None:
            return
        if what == "activate" and node.state == "paused":
            self._open(node)
        elif what == "pause":
            self._pause(node)
        elif what == "terminate" and not node.servers:
            self._shrink(node)
        elif what == "kill":
            self._pause(node)
            for server in tuple(node.servers):
                server.killed = True
                self._move(server)
            self._shrink(node)

    def _shrink(self, node: Node) -> None:
        if self.desired > self.cluster.least:
            self.desired -= 1
            self._pause(node)
            self._end(node, self._distributions.node_end.drawn(self._chance))

    # Nodes.

    def _launch(self) -> None:
        """Launch as many as the group lacks, as far as EC2 and its limits allow."""
        members = [node for node in self._live.values() if node.is_member]
        for _ in range(self.desired - len(members)):
            spot = self._is_spot(members)
            refused = self._refused(spot)
            if refused:
                self.unlaunched.add(refused)
                if refused != "subnet":
                    market = Market.SPOT if spot else Market.ON_DEMAND
                    self.refusals.append(Refusal(self.now, market))
                self._retry()
                continue
            number = len(self.nodes)
            node = Node(f"i-{number:017x}", self.now, spot)
            self.nodes[node.instance_id] = self._live[node.instance_id] = node
            members.append(node)
        self._start_queued()

    def _is_spot(self, members: Sequence[Node]) -> bool:
        on_demand = sum(not node.spot for node in members)
        return on_demand >= self.mix.on_demand(self.desired)

    def _refused(self, spot: bool) -> str:
        """Why EC2 does not launch one more; empty when it does."""
        limits, nodes = self.cluster.limits, len(self._live) + 1
        if limits.subnet_addresses is not None and nodes > limits.subnet_addresses:
            return "subnet"
        same = 1 + sum(node.spot == spot for node in self._live.values())
        vcpus = limits.spot_vcpus if spot else limits.on_demand_vcpus
        if vcpus is not None and same * self.cluster.kind.vcpus > vcpus:
            return "vcpus"
        for shortage in self._distributions.shortages:
            there = shortage.begins <= self.now < shortage.ends
            if spot and there and self._chance.random() * 3 >= shortage.zones_left:
                return "capacity"
        return ""

    def _retry(self) -> None:
        if self._retry_at is None:
            self._retry_at = self.now + RETRY_S
            self._at(self._retry_at, self._tried_again)

    def _tried_again(self) -> None:
        self._retry_at = None
        self._launch()

    def _start_queued(self) -> None:
        """Start the launched nodes, as many at a time as the account's functions can work on."""
        most = self.cluster.starts_at_once
        starting = sum(node.state == "starting" for node in self._live.values())
        for node in self._live.values():
            if node.state != "queued":
                continue
            if most is not None and starting >= most:
                self.unlaunched.add("concurrency")
                return
            node.state = "starting"
            starting += 1
            after_s = self._distributions.node_start.drawn(self._chance)
            self._at(self.now + after_s, lambda node=node: self._join(node))  # type: ignore[misc]

    def _join(self, node: Node) -> None:
        if node.state != "starting":
            return
        node.joined_at = self.now
        self.starts_s.append(self.now - node.launched_at)
        self._open(node)
        self._start_queued()
        if node.spot and self._distributions.spot_losses_per_hour:
            hours = self._chance.expovariate(self._distributions.spot_losses_per_hour)
            self._at(self.now + hours * 3600, lambda: self._warn(node))

    def _open(self, node: Node) -> None:
        node.state = "open"
        self._free.put(node.instance_id, self.cluster.kind.seats - len(node.servers))
        self._fill()

    def _pause(self, node: Node) -> None:
        node.state = "paused"
        self._free.remove(node.instance_id)

    def _end(self, node: Node, after_s: float) -> None:
        node.state = "ending"
        ends = self.now + after_s
        node.ended_at = ends
        self._at(ends, lambda: self._ended(node))

    def _ended(self, node: Node) -> None:
        del self._live[node.instance_id]
        if len([n for n in self._live.values() if n.is_member]) < self.desired:
            self._launch()

    def _warn(self, node: Node) -> None:
        """EC2 takes a spot instance back: its students are moved, and its group replaces it."""
        if not node.is_member:
            return
        self._pause(node)
        node.warned = True
        self._launch()
        for server in tuple(node.servers):
            self._move(server)
        self._end(node, WARNING_S)

    # Students.

    def _arrive(self, student: Student) -> None:
        server = Server(student)
        self.servers.append(server)
        self._line.append(server)
        self._at(student.leaves, lambda: self._give_up(server))
        self._at(student.stops, lambda: self._stop(server))
        self._fill()
        if server.node is None:
            self._seats_short()

    def _move(self, server: Server) -> None:
        """Stop a server; its student gets in line for another seat, last as in the hub."""
        self._unseat(server)
        server.cut_at = self.now
        self._line.append(server)
        self._fill()
        if server.node is None:
            self._seats_short()

    def _give_up(self, server: Server) -> None:
        """A student who is still in line leaves. Until then the page shows the line, and the hub
        ends no wait that a page shows (labswarm.seats.START_WITHIN_S)."""
        if server.node is None and server.ready_at is None and server in self._line:
            self._line.remove(server)
            server.gave_up = True

    def _stop(self, server: Server) -> None:
        if server.node is not None:
            self._unseat(server)
            self._fill()
        elif not server.gave_up and server in self._line:
            self._line.remove(server)
            server.gave_up = True

    def _unseat(self, server: Server) -> None:
        node = server.node
        if node is None:
            return
        node.servers.discard(server)
        self._free.change(node.instance_id, 1)
        server.node = None
        self._running -= 1

    def _fill(self) -> None:
        """Give free seats to the students in line, first come, first served."""
        while self._line and self._has_room():
            chosen = self._free.chosen()
            if chosen is None:
                return
            server = self._line.popleft()
            if (
                server.ready_at is None
                and server.student.arrives < self.now >= server.student.leaves
            ):
                server.gave_up = True
            else:
                self._seat(server, self._live[chosen])

    def _has_room(self) -> bool:
        """Whether the hub and its overlay network take one more server."""
        limits = self.cluster.limits
        if limits.hub_servers is not None and self._running >= limits.hub_servers:
            return False
        # The hub's container and its node have an address each, as every node and server has.
        taken = self._running + len(self._live) + 2
        return limits.overlay_addresses is None or taken < limits.overlay_addresses

    def _seat(self, server: Server, node: Node) -> None:
        node.servers.add(server)
        self._free.change(node.instance_id, -1)
        server.node = node
        self._running += 1
        # The hub begins its starts one after the other.
        self._hub_free_at = max(self.now, self._hub_free_at) + (
            1 / self.cluster.limits.hub_starts_per_s
        )
        ready_at = self._hub_free_at + self._distributions.spawn.drawn(self._chance)
        if server.ready_at is None:
            server.ready_at = ready_at
        elif server.cut_at is not None:
            server.moved_s.append(ready_at - server.cut_at)

    def _seats_short(self) -> None:
        """The hub reports that seats are short, at most every two seconds."""
        if self._short_at > self.now:
            return
        self._short_at = max(self.now, self._short_at + SHORT_EVERY_S)
        self._at(self._short_at, self._decide)
