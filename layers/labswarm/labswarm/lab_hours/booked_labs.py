"""From bookings to their labs: the same values that a feed gives."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import icalendar
import recurring_ical_events
from icalendar.prop import vRecur

from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import BookingsRead, StoredBooking
from labswarm.lab_hours.group_labs import AROUND_S, WARM_UP_S, GroupLab
from labswarm.lab_hours.state import LabHoursState
from labswarm.lab_hours.timetable import HORIZON_S
from labswarm.lab_hours.timetables import READ_EVERY_S

_VERSION = 2
"""A state that an older version has derived from the same bookings is derived again."""


def warms_up(booking: StoredBooking) -> bool:
    """Whether the booking's students get their servers before the bell: they have to be known."""
    return booking.warm_up and booking.group is not None


def labs_of(bookings: Iterable[StoredBooking], first: float, last: float) -> list[Booking]:
    """Return the labs of these bookings that run at `first` or start before `last` (epoch seconds),
    by their starts."""
    # A booking of the past may still run.
    ends = max(last, first + 1)
    between = (datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(ends, UTC))
    found = [lab for booking in bookings for lab in _labs(booking, *between)]
    return sorted(found, key=lambda lab: (lab.starts, lab.name))


def group_labs(bookings: Iterable[StoredBooking], now: float) -> list[GroupLab]:
    """Return the labs of groups that have run within the last day, run at `now` (epoch seconds), or
    start within a day."""
    return [
        GroupLab(one.id, one.title, one.group, lab.starts, lab.ends, one.is_exam, one.created_by)
        for one in bookings
        if one.group is not None
        for lab in labs_of([one], now - AROUND_S, now + AROUND_S)
    ]


def event_of(booking: StoredBooking) -> icalendar.Event:
    """Return the booking as an event, as a feed of lab hours has it."""
    event = icalendar.Event()
    event.add("UID", f"{booking.id}@{booking.cluster}.labswarm")
    event.add("SEQUENCE", booking.version)
    event.add("SUMMARY", booking.title)
    event.add("DESCRIPTION", f"seats: {booking.seats}\ncluster: {booking.cluster}")
    event.add("DTSTART", booking.starts)
    event.add("DTEND", booking.ends)
    if booking.rrule is not None:
        rule = vRecur.from_ical(booking.rrule)
        rule["UNTIL"] = [booking.until.astimezone(UTC)]
        event.add("RRULE", rule)
    for day in booking.exdates:
        # The lab of that day: a repeat starts at the same time of day as the first.
        event.add("EXDATE", datetime.combine(date.fromisoformat(day), booking.starts.timetz()))
    return event


def with_booked(
    state: LabHoursState, read: BookingsRead, now: float, most_seats: int | None
) -> LabHoursState:
    """Return the state with the labs of these bookings from `now` (epoch seconds) on.

    Rules are read again only when a booking has changed, or the horizon has moved on by hours.
    """
    stored = [booking.to_json() for booking in read.bookings]
    values = [_VERSION, most_seats, stored, read.problems]
    digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
    if digest == state.booked_digest and now - state.booked_at < READ_EVERY_S:
        return state
    exams = [booking for booking in read.bookings if booking.is_exam]
    return replace(
        state,
        booked=_prepared(read.bookings, now, most_seats),
        exams=_prepared(exams, now, most_seats),
        booked_problems=read.problems,
        booked_digest=digest,
        booked_at=now,
    )


def peak(labs: Sequence[Booking], of: Booking) -> int:
    """Return the most seats that these labs and `of` take together while it runs."""
    at_once = [lab for lab in labs if lab.starts < of.ends and lab.ends > of.starts]
    begins = [of.starts, *(lab.starts for lab in at_once if lab.starts > of.starts)]
    return of.seats + max(
        sum(lab.seats for lab in at_once if lab.starts <= at < lab.ends) for at in begins
    )


def _labs(booking: StoredBooking, first: datetime, last: datetime) -> list[Booking]:
    if booking.rrule is None and (booking.starts >= last or booking.ends <= first):
        return []
    calendar = icalendar.Calendar()
    calendar.add_component(event_of(booking))
    found = recurring_ical_events.of(calendar).between(first, last)
    spans = [(one["DTSTART"].dt.timestamp(), one["DTEND"].dt.timestamp()) for one in found]
    return [
        Booking(booking.title, starts, ends, booking.seats)
        for starts, ends in spans
        if ends > first.timestamp() and starts < last.timestamp()
    ]


def _prepared(
    bookings: Iterable[StoredBooking], now: float, most_seats: int | None
) -> tuple[Booking, ...]:
    """The labs of the horizon, each from when its seats are needed."""
    labs = [
        replace(lab, starts=lab.starts - WARM_UP_S) if warms_up(booking) else lab
        for booking in bookings
        for lab in labs_of([booking], now, now + HORIZON_S)
    ]
    labs.sort(key=lambda lab: (lab.starts, lab.name))
    return tuple(_within(lab, most_seats) for lab in labs)


def _within(lab: Booking, most_seats: int | None) -> Booking:
    """The lab with the cluster's seats, where it asks for more: the limit may have become lower."""
    return lab if most_seats is None else replace(lab, seats=min(lab.seats, most_seats))
