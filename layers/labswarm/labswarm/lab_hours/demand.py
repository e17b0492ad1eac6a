"""Decide how many nodes a cluster needs now, and how to get there. Pure: the same situation, the
same decision.

Up at once; down only by pausing surplus nodes, which then empty, and by ending those that have.
Nodes of an older launch template are replaced in the same way.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking, booked_seats
from labswarm.lab_hours.refusing import refusing, to_close
from labswarm.snapshot import NodeSeen, Snapshot

MEASURED_ENOUGH = 5
"""How many starts of nodes were measured before they are gone by."""
TICK_S = 60
"""How long it may be until the next decision (seconds)."""


@dataclass(frozen=True)
class Situation:
    """All that a decision is made from. `now` is epoch seconds, `ahead_s` how many seconds before
    a booked lab its nodes are asked for; `node_seats` is a node's seats as last known. `leaving`
    are the instances that were paused for good: they are not opened again."""

    cluster: str
    now: float
    snapshot: Snapshot | None
    group: Group
    bookings: tuple[Booking, ...]
    headroom: int
    ahead_s: float
    node_seats: int | None = None
    leaving: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """The actions, by instance id, and their reasons. `desired` is the capacity to raise the group
    to.

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

    @property
    def decided(self) -> bool:
        """Whether the wanted numbers are known."""
        return self.nodes is not None

    @property
    def acts(self) -> bool:
        """Whether there is something to do."""
        return self.desired is not None or bool(self.activate or self.pause or self.terminate)


def start_ahead_s(durations_s: Sequence[float], default_s: float) -> float:
    """How many seconds ahead nodes are asked for: the 95th percentile (nearest rank) of the starts
    measured, or the default while they are few, and the minute until the next decision."""
    if len(durations_s) < MEASURED_ENOUGH:
        return default_s + TICK_S
    rank = math.ceil(0.95 * len(durations_s))
    return sorted(durations_s)[rank - 1] + TICK_S


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


def _decided(situation: Situation, snapshot: Snapshot) -> Decision:
    group = situation.group
    seats, because = _seats_wanted(situation, snapshot)
    known = [n.seats for n in snapshot.nodes if n.seats and n.state == "ready"]
    node_seats = min(known) if known else situation.node_seats
    nodes, because_nodes = _nodes_wanted(seats, node_seats, group)
    reasons = [because, because_nodes]

    ready = [n for n in snapshot.nodes if n.instance_id in group.in_service and n.state == "ready"]
    close = to_close(ready)
    is_open = [n for n in ready if n.availability == "active" and n not in close]
    paused = [n for n in ready if n.availability == "pause"]
    # A node missing from the snapshot has only just come; one that never comes is reconcile's task.
    unseen = group.in_service - {n.instance_id for n in snapshot.nodes}
    starting = max(0, group.desired - len(group.in_service)) + len(unseen)

    old = _old(ready, group.versions)
    # Students on an old node that is paused stay there: arriving students need an open seat, they
    # do not.
    held = sum(n.seats_used for n in paused if n in old)
    open_nodes = _open_nodes(seats - held, node_seats, group) if held and node_seats else nodes
    missing = max(0, open_nodes - len(is_open) - starting)
    leaving = situation.leaving | {n.instance_id for n in refusing(ready)}
    staying = [n for n in paused if n.instance_id not in leaving]
    activate = sorted(staying, key=lambda n: (n in old, *_fullest(n)))[:missing]
    room = max(0, group.most - group.desired)
    more = min(missing - len(activate), room)
    pause: list[NodeSeen] = []
    if not missing and not starting and node_seats:
        # Shrinks only when there is some room to spare, so that it does not grow again at once.
        spare = seats + math.ceil(node_seats / 4)
        for n in sorted(is_open, key=lambda n: (n not in old, *_emptiest(n))):
            staying_there = held + n.seats_used * (n in old)
            keep = _open_nodes(spare - staying_there, node_seats, group)
            if len(is_open) - len(pause) > keep:
                pause.append(n)
                held = staying_there
    pause += close
    empty = [n for n in paused if n not in activate and not n.seats_used]
    may_go = max(0, group.desired - max(group.least, nodes))
    terminate = sorted(empty, key=_emptiest)[:may_go]

    if node_seats and not (missing or starting or pause or terminate) and _follow(ready, old):
        stay = held + sum(n.seats_used for n in is_open if n in old)
        needed = _open_nodes(spare - stay, node_seats, group)
        more = min(_in_place_of_old(is_open, old, needed), room)
    if old:
        reasons.append(
            f"of an older launch template: {', '.join(_ids(sorted(old, key=_emptiest)))}"
        )

    if close:
        reasons.append(f"servers do not start on: {', '.join(_ids(close))}")
    for what, chosen in (("opened again", activate), ("paused", pause), ("ended", terminate)):
        if chosen:
            reasons.append(f"{what}: {', '.join(_ids(chosen))}")
    if more:
        reasons.append(f"{more} to be launched: desired capacity {group.desired + more}")
    return Decision(
        cluster=situation.cluster,
        reasons=tuple(reasons),
        seats=seats,
        nodes=nodes,
        node_seats=node_seats,
        desired=group.desired + more if more else None,
        activate=_ids(activate),
        pause=_ids(pause),
        terminate=_ids(terminate),
    )


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


def _old(ready: Sequence[NodeSeen], versions: Mapping[str, int]) -> frozenset[NodeSeen]:
    """The nodes of an older launch template than the newest that a node has come of: it is shown
    to be good by that."""
    version = {node: versions.get(str(node.instance_id), 0) for node in ready}
    newest = max(version.values(), default=0)
    return frozenset(node for node in ready if version[node] < newest)


def _follow(ready: Sequence[NodeSeen], old: frozenset[NodeSeen]) -> bool:
    """Whether what is launched now is new. Where the last to join is an old one, the group has gone
    back to its template, and more of them would be old too."""
    return bool(old) and max(ready, key=lambda n: (n.created_at, n not in old)) not in old


def _in_place_of_old(is_open: Sequence[NodeSeen], old: frozenset[NodeSeen], needed: int) -> int:
    """How many more nodes it takes for all old ones to be paused, when `needed` are to stay open:
    at least one while an old one is open, for none of them could be paused as it is."""
    old_open = sum(n in old for n in is_open)
    return max(1, needed - (len(is_open) - old_open)) if old_open else 0


def _open_nodes(seats: int, node_seats: int, group: Group) -> int:
    """How many open nodes have so many seats, within the limits."""
    return _clamped(math.ceil(seats / node_seats), group)


def _clamped(nodes: int, group: Group) -> int:
    return max(group.least, min(nodes, group.most))


def _emptiest(node: NodeSeen) -> tuple[int, str]:
    return node.seats_used, node.node_id


def _fullest(node: NodeSeen) -> tuple[int, str]:
    return -node.seats_used, node.node_id


def _ids(nodes: Sequence[NodeSeen]) -> tuple[str, ...]:
    return tuple(str(node.instance_id) for node in nodes)
