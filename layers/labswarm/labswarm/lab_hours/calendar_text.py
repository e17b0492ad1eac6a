"""The text of a feed: from the bytes that calendars send to the lines of each event.

RFC 5545 (https://www.rfc-editor.org/rfc/rfc5545, 3.1 and 3.4) says how a feed is written; this
module also reads the feeds that calendars write instead. Only the properties that a timetable needs
are kept, so a broken line elsewhere in the feed does no harm.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from labswarm.errors import BadInput

MOST_BYTES = 1_000_000
MOST_EVENTS = 5_000
ZONE = "X-LABSWARM-ZONE"
"""The parameter that holds a time's TZID, in hexadecimal. Under its own name icalendar would look
the zone up itself, in a cache that all feeds share, and read an unknown one as UTC."""

# So that an empty name is a name too, and not no zone at all.
_HEXADECIMAL = "0x"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    ("BE".encode("utf-16-le"), "utf-16-le"),
    ("BE".encode("utf-16-be"), "utf-16-be"),
)
_BREAK = re.compile(r"\r\n|\r|\n")
_FOLD = re.compile(r"\n[ \t]")
# These would end a line for other readers of it, or are no text at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_PROPERTY = re.compile(r"([A-Za-z0-9-]+)[ \t]*[;:]")
_BOUND = re.compile(r"(?i)(BEGIN|END)[ \t]*:[ \t]*([A-Z0-9-]+)[ \t]*")
# Such a line in the middle of an event is a line of its description, broken without an escape.
_DESCRIBED = {"SEATS", "CLUSTER"}
_DATED = re.compile(
    r"(?i)(DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)[ \t]*(;[^\n]*)?:[ \t]*([^:\n]*)"
)
_TZID = re.compile(r'(?i);[ \t]*TZID[ \t]*=[ \t]*(?:"([^"]*)"|(.*?)(?=;[ \t]*[A-Z-]+[ \t]*=|$))')
_TYPE = re.compile(r'(?i);[ \t]*VALUE[ \t]*=[ \t]*"?(DATE-TIME|DATE|PERIOD)\b')
_RANGE = re.compile(r'(?i);[ \t]*RANGE[ \t]*=[ \t]*"?THISANDFUTURE\b')
_OF_A_CALENDAR = {"X-WR-TIMEZONE", "METHOD"}
_OF_A_ZONE = {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}
_OF_AN_EVENT = {
    *("UID", "SEQUENCE", "STATUS", "SUMMARY", "DESCRIPTION", "DTSTART", "DTEND", "DURATION"),
    *("RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
}
_TEXTS = {"SUMMARY", "DESCRIPTION"}
_TIMES = {"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"}
_HTML = re.compile(r"(?i)\s*<(!--|!doctype|html|head|body|\?xml)")
_TITLE = re.compile(r"(?is)<title[^<>]*>([^<>]{1,80})")
_REMEDY = "give the address of an iCalendar feed (.ics) that asks for no sign-in"


@dataclass
class CalendarText:
    """One VCALENDAR of a feed.

    `zones` holds the lines of each VTIMEZONE by its TZID, `events` the lines of each VEVENT, `zone`
    is X-WR-TIMEZONE. In all lines a TZID is kept as the parameter ZONE.
    """

    zone: str | None = None
    method: str = ""
    zones: dict[str, list[str]] = field(default_factory=dict)
    events: list[list[str]] = field(default_factory=list)


def decoded(feed: bytes) -> str:
    """Return the text of a feed: UTF-8, UTF-16 with or without a byte order mark, else Latin-1."""
    for mark, encoding in _BOMS:
        if feed.startswith(mark):
            return feed.decode(encoding, "replace")
    try:
        return feed.decode("utf-8")
    except UnicodeDecodeError:
        # Windows writes 0x80-0x9f too, which Latin-1 itself has no letters for.
        return feed.decode("cp1252", "replace")


def calendars(text: str) -> list[CalendarText]:
    """Return the calendars of a feed. Raises BadInput (`timetable`) for a text that is no feed, is
    cut off, or is too large."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadInput("timetable", f"is over {MOST_BYTES} bytes; give a feed of the labs only")
    text = text.lstrip("\ufeff \t\r\n")
    if not re.match(r"(?i)BEGIN[ \t]*:[ \t]*VCALENDAR\b", text):
        raise BadInput("timetable", f"{_mistaken(text)}; {_REMEDY}")
    reader = _Reader()
    for number, line in _lines(text):
        reader.read(number, line)
    return reader.finished()


def zone_name(value: str) -> str:
    """Return the TZID that a ZONE parameter holds."""
    return bytes.fromhex(value.removeprefix(_HEXADECIMAL)).decode()


