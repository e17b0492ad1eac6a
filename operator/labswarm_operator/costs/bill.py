"""A month's bill: from the records of its days and prices to costs per lab, group and student."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from labswarm.planning.cluster import Prices
from labswarm.planning.costs import Cost
from labswarm.usage.usages import DayUse, LabUse


@dataclass(frozen=True)
class Used:
    """Hours of seats and of nodes, and their cost in USD; None where prices are not known."""

    seat_hours: float = 0
    node_hours: float = 0
    usd: float | None = None


@dataclass(frozen=True)
class LabBill:
    """A lab's use, next to the `forecast` of a plan in which all of its seats are taken.

    `starts` and `ends` are epoch seconds. `group` is the hub's group for which it was booked; None
    for a lab of a calendar feed.
    """

    name: str
    starts: float
    ends: float
    seats: int
    group: str | None
    used: Used
    forecast: Cost | None = None


@dataclass(frozen=True)
class Bill:
    """The costs of a cluster's month. `outside` is the use of no lab. `groups` and `students` share
    what their labs cost, and students what they used of no lab as well."""

    cluster: str
    month: str
    total: Used
    outside: Used
    labs: tuple[LabBill, ...] = ()
    groups: Mapping[str, Used] = field(default_factory=dict)
    students: Mapping[str, Used] = field(default_factory=dict)
    prices: Prices | None = None


Key = tuple[str, float]
"""A lab's name and start (epoch seconds)."""


def bill(
    cluster: str,
    month: str,
    days: Iterable[DayUse],
    prices: Prices | None,
    groups: Mapping[Key, str],
    forecasts: Mapping[Key, Cost],
) -> Bill:
    """Return the bill of these days. `groups` and `forecasts` are of the labs that have one."""
    uses = _whole_labs(days)
    labs = [
        LabBill(
            use.name,
            use.starts,
            use.ends,
            use.seats,
            groups.get(use.key),
            _used(use, prices),
            forecasts.get(use.key),
        )
        for use in uses
        if use.name
    ]
    of_groups: defaultdict[str, list[Used]] = defaultdict(list)
    for lab in labs:
        if lab.group is not None:
            of_groups[lab.group].append(lab.used)
    return Bill(
        cluster,
        month,
        total=_sum([_used(use, prices) for use in uses]),
        outside=_sum([_used(use, prices) for use in uses if not use.name]),
        labs=tuple(sorted(labs, key=lambda lab: (lab.starts, lab.name))),
        groups={group: _sum(used) for group, used in sorted(of_groups.items())},
        students=_students(uses, prices),
        prices=prices,
    )


def _whole_labs(days: Iterable[DayUse]) -> list[LabUse]:
    """Each lab once, although a record ends at midnight."""
    parts: defaultdict[Key, list[LabUse]] = defaultdict(list)
    for day in days:
        for lab in day.labs:
            parts[lab.key].append(lab)
    return [_joined(found) for found in parts.values()]


def _joined(parts: Sequence[LabUse]) -> LabUse:
    students: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for student, seconds in part.students.items():
            students[student] += seconds
    last = parts[-1]
    return LabUse(
        last.name,
        last.starts,
        last.ends,
        last.seats,
        seat_s=sum(part.seat_s for part in parts),
        spot_s=sum(part.spot_s for part in parts),
        on_demand_s=sum(part.on_demand_s for part in parts),
        students=students,
    )


def _used(use: LabUse, prices: Prices | None) -> Used:
    hours = (use.spot_s + use.on_demand_s) / 3600
    usd = None
    if prices is not None:
        usd = (
            use.spot_s * prices.spot + use.on_demand_s * prices.on_demand
        ) / 3600 + hours * prices.volume
    return Used(use.seat_s / 3600, hours, usd)


def _students(uses: Iterable[LabUse], prices: Prices | None) -> dict[str, Used]:
    """Each student's share of each lab, by the time of their servers there."""
    found: defaultdict[str, list[Used]] = defaultdict(list)
    for use in uses:
        whole = _used(use, prices)
        for student, seconds in use.students.items():
            share = seconds / use.seat_s if use.seat_s else 0
            usd = None if whole.usd is None else whole.usd * share
            found[student].append(Used(seconds / 3600, whole.node_hours * share, usd))
    return {student: _sum(parts) for student, parts in sorted(found.items())}


def _sum(parts: Sequence[Used]) -> Used:
    known = [part.usd for part in parts if part.usd is not None]
    return Used(
        sum(part.seat_hours for part in parts),
        sum(part.node_hours for part in parts),
        sum(known) if known else None,
    )
