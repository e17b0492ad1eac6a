"""Starts a booked class's servers in waves before the bell, so that students find theirs ready."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labswarm.lab_hours.booked_labs import group_labs, labs_of, warms_up
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.group_labs import WARM_UP_S, GroupLab

LOOK_S = 5.0
WAVE = 20
"""The most servers that start at each look: the hub starts about five in a second."""


@dataclass(frozen=True)
class Warming:
    """A lab that starts soon, and whose students' servers start before it."""

    booking: StoredBooking
    starts: float


def warming(bookings: Iterable[StoredBooking], now: float) -> list[Warming]:
    """Return the labs whose servers start at `now` (epoch seconds), the next bell first."""
    found = [
        Warming(booking, lab.starts)
        for booking in bookings
        if warms_up(booking)
        for lab in labs_of([booking], now, now + WARM_UP_S)
        if now < lab.starts
    ]
    return sorted(found, key=lambda one: (one.starts, one.booking.id))


def exams_on(bookings: Iterable[StoredBooking], now: float) -> list[GroupLab]:
    """Return the exams that run at `now` (epoch seconds), from their warm-up on."""
    return [
        lab
        for lab in group_labs((one for one in bookings if one.is_exam), now)
        if lab.starts - WARM_UP_S <= now < lab.ends
    ]


def foreign_servers(
    exam: GroupLab, members: Collection[str], active: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return the members of an exam's group whose server was started before the exam: it has
    another home and a network, and has to end."""
    return [
        str(user["name"])
        for user in active
        if user["name"] in members
        and (server := user["servers"].get("")) is not None
        # A start has no key yet when it has just begun; it is looked at again when it is ready.
        and server.get("ready")
        and server.get("pending") != "stop"
        and (server.get("user_options") or {}).get("exam") != exam.key
    ]


@dataclass
class Waves:
    """Chooses the students of each wave; nobody's server is started twice for one lab.

    A student who stops the server before the bell, or whose start failed, starts it by hand.
    """

    _started: dict[tuple[str, float], set[str]] = field(default_factory=dict)

    def next(
        self, lab: Warming, members: Iterable[str], with_server: Collection[str], free: int
    ) -> list[str]:
        """Return the students whose servers start now, within the free seats."""
        key = (lab.booking.id, lab.starts)
        started = self._started.setdefault(key, set())
        wave = [
            name for name in sorted(members) if name not in with_server and name not in started
        ][: max(0, min(free, WAVE, lab.booking.seats - len(started)))]
        started.update(wave)
        return wave

    def forget(self, now: float) -> None:
        """Forget the labs that have begun."""
        self._started = {key: names for key, names in self._started.items() if key[1] > now}
