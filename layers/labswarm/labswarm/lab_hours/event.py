"""One event of a timetable (a VEVENT of RFC 5545): its lab, with times in their zones.

The description holds `seats: 120`, and may hold `cluster: x`.
"""

import contextlib
import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

import icalendar
from icalendar.prop import vBroken, vDDDTypes

from labswarm.cluster import NAME
from labswarm.lab_hours.calendar_text import ZONE, CalendarText, zone_name
from labswarm.lab_hours.event_problem import EventProblem
from labswarm.lab_hours.rules import MALFORMED, check_rules, set_until
from labswarm.lab_hours.zones import Zones

LONGEST = timedelta(hours=24)
"""A longer lab is a slip in its end: it would keep its seats running day and night."""
MOST_SEATS = 99_999
MOST_NAME = 60
"""How much of an event's title is kept (characters)."""
_EARLIEST = 2000
_MARGIN = timedelta(days=2)
"""How far a time may be off while its zone is not known."""
_DESCRIPTION = 20_000
_LINE = re.compile(r'([A-Za-z0-9-]+)[ \t]*(?:;[^=;:]*=(?:"[^"]*"|[^";:]*))*:(.*)')
_ESCAPED = re.compile(r"\\(.)")
_UNTIL = re.compile(r"(?i)\bUNTIL=(\d{8})")
_AND_FUTURE = "RECURRENCE-ID;RANGE=THISANDFUTURE"
_TAG = re.compile(r"<[^<>]*>")
# A field whose value stands in another element of an HTML description.
_CUT = {name + colon for name in ("seats", "cluster") for colon in ("", ":")}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
# Exchange writes this before the subject of a cancelled meeting and publishes it as confirmed.
_CANCELLED = re.compile(
    r"(?i)\s*(cancell?ed|abgesagt|annulée?|cancelad[oa]|annullat[oa]|geannuleerd|aflyst|avlyst|"
    r"inställt|peruutettu|odwołane)\s*:"
)


