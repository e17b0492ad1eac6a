"""Feeds for the tests of timetables: events, calendars and their reading."""

from datetime import datetime
from typing import Any

from labswarm.lab_hours.timetable import Timetable, read_timetable

HOUR = 3600


def at(text: str) -> float:
    """Epoch seconds of an ISO 8601 time."""
    return datetime.fromisoformat(text).timestamp()


def event(
    *lines: str, uid: str = "1", seats: str | None = "seats: 12", summary: str = "Lab"
) -> str:
    described = [f"DESCRIPTION:{seats}"] if seats is not None else []
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{summary}", *described, *lines, "END:VEVENT"]
    )


def feed(*events: str, head: tuple[str, ...] = ()) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", *head, *events, "END:VCALENDAR"]
    return "\r\n".join(lines) + "\r\n"


def read(text: str, now: str, **more: Any) -> Timetable:
    return read_timetable(text, "lab", at(now), **more)


def starts(timetable: Timetable) -> list[float]:
    assert timetable.problems == ()
    return [booking.starts for booking in timetable.bookings]


ONCE = ("DTSTART:20261124T140000Z", "DTEND:20261124T160000Z")
NOW = "2026-11-24T08:00:00+00:00"
