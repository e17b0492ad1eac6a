"""Add a minute to the record of a cluster's day.

A seat belongs to the lab that runs. A node belongs to the labs whose seats it starts for, and then
to the labs that have just ended, until it is gone. Labs at the same time share by booked seats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking
from labswarm.snapshot import Snapshot
from labswarm.usage.usages import DayUse, LabUse, Sample, Usages

MINUTE_S = 60.0
LONGEST_S = 150.0
"""The longest time that one look stands for (seconds). After a longer one it stands for a minute:
nobody knows what was there in between."""
AFTER_S = 1800.0
"""How long after a lab its nodes may empty and end (seconds), as in a plan."""
NO_LAB = LabUse()


@dataclass(frozen=True)
class Seen:
    """A cluster at `at` (epoch seconds). `spot` and `on_demand` count its nodes, `students` are the
    users of servers that run; `running` counts these, and those without a name. A lab's nodes start
    `ahead_s` before it."""

    at: float
    labs: tuple[Booking, ...]
    ahead_s: float
    spot: int
    on_demand: int
    running: int = 0
    waiting: int = 0
    students: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        at: float,
        group: Group,
        snapshot: Snapshot | None,
        labs: tuple[Booking, ...],
        ahead_s: float,
    ) -> "Seen":
        """Return the cluster as its group and a fresh snapshot show it.

        How many nodes are on demand follows from the group's policy.
        """
        nodes = len(group.in_service | group.pending)
        on_demand = group.mix.on_demand(nodes) if group.mix else nodes
        seen = cls(at, labs, ahead_s, nodes - on_demand, on_demand)
        if snapshot is None or not snapshot.fresh(at):
            return seen
        return replace(
            seen,
            running=snapshot.running,
            waiting=snapshot.waiting,
            students=snapshot.students,
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to count."""
        return not (self.spot or self.on_demand or self.running or self.waiting)


def record(usages: Usages, cluster: str, seen: Seen) -> None:
    """Add what was seen to the cluster's record of the day. A second call for the same time adds
    nothing. Raises the errors of the store."""
    if seen.empty:
        return
    day = datetime.fromtimestamp(seen.at, UTC).strftime("%Y-%m-%d")
    before = usages.read_day(cluster, day)
    if int(seen.at) > before.counted_at:
        usages.write_day(cluster, counted(before, seen), before.counted_at)


def counted(day: DayUse, seen: Seen) -> DayUse:
    """Return the record with the time since it was last added to."""
    since_s = seen.at - day.counted_at
    lasted_s = since_s if since_s <= LONGEST_S else MINUTE_S
    seated, paid = _of_seats(seen), _of_nodes(seen, day)
    labs = {lab.key: lab for lab in day.labs}
    for lab in dict.fromkeys([*seated, *paid]):
        use = LabUse(lab.name, lab.starts, lab.ends, lab.seats) if lab else NO_LAB
        if known := labs.get(use.key):
            use = replace(known, ends=use.ends, seats=use.seats)
        labs[use.key] = _added(
            use, seen, seated.get(lab, 0) * lasted_s, paid.get(lab, 0) * lasted_s
        )
    sample = Sample(int(seen.at), seen.spot + seen.on_demand, seen.running, seen.waiting)
    return replace(day, labs=tuple(labs.values()), samples=(*day.samples, sample))


def _added(use: LabUse, seen: Seen, seats_s: float, nodes_s: float) -> LabUse:
    students = dict(use.students)
    if seats_s:
        for student in seen.students:
            students[student] = round(students.get(student, 0) + seats_s, 1)
    return replace(
        use,
        seat_s=round(use.seat_s + seats_s * seen.running, 1),
        spot_s=round(use.spot_s + nodes_s * seen.spot, 1),
        on_demand_s=round(use.on_demand_s + nodes_s * seen.on_demand, 1),
        students=students,
    )


Shares = Mapping[Booking | None, float]
"""The labs, or None for no lab, with their shares, which add up to 1."""


def _of_seats(seen: Seen) -> Shares:
    return _shares(lab for lab in seen.labs if lab.starts <= seen.at < lab.ends)


def _of_nodes(seen: Seen, day: DayUse) -> Shares:
    wanted = [lab for lab in seen.labs if lab.starts - seen.ahead_s <= seen.at < lab.ends]
    # The timetable drops a lab that has ended; the record has it.
    had = [
        Booking(lab.name, lab.starts, lab.ends, lab.seats)
        for lab in day.labs
        if lab.name and lab.starts <= seen.at < lab.ends + AFTER_S
    ]
    return _shares(wanted or had)


def _shares(labs: Iterable[Booking]) -> Shares:
    there = list(labs)
    whole = sum(lab.seats for lab in there)
    return {lab: lab.seats / whole for lab in there} if whole else {None: 1.0}