def _mistaken(text: str) -> str:
    if not text:
        return "is empty"
    if _HTML.match(text):
        title = _TITLE.search(text[:20_000])
        named = f" ({' '.join(title.group(1).split())!r})" if title else ""
        return f"is a web page{named} and no calendar"
    return f"begins with {text[:30]!r} and is no calendar"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The content lines, unfolded, each with the number of the line that it begins in."""
    number = 1
    waiting: str | None = None
    begun = 1
    for raw in _BREAK.split(text):
        line = raw.lstrip("\ufeff")
        if waiting is not None and line[:1] in (" ", "\t"):
            waiting += line[1:]
        elif line:
            if waiting is not None:
                yield begun, waiting
            waiting, begun = line, number
        number += 1
    if waiting is not None:
        yield begun, waiting


class _Reader:
    """Sorts the lines of a feed into calendars, zones and events."""

    def __init__(self) -> None:
        self._calendars: list[CalendarText] = []
        self._open: list[str] = []
        self._lines: list[str] = []
        self._tzid = ""
        self._events = 0
        self._in_text = False

    def read(self, number: int, line: str) -> None:
        bound = _BOUND.fullmatch(line)
        if bound:
            self._in_text = False
            bound_of = self._begin if bound.group(1).upper() == "BEGIN" else self._end
            bound_of(number, bound.group(2).upper())
            return
        match = _PROPERTY.match(line)
        name = match.group(1).upper() if match else ""
        if not match or name in _DESCRIBED or name in ("BEGIN", "END"):
            # A line break in a text that was not escaped.
            if self._in_text:
                self._lines[-1] += "\\n" + _CONTROL.sub(" ", line)
            return
        self._property(name, line)
        self._in_text = self._open == ["VCALENDAR", "VEVENT"] and name in _TEXTS

    def finished(self) -> list[CalendarText]:
        if self._open:
            raise BadInput("timetable", f"is cut off inside {self._open[-1]}; {_REMEDY}")
        return self._calendars

    def _begin(self, number: int, name: str) -> None:
        outer = self._open[-1] if self._open else None
        # No component holds one of its own kind, and endless nesting is hostile.
        if (name == "VCALENDAR") == bool(self._open) or name == outer or len(self._open) > 8:
            raise BadInput(
                "timetable",
                f"has BEGIN:{name[:30]} in the wrong place, line {number}; export it again",
            )
        self._open.append(name)
        if name == "VCALENDAR":
            self._calendars.append(CalendarText())
        elif self._open == ["VCALENDAR", "VEVENT"]:
            self._events += 1
            if self._events > MOST_EVENTS:
                raise BadInput(
                    "timetable", f"has over {MOST_EVENTS} events; give a feed of the labs only"
                )
            self._lines = []
        elif self._open == ["VCALENDAR", "VTIMEZONE"]:
            self._lines, self._tzid = [], ""
        elif self._open[:2] == ["VCALENDAR", "VTIMEZONE"]:
            self._lines.append(f"BEGIN:{name}")

    def _end(self, number: int, name: str) -> None:
        if self._open[-1:] != [name]:
            raise BadInput(
                "timetable",
                f"has END:{name[:30]} without its BEGIN, line {number}; export it again",
            )
        if self._open == ["VCALENDAR", "VEVENT"]:
            self._calendars[-1].events.append(self._lines)
        elif self._open == ["VCALENDAR", "VTIMEZONE"]:
            if self._tzid:
                self._calendars[-1].zones[self._tzid] = self._lines
        elif self._open[:2] == ["VCALENDAR", "VTIMEZONE"]:
            self._lines.append(f"END:{name}")
        self._open.pop()

    def _property(self, name: str, line: str) -> None:
        line = _CONTROL.sub(" ", line)
        match self._open:
            case ["VCALENDAR"] if name in _OF_A_CALENDAR:
                value = line.partition(":")[2].strip()
                calendar = self._calendars[-1]
                if name == "METHOD":
                    calendar.method = value.upper()
                else:
                    calendar.zone = _unescaped(value)
            case ["VCALENDAR", "VTIMEZONE"] if name == "TZID":
                self._tzid = _unescaped(line.partition(":")[2])
            case ["VCALENDAR", "VTIMEZONE", "STANDARD" | "DAYLIGHT"] if name in _OF_A_ZONE:
                self._lines.append(_dated(line))
            case ["VCALENDAR", "VEVENT"] if name in _OF_AN_EVENT:
                self._lines.append(_dated(line))


def _dated(line: str) -> str:
    """The line with its TZID kept as ZONE, and no parameter that nothing here reads."""
    match = _DATED.fullmatch(line)
    if not match:
        begins = _PROPERTY.match(line)
        # Even in a broken line icalendar finds no zone by itself.
        broken = begins and begins.group(1).upper() in _TIMES
        return re.sub("[;:]+", " ", line).replace(" ", ":", 1) if broken else line
    name, parameters, value = match.group(1).upper(), match.group(2) or "", match.group(3).strip()
    zone = _TZID.search(parameters)
    parameters = _TZID.sub("", parameters)
    kind = _TYPE.search(parameters)
    line = name
    if _RANGE.search(parameters):
        line += ";RANGE=THISANDFUTURE"
    if kind:
        line += f";VALUE={kind.group(1).upper()}"
    if zone:
        tzid = _unescaped(zone.group(1) if zone.group(1) is not None else zone.group(2))
        line += f";{ZONE}={_HEXADECIMAL}{tzid.encode().hex()}"
    return f"{line}:{value.upper()}"


def _unescaped(name: str) -> str:
    """A zone's name as it was meant: calendars escape commas in one place and quote in another."""
    return name.strip().strip('"').replace("\\,", ",").replace("\\;", ";").strip()
