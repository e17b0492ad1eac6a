"""Labs that are booked, as the timetable says."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Booking:
    """One lab: from `starts` until `ends` (epoch seconds), `seats` students at once."""

    name: str
    starts: float
    ends: float
    seats: int


def booked_seats(bookings: Iterable[Booking], now: float, ahead_s: float) -> int:
    """The seats of all labs that run at `now`, or start within `ahead_s` seconds."""
    return sum(b.seats for b in bookings if b.starts - ahead_s <= now < b.ends)
