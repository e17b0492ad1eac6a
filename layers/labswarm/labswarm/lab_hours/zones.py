"""Time zones by the names that calendars give them. A name that cannot be resolved is a problem of
the event; it is never read as UTC.

The names of Windows are those of CLDR's table, which icalendar carries
(https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml).
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from labswarm.lab_hours.event_problem import EventProblem
from labswarm.lab_hours.rules import MALFORMED, check_rules

MOST_LINES = 2_000
"""How long a zone's description may be; the longest real ones have half as many lines."""
_OFFSET = re.compile(r"\(?(?:UTC|GMT)\s*(?:([+-])\s*(\d{1,2})(?::?(\d{2}))?)?\)?\s*(.*)", re.I)
_NATIONAL = re.compile(r"(\w+) Time \((?:US & Canada|Canada)\)")
_MICROSOFT_UTC = "tzone://microsoft/utc"
_REMEDY = "Use a name like Europe/Berlin, or describe the zone in the feed (VTIMEZONE)"


class Zones:
    """The zones of one calendar: those it describes itself (the lines of each VTIMEZONE, by TZID),
    and those that everyone knows. `floating` names the zone of times without one (X-WR-TIMEZONE;
    None is UTC)."""

    def __init__(self, described: Mapping[str, Sequence[str]], floating: str | None) -> None:
        self._described = described
        self._floating = floating
        self._found: dict[str, tzinfo | EventProblem] = {}

    def floating(self) -> tzinfo:
        """Return the zone of times without one. Raises EventProblem when it is not known."""
        return self.named(self._floating) if self._floating else UTC

    def named(self, name: str) -> tzinfo:
        """Return the zone of this name. Raises EventProblem when it is not known."""
        if name not in self._found:
            try:
                self._found[name] = self._resolved(name)
            except EventProblem as problem:
                self._found[name] = problem
        found = self._found[name]
        if isinstance(found, EventProblem):
            raise found
        return found

    def _resolved(self, name: str) -> tzinfo:
        if name in _iana():
            return ZoneInfo(name)
        if name in self._described:
            return _described(name, self._described[name])
        found = next(_known(name), None)
        if found is None:
            raise EventProblem(f"its time zone {name[:60]!r} is not known. {_REMEDY}")
        return found


def _known(name: str) -> Iterator[tzinfo]:
    """The zones that a name may mean, the best first."""
    if name in WINDOWS_TO_OLSON:
        yield ZoneInfo(WINDOWS_TO_OLSON[name])
    if name.casefold() == _MICROSOFT_UTC:
        yield UTC
    if name.startswith("/"):
        # A globally unique name (RFC 5545, 3.8.3.1) mostly ends in a name of IANA.
        parts = name.strip("/").split("/")
        for first in range(max(0, len(parts) - 3), len(parts)):
            if "/".join(parts[first:]) in _iana():
                yield ZoneInfo("/".join(parts[first:]))
    if name.casefold() in _iana_by_casefold():
        yield ZoneInfo(_iana_by_casefold()[name.casefold()])
    offset = _OFFSET.fullmatch(name)
    if offset:
        yield from _by_offset(offset)


def _by_offset(match: re.Match[str]) -> Iterator[tzinfo]:
    """`UTC+1` is an offset; `(UTC+01:00) Amsterdam, Berlin` is the zone of these cities, where
    their standard time has that offset: Windows shows its zones so."""
    sign, hours, minutes, places = match.groups()
    east = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    offset = -east if sign == "-" else east
    if east > timedelta(hours=14):
        return
    if not places:
        yield timezone(offset)
        return
    national = _NATIONAL.fullmatch(places)
    names = [WINDOWS_TO_OLSON.get(f"{national.group(1)} Standard Time", "")] if national else []
    names += [_iana_by_city().get(city.strip(), "") for city in places.split(",")]
    for zone in map(ZoneInfo, filter(None, names)):
        if _standard_offset(zone) == offset:
            yield zone


def _described(name: str, lines: Sequence[str]) -> tzinfo:
    """The zone that a VTIMEZONE describes. Raises EventProblem when it cannot be understood."""
    if len(lines) > MOST_LINES:
        raise EventProblem(
            f"its time zone {name[:60]!r} is described in over {MOST_LINES} lines. "
            "Use a name like Europe/Berlin"
        )
    try:
        # Without its TZID, or icalendar would keep it for other feeds that name a zone so.
        text = "\r\n".join(["BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE", ""])
        zone: Any = icalendar.Timezone.from_ical(text)
        for observance in zone.subcomponents:
            check_rules(observance, of_a_zone=True)
        zone["TZID"] = "described"
        found: tzinfo = zone.to_tz(lookup_tzid=False)
        found.utcoffset(datetime(2000, 1, 1))
    except (EventProblem, *MALFORMED) as error:
        raise EventProblem(
            f"its time zone {name[:60]!r} is described in a way that cannot be understood. "
            "Use a name like Europe/Berlin"
        ) from error
    return found


@functools.cache
def _iana() -> frozenset[str]:
    # That of the machine, which is UTC on Lambda, and none at all.
    return frozenset(available_timezones() - {"localtime", "Factory"})


@functools.cache
def _iana_by_casefold() -> Mapping[str, str]:
    return {name.casefold(): name for name in _iana()}


@functools.cache
def _iana_by_city() -> Mapping[str, str]:
    cities = sorted(name for name in _iana() if "/" in name and not name.startswith("Etc/"))
    return {name.rpartition("/")[2].replace("_", " "): name for name in cities}


def _standard_offset(zone: ZoneInfo) -> timedelta:
    """The smaller of the offsets in January and in July."""
    return min(datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (1, 7))