class Event:
    """One event, by the lines of its VEVENT.

    icalendar reads only the times of events that may be a lab soon, because it takes ten times as
    long. The properties and methods raise EventProblem with the reason why the event cannot be
    booked.
    """

    def __init__(self, lines: Sequence[str], calendar: CalendarText, zones: Zones) -> None:
        self._lines = lines
        self._zones = zones
        self._floating = calendar.zone
        self._values: dict[str, list[str]] = {}
        for line in lines:
            match = _LINE.fullmatch(line)
            if match:
                self._values.setdefault(match.group(1).strip().upper(), []).append(match.group(2))
        self.name = printable(self._text("SUMMARY"))
        self.uid = self._text("UID")
        self._cancelled = (
            self._text("STATUS").strip().upper() in ("CANCELLED", "CANCELED")
            or calendar.method == "CANCEL"
            or bool(_CANCELLED.match(self.name))
        )

    @property
    def title(self) -> str:
        """The event's title and its date as the feed has it, for a sentence about it."""
        named = repr(self.name or printable(self.uid) or "an event without a title")
        at = re.match(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d))?", self._text("DTSTART"))
        if not at:
            return named
        clock = f" at {at.group(4)}:{at.group(5)}" if at.group(4) else ""
        return f"{named} on {at.group(1)}-{at.group(2)}-{at.group(3)}{clock}"

    @cached_property
    def sequence(self) -> int:
        """The version of the event, -1 when it has none."""
        sequence = self._text("SEQUENCE").strip()
        return int(sequence) if re.fullmatch(r"[0-9]{1,9}", sequence) else -1

    @property
    def is_exception(self) -> bool:
        """Whether this changes one lab of a series (RECURRENCE-ID)."""
        return "RECURRENCE-ID" in self._values

    @property
    def and_future(self) -> bool:
        """Whether an exception holds for all later labs of its series too."""
        return any(line.startswith(_AND_FUTURE) for line in self._lines)

    @property
    def recurs(self) -> bool:
        """Whether it has more labs than its first."""
        return "RRULE" in self._values or "RDATE" in self._values

    @property
    def is_cancelled(self) -> bool:
        """Whether it is cancelled, by its status, its calendar or its subject."""
        return self._cancelled

    @cached_property
    def subject(self) -> str:
        """The title without a word that says it is cancelled: the same in all versions."""
        return _CANCELLED.sub("", self.name, count=1).strip()

    @property
    def identity(self) -> tuple[str, ...]:
        """A value that two copies of one event share."""
        return (str(self._floating), *self._lines)

    @property
    def cluster(self) -> str | None:
        """The cluster that the event names; None when it names none."""
        named = self._fields.get("cluster")
        if named is None:
            return None
        if not NAME.fullmatch(named.lower()):
            raise EventProblem(f"cluster is {named[:30]!r}. Write a cluster's name and no more")
        return named.lower()

    @property
    def seats(self) -> int:
        """The seats of the whole lab."""
        text = self._fields.get("seats")
        if text is None:
            raise EventProblem("has no seats. Write a line like `seats: 120` in its description")
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) <= MOST_SEATS:
            raise EventProblem(
                f"seats is {text[:20]!r}. Write a whole number from 1 to {MOST_SEATS}"
            )
        return int(text)

    def is_far_from(self, first: datetime, last: datetime) -> bool:
        """Whether all of it is before `first` or after `last` (UTC), in any time zone."""
        starts = _days(self._values, "DTSTART", "RECURRENCE-ID")
        if not starts or "RDATE" in self._values or self.and_future:
            return False
        if min(starts) > last + _MARGIN:
            return True
        rules = self._values.get("RRULE", [])
        untils = [match for rule in rules for match in _UNTIL.findall(rule)]
        if len(untils) != len(rules):
            return False
        ends = [*starts, *_days(self._values, "DTEND"), *_days({"": untils}, "")]
        return max(ends) < first - _MARGIN - LONGEST

    @cached_property
    def component(self) -> Any:
        """The event as icalendar has it."""
        try:
            text = "\r\n".join(["BEGIN:VEVENT", *self._lines, "END:VEVENT", ""])
            return icalendar.Event.from_ical(text)
        except MALFORMED as error:
            raise EventProblem("cannot be understood. Save it again in its calendar") from error

    def read_times(self) -> None:
        """Put all its times into their zones; refuse those that are no times of a lab."""
        for name, value in self.component.items():
            for one in _each(value):
                if isinstance(one, vBroken):
                    raise EventProblem(f"{name} is {str(one)[:40]!r}, which cannot be understood")
        if "EXRULE" in self.component:
            raise EventProblem("has an EXRULE, which is not read. Write the exceptions as EXDATE")
        self._localise()
        start, end = self.times
        if start.year < _EARLIEST:
            raise EventProblem(f"starts before {_EARLIEST}. Give its series a later start")
        check_length(start, end)
        check_rules(self.component)
        for rule in _each(self.component.get("RRULE")):
            set_until(rule, start)

    @property
    def times(self) -> tuple[datetime, datetime]:
        """The start and the end of its first lab, once its times are read."""
        start: datetime = self.component["DTSTART"].dt
        return start, self._end(start)

    def recurrence(self, of: "Event | None") -> datetime:
        """Return the start that the changed lab has in its series `of`, which a date has too."""
        value = self.component["RECURRENCE-ID"]
        if not isinstance(value, vDDDTypes) or not isinstance(value.dt, date):
            raise EventProblem("has a RECURRENCE-ID that is no single time")
        start = of.component["DTSTART"].dt if of else None
        if isinstance(value.dt, datetime):
            zone = start.tzinfo if start else None
            return _in_zone(value.dt, self._zone_of(value, zone))
        if not start:
            raise EventProblem("has a RECURRENCE-ID without a time of day")
        return datetime.combine(value.dt, start.timetz())

    @cached_property
    def _fields(self) -> Mapping[str, str]:
        return _fields(self._text("DESCRIPTION")[:_DESCRIPTION])

    def _text(self, name: str) -> str:
        return "\n".join(_unescaped(value) for value in self._values.get(name, ()))

    def _localise(self) -> None:
        start = self.component.get("DTSTART")
        if start is None:
            raise EventProblem("has no start. Give DTSTART")
        if not isinstance(start, vDDDTypes):
            raise EventProblem("has more than one start. Give one DTSTART")
        if not isinstance(start.dt, datetime):
            raise EventProblem("has no time of day. Give DTSTART and DTEND with times")
        start.dt = _in_zone(start.dt, self._zone_of(start, None))
        for name in _TIMES[1:]:
            for value in _each(self.component.get(name)):
                for one in value.dts:
                    one.dt = _moment(name, one.dt, self._zone_of(value, start.dt.tzinfo))

    def _zone_of(self, value: Any, otherwise: tzinfo | None) -> tzinfo:
        """The zone of a value; without one that of the start, and of a start the calendar's."""
        parameter = value.params.get(ZONE)
        if parameter:
            return self._zones.named(zone_name(str(parameter)))
        return otherwise or self._zones.floating()

    def _end(self, start: datetime) -> datetime:
        end, duration = self.component.get("DTEND"), self.component.get("DURATION")
        if end is not None:
            if not isinstance(end, vDDDTypes):
                raise EventProblem("has more than one end. Give one DTEND")
            if not isinstance(end.dt, datetime):
                raise EventProblem("has no time of day at its end. Give DTEND with a time")
            return end.dt
        if duration is None:
            raise EventProblem("has no end. Give DTEND or DURATION")
        length = getattr(duration, "dt", None)
        if not isinstance(length, timedelta):
            raise EventProblem("has a DURATION that is none. Write one like PT90M")
        return start + min(length, 2 * LONGEST)


