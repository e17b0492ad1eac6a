"""The timetable: an iCalendar feed (RFC 5545) with one event per lab.

An event's description says how many seats it wants (`seats: 120`), and may say of which cluster
(`cluster: x`). A bad event is named and stops no other; a feed costs bounded time and memory.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar
import recurring_ical_events

from labswarm.errors import BadInput
from labswarm.lab_hours.booking import Booking

MOST_BYTES = 1_000_000
MOST_EVENTS = 5_000
MOST_OCCURRENCES = 2_000
MOST_A_DAY = 24
HORIZON_S = 8 * 24 * 3600
"""How far ahead labs are read (seconds): so long a feed may stay away."""
BUDGET_S = 10.0
"""How long a feed may take to be read; what is left then is refused."""
_EARLIEST = 2000
_TOO_OFTEN = {"SECONDLY", "MINUTELY", "HOURLY"}
# With these a rule that never applies (30 February) is looked for day by day, until the year 9999.
_DAY_BY_DAY = {"DAILY", "WEEKLY"}
_NEVER = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYEASTER")
_FIELD = r"(?im)^\s*{}\s*:\s*(.*?)\s*$"
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Timetable:
    """The labs of one cluster, by start, and what is wrong with the other events (a sentence
    each)."""

    bookings: tuple[Booking, ...]
    problems: tuple[str, ...]


def read_timetable(
    text: str,
    cluster: str,
    now: float,
    most_seats: int | None = None,
    elapsed_s: Callable[[], float] = time.monotonic,
) -> Timetable:
    """The labs of `cluster` that run at `now` (epoch seconds) or start before the horizon.

    `most_seats` is the cluster's limit, where it is known. Raises BadInput (`timetable`) for what
    is no feed, or is too large to be one.
    """
    calendar = _calendar(text)
    groups = _by_uid(calendar)
    zone = _zone_of(calendar)
    begun = elapsed_s()
    bookings: list[Booking] = []
    problems: list[str] = []
    for events in groups.values():
        name = _named(events[0])
        if elapsed_s() - begun > BUDGET_S:
            problems.append(f"{name}: was not read, the events before it took over {BUDGET_S:g} s")
            continue
        try:
            for event in _occurrences(calendar, events, zone, now):
                booking = _booking(event, cluster, most_seats, zone)
                if booking and booking.ends > now:
                    bookings.append(booking)
        except _Bad as bad:
            problems.append(f"{name}: {bad}")
        # What the libraries raise for values that are no dates, rules or zones.
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as bad:
            problems.append(f"{name}: cannot be understood ({bad})")
        if len(bookings) > MOST_OCCURRENCES:
            raise BadInput("timetable", f"holds over {MOST_OCCURRENCES} labs within eight days")
    return Timetable(tuple(sorted(bookings, key=lambda b: (b.starts, b.name))), tuple(problems))


class _Bad(Exception):
    """What is wrong with one event."""


def _calendar(text: str) -> Any:
    if len(text.encode()) > MOST_BYTES:
        raise BadInput("timetable", f"is over {MOST_BYTES} bytes; give a feed of the labs only")
    if len(re.findall(r"(?im)^BEGIN:VEVENT", text)) > MOST_EVENTS:
        raise BadInput("timetable", f"has over {MOST_EVENTS} events; give a feed of the labs only")
    try:
        return icalendar.Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError) as error:
        raise BadInput("timetable", f"is no iCalendar feed ({error})") from error


def _by_uid(calendar: Any) -> Mapping[str, list[Any]]:
    """Each series with its exceptions, which have its UID."""
    groups: dict[str, list[Any]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        groups.setdefault(str(event.get("UID", f"event {number + 1}")), []).append(event)
    return groups


def _zone_of(calendar: Any) -> ZoneInfo:
    """The zone of times without one: the calendar's X-WR-TIMEZONE, else UTC."""
    try:
        return ZoneInfo(str(calendar.get("X-WR-TIMEZONE", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _occurrences(calendar: Any, events: Sequence[Any], zone: ZoneInfo, now: float) -> Iterator[Any]:
    for event in events:
        _check(event)
    series = icalendar.Calendar()
    for timezone in calendar.walk("VTIMEZONE"):
        series.add_component(timezone)
    for event in events:
        series.add_component(event)
    start = datetime.fromtimestamp(now, zone)
    stop = start + timedelta(seconds=HORIZON_S)
    yield from recurring_ical_events.of(series, skip_bad_series=False).between(start, stop)


def _check(event: Any) -> None:
    """Refuse what cannot be a lab, or would take too long to find that out."""
    start = event.get("DTSTART")
    if start is None:
        raise _Bad("has no start; give DTSTART")
    if not isinstance(start.dt, datetime):
        raise _Bad("has no time of day; give DTSTART and DTEND with times")
    if start.dt.year < _EARLIEST:
        raise _Bad(f"starts before {_EARLIEST}; give its series a later start")
    if event.get("DTEND") is None and event.get("DURATION") is None:
        raise _Bad("has no end; give DTEND or DURATION")
    if event.end <= event.start:
        raise _Bad("ends before it has started")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        frequency = str(rule.get("FREQ", ["?"])[0]).upper()
        a_day = 1
        for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            a_day *= max(1, len(rule.get(part, [])))
        if frequency in _TOO_OFTEN or a_day > MOST_A_DAY:
            raise _Bad("recurs too often; a lab recurs daily at most")
        unfit = [part for part in _NEVER if part in rule]
        if frequency in _DAY_BY_DAY and unfit:
            raise _Bad(f"recurs {frequency} with {unfit[0]}; write it as MONTHLY or YEARLY")


def _booking(event: Any, cluster: str, most_seats: int | None, zone: ZoneInfo) -> Booking | None:
    """The lab that an occurrence is; None when it is cancelled, or another cluster's."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    description = _TAG.sub("\n", str(event.get("DESCRIPTION", "")))
    if (_field(description, "cluster") or cluster) != cluster:
        return None
    return Booking(
        name=str(event.get("SUMMARY", "")) or "a lab",
        starts=_epoch(event.start, zone),
        ends=_epoch(event.end, zone),
        seats=_seats(_field(description, "seats"), most_seats),
    )


def _seats(text: str | None, most: int | None) -> int:
    if text is None:
        raise _Bad("has no seats; write a line like `seats: 120` in its description")
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise _Bad(f"seats is {text[:20]!r}; write a whole number, at least 1")
    if most is not None and int(text) > most:
        raise _Bad(f"seats is {text}; the cluster's limit is {most}")
    return int(text)


def _field(description: str, name: str) -> str | None:
    match = re.search(_FIELD.format(name), description)
    return match.group(1) if match else None


def _epoch(at: date, zone: ZoneInfo) -> float:
    if not isinstance(at, datetime):
        raise _Bad("has no time of day; give DTSTART and DTEND with times")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).timestamp()


def _named(event: Any) -> str:
    summary = str(event.get("SUMMARY", "") or event.get("UID", "") or "an event")
    return repr(summary[:60])
