"""The students of labs: when each comes, and when each is gone."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labswarm.lab_hours.booking import Booking


@dataclass(frozen=True)
class Lab:
    """A lab: its booking, and how many students come. One that is not `booked` is not in the
    timetable: lab hours see its students only when they are there."""

    booking: Booking
    students: int
    booked: bool = True


@dataclass(frozen=True)
class Arrivals:
    """How a lab's students come and go (seconds).

    They come evenly at random within `within_s` after its start, or as in a recorded `curve`, whose
    offsets from the start are drawn from. Each works until the lab's end. Servers are not stopped
    by hand: the hub stops one `idle_s` after its student's last work.
    """

    within_s: float = 600
    curve: tuple[float, ...] = ()
    idle_s: float = 3600


@dataclass(frozen=True)
class Student:
    """A student comes at `arrives` and works until `leaves`; the server is stopped at `stops`
    (epoch seconds). `lab` is the lab's place in the timetable."""

    lab: int
    arrives: float
    leaves: float
    stops: float


def students_of(
    labs: Sequence[Lab], arrivals: Arrivals, chance: random.Random
) -> Iterator[Student]:
    """Yield the students of all labs, lab by lab."""
    for number, lab in enumerate(labs):
        booking = lab.booking
        for offset_s in _offsets(lab.students, arrivals, chance):
            arrives = booking.starts + offset_s
            leaves = max(arrives, booking.ends)
            yield Student(number, arrives, leaves, leaves + arrivals.idle_s)


def _offsets(count: int, arrivals: Arrivals, chance: random.Random) -> list[float]:
    if arrivals.curve:
        # As recorded where there are as many students, so that a replay is the class itself.
        if count == len(arrivals.curve):
            return sorted(arrivals.curve)
        return sorted(chance.choice(arrivals.curve) for _ in range(count))
    return sorted(chance.uniform(0, arrivals.within_s) for _ in range(count))
