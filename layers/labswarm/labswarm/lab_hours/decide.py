"""Lab hours: reads everything that a cluster's decision needs, and stores the state for the next
minute.
"""

from dataclasses import dataclass, replace
from typing import Any

from labswarm.clock import Clock
from labswarm.cluster import Cluster, ReadClusters
from labswarm.groups import Group, ReadGroups
from labswarm.lab_hours.alarms import Alarms
from labswarm.lab_hours.booked_labs import with_booked
from labswarm.lab_hours.bookings import ReadBookings
from labswarm.lab_hours.demand import Decision, Situation, decide, start_ahead_s
from labswarm.lab_hours.exams import exam_is_on
from labswarm.lab_hours.hold import held_back
from labswarm.lab_hours.launches import Launches
from labswarm.lab_hours.purchases import RECENT_S, Bought, Purchases, next_try_at
from labswarm.lab_hours.refusing import refusing, sentences
from labswarm.lab_hours.state import LabHoursState, LabHoursStates, noted
from labswarm.lab_hours.timetables import Wanted
from labswarm.lifecycle.breaker import ReadBreakers
from labswarm.lifecycle.ledger import ReadLedger
from labswarm.snapshot import ReadSnapshots, Snapshot

MEASURE_EVERY_S = 3600
_ON_DEMAND = (
    "EC2 refuses the spot instances that a booked lab needs. They are bought on demand until the "
    "lab's nodes end. Students can work; each of these nodes costs the on-demand price. Open "
    "docs/how-to/alarms.md#nodes-bought-on-demand",
)


@dataclass(frozen=True)
class Decided:
    """A decision with the snapshot and the state that it was made from.

    `group` is the cluster's group within its bounds, and `ahead_s` how many seconds before a booked
    lab its nodes are asked for. `feed` is the cluster's timetable, which is fetched after all
    decisions. `waiting_long` are the students in line if the first of them has waited for longer
    than a node takes to start.
    """

    decision: Decision
    snapshot: Snapshot | None
    state: LabHoursState
    group: Group
    ahead_s: float
    feed: Wanted | None
    waiting_long: int = 0

    @property
    def seats_there(self) -> int:
        """The seats of the nodes that take servers, used or free."""
        nodes = self.snapshot.nodes if self.snapshot else ()
        return sum(
            node.seats for node in nodes if (node.state, node.availability) == ("ready", "active")
        )


class LabHours:
    """Decides about clusters."""

    def __init__(
        self,
        clusters: ReadClusters,
        groups: ReadGroups,
        purchases: Purchases,
        snapshots: ReadSnapshots,
        states: LabHoursStates,
        bookings: ReadBookings,
        launches: Launches,
        claims: ReadLedger,
        breakers: ReadBreakers,
        alarms: Alarms,
        clock: Clock,
    ) -> None:
        self._clusters = clusters
        self._groups = groups
        self._purchases = purchases
        self._snapshots = snapshots
        self._states = states
        self._bookings = bookings
        self._launches = launches
        self._claims = claims
        self._breakers = breakers
        self._alarms = alarms
        self._clock = clock

    def decision(self, name: str) -> Decided:
        """Decide about a cluster, by its bookings and the timetable as its state has it. An alarm
        is raised when what is wrong with that is new.

        Raises the errors of reading and of raising an alarm.
        """
        now = self._clock.now()
        cluster = self._clusters.read_cluster(name)
        group = _limited(self._groups.view(cluster.asg), cluster)
        snapshot = self._snapshots.read_snapshot(name)
        known = self._states.read_state(name)
        state = self._with_starts(known, name, now)
        if cluster.timetable is None:
            state = replace(state, digest="", bookings=(), problems=())
        read = self._bookings.read_bookings(name)
        state = with_booked(state, read, now, most_seats(cluster, group, state))
        ahead_s = start_ahead_s(
            state.starts_s, cluster.node_start_s, had_nodes=bool(state.node_seats)
        )
        exam = exam_is_on(state.exams, now, ahead_s)
        bought = self._bought(cluster.asg, group, state, now, exam=exam)
        decided = decide(
            Situation(
                cluster=name,
                now=now,
                snapshot=snapshot,
                group=group,
                bookings=state.labs,
                exams=state.exams,
                headroom=cluster.headroom,
                ahead_s=ahead_s,
                node_seats=state.node_seats,
                leaving=self._leaving(snapshot, group),
                bought=bought,
            )
        )
        # Only a decision that grows the group needs it, so an idle cluster pays for no read.
        if decided.desired is not None:
            decided = held_back(decided, self._breakers.read_breaker(name), group, now)
        state = replace(
            state,
            node_seats=decided.node_seats or state.node_seats,
            refused=bought.refused or "",
            refused_since=bought.refused_since,
            next_try_at=bought.next_try_at,
            own_base=_own_base(decided, group, bought),
            decisions=noted(state.decisions, decided.reasons, now),
        )
        state = self._alarmed(state, name)
        state = self._alarmed_of_refusing(state, name, snapshot)
        if known.own_base is None and state.own_base is not None and bought.refused:
            self._alarms.send(f"labswarm: {name} buys on demand", _ON_DEMAND)
        if state != known:
            self._states.write_state(name, state)
        return Decided(
            decided,
            snapshot,
            state,
            group,
            ahead_s,
            _wanted(cluster, group, state),
            _waiting_long(snapshot, ahead_s, now),
        )

    def _bought(
        self, asg: str, group: Group, state: LabHoursState, now: float, *, exam: bool
    ) -> Bought:
        """How the group's instances are bought. A group that has all of its instances, whose base
        is its own and that has no exam pays for no read."""
        if not group.missing and state.own_base is None and not exam:
            return Bought()
        refusals = self._purchases.refusals(asg, now - RECENT_S)
        refused = refusals[-1].market if refusals else None
        if refused is None and state.own_base is None and not exam:
            return Bought()
        members = group.in_service | group.pending
        on_demand = self._purchases.on_demand(asg) & members
        since = (state.refused_since or now) if refused else 0
        return Bought(refused, since, on_demand, state.own_base, next_try_at(refusals))

    def _leaving(self, snapshot: Snapshot | None, group: Group) -> frozenset[str]:
        """The paused instances that stay paused: EC2 recommended to leave them, or an execution
        works on their end."""
        paused = {
            node.instance_id
            for node in (snapshot.nodes if snapshot else ())
            if node.availability == "pause" and node.instance_id in group.in_service
        }
        return frozenset(
            claim.instance_id
            for claim in (self._claims.about(filter(None, paused)) if paused else ())
            if claim.transition == "rebalance"
            or (claim.transition == "terminate" and not claim.closed)
        )

    def _alarmed(self, state: LabHoursState, name: str) -> LabHoursState:
        # Stored only after the message was sent: a failed message is sent by the next minute.
        problems = state.all_problems
        if problems and problems != state.alarmed:
            self._alarms.send(f"labswarm: the timetable of {name}", problems)
        return replace(state, alarmed=problems)

    def _alarmed_of_refusing(
        self, state: LabHoursState, name: str, snapshot: Snapshot | None
    ) -> LabHoursState:
        found = refusing(snapshot.nodes) if snapshot else frozenset()
        new = [node for node in found if node.node_id not in state.refusing]
        if new:
            self._alarms.send(f"labswarm: nodes of {name} start no servers", sentences(new))
        return replace(state, refusing=tuple(sorted(node.node_id for node in found)))

    def _with_starts(self, state: LabHoursState, name: str, now: float) -> LabHoursState:
        if now - state.measured_at < MEASURE_EVERY_S:
            return state
        return replace(state, measured_at=now, starts_s=tuple(self._launches.durations_s(name)))


