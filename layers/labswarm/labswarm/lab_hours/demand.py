"""Decide how many nodes a cluster needs now, and how to get there. Pure: the same situation, the
same decision.

Up at once; down only by pausing surplus nodes, which then empty, and by ending those that have.
Nodes of an older launch template are replaced in the same way.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking, booked_seats
from labswarm.lab_hours.exams import exam_is_on
from labswarm.lab_hours.purchases import Bought, Market, lowest_base
from labswarm.lab_hours.workers import Workers
from labswarm.snapshot import NodeSeen, Snapshot

MEASURED_ENOUGH = 5
"""The measured starts of nodes that it takes until they replace the default."""
TICK_S = 60
"""The longest time until the next decision (seconds)."""


@dataclass(frozen=True)
class Situation:
    """All that a decision is made from. `now` is epoch seconds, `ahead_s` how many seconds before
    a booked lab its nodes are asked for; `node_seats` is a node's seats as last known. `leaving`
    are the instances that were paused for good: they are not opened again. `bought`: how the
    group's instances are bought, and EC2's refusals. `exams` are those of the bookings that are
    exams."""

    cluster: str
    now: float
    snapshot: Snapshot | None
    group: Group
    bookings: tuple[Booking, ...]
    headroom: int
    ahead_s: float
    node_seats: int | None = None
    leaving: frozenset[str] = frozenset()
    bought: Bought = field(default_factory=Bought)
    exams: tuple[Booking, ...] = ()

    @property
    def exam(self) -> bool:
        """Whether the rules of an exam hold."""
        return exam_is_on(self.exams, self.now, self.ahead_s)


@dataclass(frozen=True)
class Decision:
    """The actions, by instance id, and their reasons. `desired` is the capacity to raise the group
    to, `on_demand_base` the number of its instances that are on demand before any is spot.

    `seats` and `nodes` are the wanted numbers; None when nothing could be decided. `held`: more
    nodes are wanted than are asked for now, because launches fail (labswarm.lifecycle.breaker).
    """

    cluster: str
    reasons: tuple[str, ...]
    seats: int | None = None
    nodes: int | None = None
    node_seats: int | None = None
    desired: int | None = None
    activate: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    held: bool = False
    on_demand_base: int | None = None

    @property
    def decided(self) -> bool:
        """Whether the wanted numbers are known."""
        return self.nodes is not None

    @property
    def acts(self) -> bool:
        """Whether there is something to do."""
        return (
            self.desired is not None
            or self.on_demand_base is not None
            or bool(self.activate or self.pause or self.terminate)
        )


def node_start_s(durations_s: Sequence[float], default_s: float) -> float:
    """How many seconds a node takes to start: the 95th percentile (nearest rank) of the measured
    starts, or the default while they are few."""
    if len(durations_s) < MEASURED_ENOUGH:
        return default_s
    rank = math.ceil(0.95 * len(durations_s))
    return sorted(durations_s)[rank - 1]


def start_ahead_s(
    durations_s: Sequence[float], default_s: float, *, had_nodes: bool = True
) -> float:
    """How many seconds before a lab its nodes are requested: a node's start, and a minute until the
    next decision. Where no node was ever seen, the first one says how many seats a node has, and
    only then the others are requested: two starts."""
    starts = 1 if had_nodes else 2
    return starts * (node_start_s(durations_s, default_s) + TICK_S)


def decide(situation: Situation) -> Decision:
    """The decision for one cluster. One without a fresh snapshot does nothing."""
    snapshot = situation.snapshot
    if snapshot is None:
        return Decision(situation.cluster, ("there is no snapshot of the Swarm",))
    if not snapshot.fresh(situation.now):
        age_s = situation.now - snapshot.taken_at
        return Decision(situation.cluster, (f"the snapshot is {age_s:.0f} s old",))
    if situation.group.held:
        nodes = situation.group.desired
        return Decision(situation.cluster, ("its size is held by hand",), nodes=nodes)
    return _decided(situation, snapshot)


@dataclass(frozen=True)
class _Wanted:
    """The seats that the cluster wants and those that it keeps, the nodes for each, a node's seats
    (None: not known yet) and the group, whose limits the nodes keep to."""

    seats: int
    nodes: int
    kept_seats: int
    kept_nodes: int
    node_seats: int | None
    group: Group

    @property
    def room(self) -> int:
        """How many instances the group may still add."""
        return max(0, self.group.most - self.group.desired)

    def open_nodes(self, seats: int) -> int:
        """How many open nodes it takes for so many seats, within the limits."""
        return _clamped(math.ceil(seats / self.node_seats), self.group) if self.node_seats else 0


@dataclass(frozen=True)
class _Change:
    """The nodes to open, to pause and to end, and how many to launch."""

    activate: tuple[NodeSeen, ...] = ()
    pause: tuple[NodeSeen, ...] = ()
    terminate: tuple[NodeSeen, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.activate or self.pause or self.terminate or self.more)


def _decided(situation: Situation, snapshot: Snapshot) -> Decision:
    workers = Workers.of(snapshot, situation.group, situation.leaving)
    want, reasons = _wanted(situation, snapshot)
    if situation.exam:
        return _decided_for_exam(situation, workers, want, reasons)
    change = _open_more(want, workers) or _pause_surplus(want, workers)
    change = _end_empty(want, workers, _close(workers, change)) or _replace_old(want, workers)
    base, why_base = _on_demand_base(situation, workers, want.node_seats)
    return _decision(situation, workers, want, change, reasons, base, why_base)


def _decided_for_exam(
    situation: Situation, workers: Workers, want: _Wanted, reasons: tuple[str, ...]
) -> Decision:
    """The decision while an exam is on: nodes on demand only, and of these none is paused for
    saving, replaced or ended."""
    mixed = situation.group.mix is not None
    on_demand = situation.bought.instances if mixed else situation.group.in_service
    workers = workers.for_exam(on_demand)
    change = _close(workers, _open_more(want, workers))
    # Spot nodes do not open again before the exam is over, and may keep its nodes from the group.
    empty = [n for n in workers.paused if n.instance_id not in on_demand and not n.seats_used]
    may_go = max(0, want.group.desired - want.group.least)
    change = replace(change, terminate=tuple(sorted(empty, key=_emptiest)[:may_go]))
    base = _base_for_exam(situation, change.more)
    why = ["an exam: no node is paused to save money, replaced or ended"]
    if base is not None:
        why.append(f"{base} nodes on demand for the exam")
    return _decision(situation, workers, want, change, reasons, base, tuple(why))


def _base_for_exam(situation: Situation, more: int) -> int | None:
    """The on-demand base at which each node that starts, and `more` of them, is on demand; None
    when the group has it, or a higher one."""
    group, bought = situation.group, situation.bought
    if group.mix is None:
        return None
    own = group.mix.base if bought.own_base is None else bought.own_base
    pending = len(group.pending - bought.instances) + group.missing
    base = lowest_base(group.mix, own, bought.on_demand + pending + more, group.desired + more)
    return base if base > group.mix.base else None


def _decision(
    situation: Situation,
    workers: Workers,
    want: _Wanted,
    change: _Change,
    reasons: tuple[str, ...],
    base: int | None,
    why_base: tuple[str, ...],
) -> Decision:
    desired = want.group.desired + change.more
    return Decision(
        cluster=situation.cluster,
        reasons=(*reasons, *_reasons(workers, change, desired), *why_base),
        seats=want.seats,
        nodes=want.nodes,
        node_seats=want.node_seats,
        desired=desired if change.more else None,
        activate=_ids(change.activate),
        pause=_ids(change.pause),
        terminate=_ids(change.terminate),
        on_demand_base=base,
    )


def _on_demand_base(
    situation: Situation, workers: Workers, node_seats: int | None
) -> tuple[int | None, tuple[str, ...]]:
    """The on-demand base to set, and why: raised while EC2 refuses spot instances that a booked lab
    needs, and lowered as the instances on demand end. None when it stays as it is."""
    group, bought = situation.group, situation.bought
    if group.mix is None:
        return None, ()
    needed = _needed_by_labs(situation, workers, node_seats)
    if not needed and bought.own_base is None:
        return None, ()
    own = group.mix.base if bought.own_base is None else bought.own_base
    base = lowest_base(group.mix, own, bought.on_demand + needed, group.desired)
    # While nodes start, EC2's list may not show all of them yet; a refused one will not come.
    waits = workers.starting and bought.refused is not Market.ON_DEMAND
    if base == group.mix.base or (base < group.mix.base and waits):
        return None, ()
    if needed:
        return base, (f"EC2 refuses spot: {needed} nodes on demand for booked labs",)
    return base, (f"{base} nodes on demand before any is spot",)


def _needed_by_labs(situation: Situation, workers: Workers, node_seats: int | None) -> int:
    """How many of the instances that EC2 refuses to sell as spot are for booked labs."""
    group = situation.group
    bought = situation.bought
    if bought.refused is not Market.SPOT or not group.missing:
        return 0
    if group.pending and situation.now - bought.refused_since < TICK_S:
        # EC2 has some: the group's next try may find the rest in another zone.
        return 0
    seats = booked_seats(situation.bookings, situation.now, situation.ahead_s)
    nodes = math.ceil(seats / node_seats) if node_seats else min(1, seats)
    there = len(workers.open) + workers.starting - group.missing
    return min(group.missing, max(0, nodes - there))


def _wanted(situation: Situation, snapshot: Snapshot) -> tuple[_Wanted, tuple[str, str]]:
    seats, why_seats = _seats_wanted(situation, snapshot)
    known = [n.seats for n in snapshot.nodes if n.seats and n.state == "ready"]
    node_seats = min(known) if known else situation.node_seats
    nodes, why_nodes = _nodes_wanted(seats, node_seats, situation.group)
    # A node is not ended that a lab needs before another one could be there, nor when the
    # start-ahead has just become shorter.
    kept, _ = _seats_wanted(replace(situation, ahead_s=2 * situation.ahead_s), snapshot)
    kept_nodes, _ = _nodes_wanted(kept, node_seats, situation.group)
    want = _Wanted(seats, nodes, kept, kept_nodes, node_seats, situation.group)
    return want, (why_seats, why_nodes)


def _missing(want: _Wanted, workers: Workers) -> int:
    """How many open nodes there are too few, with those that start."""
    # Students on an old node that is paused stay there: arriving students need an open seat, they
    # do not.
    held = workers.students_on_old(workers.paused)
    nodes = want.open_nodes(want.seats - held) if held and want.node_seats else want.nodes
    return max(0, nodes - len(workers.open) - workers.starting)


def _open_more(want: _Wanted, workers: Workers) -> _Change:
    """Open paused nodes again, new ones and full ones first; launch what is missing then."""
    missing = _missing(want, workers)
    ordered = sorted(workers.may_open, key=lambda n: (n in workers.old, *_fullest(n)))
    activate = ordered[:missing]
    return _Change(activate=tuple(activate), more=min(missing - len(activate), want.room))


def _pause_surplus(want: _Wanted, workers: Workers) -> _Change:
    """Pause the nodes that nobody needs, old ones and empty ones first."""
    if not want.node_seats or workers.starting or _missing(want, workers):
        return _Change()
    held = workers.students_on_old(workers.paused)
    pause: list[NodeSeen] = []
    for node in sorted(workers.open, key=lambda n: (n not in workers.old, *_emptiest(n))):
        held_then = held + workers.students_on_old([node])
        if len(workers.open) - len(pause) > want.open_nodes(_with_spare(want) - held_then):
            pause.append(node)
            held = held_then
    return _Change(pause=tuple(pause))


def _close(workers: Workers, change: _Change) -> _Change:
    """Pause the nodes on which servers do not start, next to any other change."""
    return replace(change, pause=(*change.pause, *workers.closing))


def _end_empty(want: _Wanted, workers: Workers, change: _Change) -> _Change:
    """End paused nodes without students, as many as the cluster does not need."""
    empty = [n for n in workers.paused if n not in change.activate and not n.seats_used]
    may_go = max(0, want.group.desired - max(want.group.least, want.kept_nodes))
    return replace(change, terminate=tuple(sorted(empty, key=_emptiest)[:may_go]))


def _replace_old(want: _Wanted, workers: Workers) -> _Change:
    """Launch new nodes until all old ones can be paused: at least one while an old one is open,
    because none of them could be paused as it is."""
    old_open = sum(n in workers.old for n in workers.open)
    if not (want.node_seats and workers.new_follow and old_open) or workers.starting:
        return _Change()
    held = workers.students_on_old((*workers.paused, *workers.open))
    needed = want.open_nodes(_with_spare(want) - held)
    new_open = len(workers.open) - old_open
    return _Change(more=min(max(1, needed - new_open), want.room))


def _with_spare(want: _Wanted) -> int:
    """The kept seats and a quarter of a node's, so that a cluster that has just become smaller does
    not grow again at once. Where no seat is kept none is spared: the last node would never end."""
    return want.kept_seats and want.kept_seats + math.ceil((want.node_seats or 0) / 4)


def _reasons(workers: Workers, change: _Change, desired: int) -> Iterator[str]:
    old = sorted(workers.old, key=_emptiest)
    for what, nodes in (
        ("of an older launch template", old),
        ("servers do not start on", workers.closing),
        ("opened again", change.activate),
        ("paused", change.pause),
        ("ended", change.terminate),
    ):
        if nodes:
            yield f"{what}: {', '.join(_ids(nodes))}"
    if change.more:
        yield f"{change.more} to be launched: desired capacity {desired}"


def _seats_wanted(situation: Situation, snapshot: Snapshot) -> tuple[int, str]:
    """Students who are there count as arrived for the booked labs."""
    there = snapshot.running + snapshot.waiting
    booked = booked_seats(situation.bookings, situation.now, situation.ahead_s)
    to_come = max(0, booked - there)
    seats = there + max(situation.headroom, to_come)
    room = (
        f"{to_come} booked and not yet arrived"
        if to_come > situation.headroom
        else f"{situation.headroom} of headroom"
    )
    return seats, (
        f"{seats} seats wanted: {snapshot.running} running, {snapshot.waiting} waiting, {room}"
    )


def _nodes_wanted(seats: int, node_seats: int | None, group: Group) -> tuple[int, str]:
    if not node_seats:
        # The first node says how many seats one has.
        nodes = _clamped(min(1, seats), group)
        return nodes, f"{nodes} nodes wanted, a node's seats are not known yet"
    raw = math.ceil(seats / node_seats)
    nodes = _clamped(raw, group)
    limited = "" if raw == nodes else f" ({raw} without the limits {group.least} and {group.most})"
    return nodes, f"{nodes} nodes of {node_seats} seats wanted{limited}"


def _clamped(nodes: int, group: Group) -> int:
    return max(group.least, min(nodes, group.most))


def _emptiest(node: NodeSeen) -> tuple[int, str]:
    return node.seats_used, node.node_id


def _fullest(node: NodeSeen) -> tuple[int, str]:
    return -node.seats_used, node.node_id


def _ids(nodes: Sequence[NodeSeen]) -> tuple[str, ...]:
    return tuple(str(node.instance_id) for node in nodes)
