"""The bookings as an iCalendar feed to subscribe to, at an address that only instructors know."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

import icalendar

from labswarm.lab_hours.booked_labs import event_of
from labswarm.lab_hours.bookings import StoredBooking


def feed_name(token: str, cluster: str) -> str:
    """Return the secret part of the feed's address. A calendar cannot log in, so its address is the
    key: it follows from the service's own `token`, and a new token makes a new address."""
    return hmac.new(token.encode(), f"calendar {cluster}".encode(), hashlib.sha256).hexdigest()[:32]


def feed(bookings: Iterable[StoredBooking], cluster: str, now: float) -> bytes:
    """Return the feed. It has titles, times and seats, and no names of persons or groups."""
    calendar = icalendar.Calendar()
    calendar.add("PRODID", "-//labswarm//labs//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", f"Labs of {cluster}")
    for booking in bookings:
        event = event_of(booking)
        # RFC 5545, 3.6.1: each event of a feed has one.
        event.add("DTSTAMP", datetime.fromtimestamp(now, UTC))
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