def _own_base(decision: Decision, group: Group, bought: Bought) -> int | None:
    """The base that the group has to have again, until it has it for good: a raise may be under way
    as long as its reason is recent."""
    if group.mix is None:
        return None
    if bought.own_base is None:
        return group.mix.base if decision.on_demand_base is not None else None
    over = group.mix.base == bought.own_base and bought.refused is None
    return None if over and decision.on_demand_base is None else bought.own_base


def _waiting_long(snapshot: Snapshot | None, ahead_s: float, now: float) -> int:
    if snapshot is None or snapshot.waiting_since is None:
        return 0
    return snapshot.waiting if now - snapshot.waiting_since > ahead_s else 0


def most_seats(cluster: Cluster, group: Group, state: LabHoursState) -> int | None:
    """Return how many seats the cluster has at its largest; None while a node's are not known."""
    return _limited(group, cluster).most * state.node_seats if state.node_seats else None


def _wanted(cluster: Cluster, group: Group, state: LabHoursState) -> Wanted | None:
    """The cluster's feed; None when it has none."""
    if cluster.timetable is None:
        return None
    return Wanted(cluster.name, cluster.timetable, most_seats(cluster, group, state), state)


def actions_of(decision: Decision) -> list[dict[str, Any]]:
    """The actions of a decision, one per node and per change of the group, as the machine hands
    them out."""
    actions: list[dict[str, Any]] = [
        {"do": what, "instance_id": instance_id}
        for what in ("activate", "pause", "terminate")
        for instance_id in getattr(decision, what)
    ]
    grow = {} if decision.desired is None else {"desired": decision.desired}
    if decision.on_demand_base is not None:
        # Actions are done in any order: spot instances could be launched before the base is set.
        actions.append({"do": "buy", "on_demand_base": decision.on_demand_base, **grow})
    elif grow:
        actions.append({"do": "grow", **grow})
    return actions


def execution_name(decision: Decision, snapshot: Snapshot) -> str:
    """One snapshot is acted on once: the name of the execution that does."""
    return f"{decision.cluster}-{snapshot.taken_at * 1000:.0f}"


def _limited(group: Group, cluster: Cluster) -> Group:
    """The group within the cluster's own bounds; AWS's own limits still hold."""
    most = group.most if cluster.max_nodes is None else min(group.most, cluster.max_nodes)
    return replace(group, least=min(max(group.least, cluster.min_nodes), most), most=most)
