"""The cost of a simulated cluster, and each lab's share of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from labswarm.planning.cluster import Prices
from labswarm.planning.students import Lab
from labswarm.planning.world import Node, Server

_STEP_S = 60.0
_AROUND = 30
"""Minutes before and after a lab in which its nodes start and empty."""


@dataclass(frozen=True)
class Cost:
    """Hours of nodes and of seats, and their price in USD. `list_usd`: all nodes on demand;
    `usd`: with the group's share of spot at the spot price. None where prices are not known."""

    node_hours: float
    seat_hours: float
    list_usd: float | None
    usd: float | None

    @property
    def usd_per_seat_hour(self) -> float | None:
        """The cost of an hour in which a student works."""
        return self.usd / self.seat_hours if self.usd is not None and self.seat_hours else None


def cost(nodes: Sequence[tuple[Node, float]], seat_hours: float, prices: Prices | None) -> Cost:
    """Return the cost of these nodes, each with its hours."""
    hours = sum(each for _, each in nodes)
    if prices is None:
        return Cost(hours, seat_hours, None, None)
    spot = sum(each for node, each in nodes if node.spot)
    volumes = hours * prices.volume
    return Cost(
        node_hours=hours,
        seat_hours=seat_hours,
        list_usd=hours * prices.on_demand + volumes,
        usd=(hours - spot) * prices.on_demand + spot * prices.spot + volumes,
    )


def paid_hours(node: Node, until: float) -> float:
    """The hours from a node's launch to its end, or to `until` (epoch seconds)."""
    return (min(node.ended_at or until, until) - node.launched_at) / 3600


def worked_hours(servers: Sequence[Server]) -> float:
    """The hours in which students work on their servers."""
    return sum(
        max(0.0, server.student.leaves - server.ready_at) / 3600
        for server in servers
        if server.ready_at is not None
    )


def shares(
    labs: Sequence[Lab], servers: Sequence[Server], nodes: Sequence[Node], span: tuple[float, float]
) -> list[float]:
    """Return each lab's share of the paid node hours, from 0 to 1, minute by minute: by its servers
    there, and before they come by its booked seats. The rest belongs to no lab."""
    begins, until = span
    minutes = int((until - begins) / _STEP_S) + 1
    paid = _counts([(n.launched_at, n.ended_at or until) for n in nodes], begins, minutes)
    there: list[list[tuple[float, float]]] = [[] for _ in labs]
    for server in servers:
        there[server.student.lab].append((server.student.arrives, server.student.stops))
    wanted = [
        _wanted(lab, _counts(of, begins, minutes), begins)
        for lab, of in zip(labs, there, strict=True)
    ]
    whole = [sum(column) for column in zip(*(each.counts for each in wanted), strict=True)]
    total = sum(paid) or 1
    return [
        sum(
            paid[at] * each.counts[at] / whole[at]
            for at in range(each.first, each.last)
            if whole[at]
        )
        / total
        for each in wanted
    ]


@dataclass(frozen=True)
class _Wanted:
    """A lab's seats in each minute of the span; none before the `first` and after the `last`."""

    first: int
    last: int
    counts: list[float]


def _wanted(lab: Lab, there: list[int], begins: float) -> _Wanted:
    starts, ends = (int((at - begins) / _STEP_S) for at in (lab.booking.starts, lab.booking.ends))
    present = [at for at, count in enumerate(there) if count]
    first = max(0, starts - _AROUND)
    last = min(len(there), max([ends, *present[-1:]]) + _AROUND)
    booked = lab.booking.seats if lab.booked else 0
    # A lab's nodes start before it and empty after it, and these minutes are its own too.
    counts = [0.0] * len(there)
    for at in range(first, last):
        counts[at] = max(there[at], booked if at < ends else 0, lab.students / 100)
    return _Wanted(first, last, counts)


def _counts(intervals: Iterable[tuple[float, float]], begins: float, minutes: int) -> list[int]:
    """Count the intervals (epoch seconds) that hold each minute from `begins` on."""
    changes = [0] * (minutes + 1)
    for first, last in intervals:
        changes[min(minutes, max(0, int((first - begins) / _STEP_S)))] += 1
        changes[min(minutes, max(0, int((last - begins) / _STEP_S)))] -= 1
    return list(accumulate(changes[:minutes]))