def check_length(start: datetime, end: datetime) -> None:
    """Raise EventProblem unless a lab's end is after its start, by LONGEST at most."""
    length = end.astimezone(UTC) - start.astimezone(UTC)
    if length <= timedelta(0):
        raise EventProblem("ends before it has started. Correct DTSTART or DTEND")
    if length > LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise EventProblem(
            f"lasts longer than {hours} hours, until {end:%Y-%m-%d %H:%M}. "
            "Correct its end, or write an event for each day"
        )


def printable(text: str) -> str:
    """Return a title in one line, without control characters, MOST_NAME characters at most."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * MOST_NAME])
    return " ".join(kept.split())[:MOST_NAME]


def _unescaped(text: str) -> str:
    """A TEXT of RFC 5545 (3.3.11) as it was meant."""
    return _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), text)


def _fields(description: str) -> dict[str, str]:
    """The lines `name: value` of a description, which may be HTML."""
    text = html.unescape(_TAG.sub("\n", description)).translate(_INVISIBLE)
    lines: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        # <b>seats</b>: 120, or <b>seats:</b> 120
        if line and lines and lines[-1].lower() in _CUT:
            lines[-1] += line
        elif line:
            lines.append(line)
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    return found


def _each(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _days(values: Mapping[str, Sequence[str]], *names: str) -> list[datetime]:
    """The days that these values begin with, as if they were in UTC."""
    found = []
    for value in (value for name in names for value in values.get(name, ())):
        with contextlib.suppress(ValueError):
            found.append(datetime.strptime(value[:8], "%Y%m%d").replace(tzinfo=UTC))
    return found


def _in_zone(at: datetime, zone: tzinfo) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _moment(name: str, at: Any, zone: tzinfo) -> Any:
    """A time, a date or a period of an event's further times, in its zone."""
    if isinstance(at, tuple):
        return tuple(one if isinstance(one, timedelta) else _moment(name, one, zone) for one in at)
    if isinstance(at, datetime):
        return _in_zone(at, zone)
    if not isinstance(at, date):
        raise EventProblem(f"{name} is {str(at)[:40]!r}, which is no time")
    return at
