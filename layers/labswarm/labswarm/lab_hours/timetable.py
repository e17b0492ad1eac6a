"""The timetable: an iCalendar feed (RFC 5545) with one event per lab.

Each event of a feed ends in one of the ways of Ending, and the ends are counted: none is lost
without a word. A bad event is named and stops no other.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import icalendar
import recurring_ical_events
from icalendar.prop import vDDDLists, vDDDTypes, vInt, vText

from labswarm.errors import BadInput
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.calendar_text import calendars
from labswarm.lab_hours.event import Event, check_length
from labswarm.lab_hours.event_problem import EventProblem
from labswarm.lab_hours.rules import MALFORMED
from labswarm.lab_hours.zones import Zones

MOST_OCCURRENCES = 1_000
HORIZON_S = 8 * 24 * 3600
"""How far ahead labs are read (seconds): so long a feed may stay away."""
BUDGET_S = 10.0
"""How long a feed may take to be read; the events that are left then are named."""
_NUMBER = "X-LABSWARM-NUMBER"


class Ending(StrEnum):
    """How an event of a feed ends."""

    BOOKED = "booked"
    NOT_SOON = "no lab within eight days"
    CANCELLED = "cancelled"
    ELSEWHERE = "of another cluster"
    REPLACED = "replaced by a newer version"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Timetable:
    """The labs of one cluster, by start.

    `problems` say why an event is left out, `warnings` that fewer seats are booked than an event
    asks for. Both name the event and its date. `endings` counts the feed's events by how they end.
    """

    bookings: tuple[Booking, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    endings: Mapping[Ending, int]


def read_timetable(
    text: str,
    cluster: str,
    now: float,
    most_seats: int | None = None,
    elapsed_s: Callable[[], float] = time.monotonic,
) -> Timetable:
    """Return the labs of `cluster` that run at `now` (epoch seconds) or start before the horizon.

    `most_seats` is the cluster's limit, where it is known: a lab that asks for more has these.
    Raises BadInput (`timetable`) for a text that is no feed, or is too large to be one.
    """
    return _Reading(text, cluster, now, most_seats, elapsed_s).timetable()


@dataclass
class _Series:
    """A series, its exceptions by number, and the starts at which it has no lab."""

    master: int | None
    exceptions: dict[int, datetime]
    without: list[datetime]
    until: datetime | None = None


class _Reading:
    """Reads one feed."""

    def __init__(
        self,
        text: str,
        cluster: str,
        now: float,
        most_seats: int | None,
        elapsed_s: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._first = datetime.fromtimestamp(now, UTC)
        self._last = self._first + timedelta(seconds=HORIZON_S)
        self._most_seats = most_seats
        self._elapsed_s = elapsed_s
        self._events: list[Event] = []
        self._endings: dict[int, Ending] = {}
        self._bookings: list[Booking] = []
        self._problems: list[str] = []
        self._warnings: list[str] = []
        # The events whose every lab is left out for one reason, which is named once.
        self._named: set[int] = set()
        for calendar in calendars(text):
            zones = Zones(calendar.zones, calendar.zone)
            for lines in calendar.events:
                self._events.append(Event(lines, calendar, zones))

    def timetable(self) -> Timetable:
        begun = self._elapsed_s()
        # Rules take the longest: they take no time from the labs that have none.
        for numbers in sorted(self._by_uid(), key=self._recurs):
            if self._elapsed_s() - begun > BUDGET_S:
                late = EventProblem(
                    f"was not read, because the events before it took over {BUDGET_S:g} s. "
                    "Give a feed of the labs only"
                )
                for number in numbers:
                    self._left_out(number, late)
                continue
            for series in self._series(numbers):
                self._book(series)
            if len(self._bookings) > MOST_OCCURRENCES:
                raise BadInput(
                    "timetable",
                    f"holds over {MOST_OCCURRENCES} labs within eight days; "
                    "give a feed of the labs only",
                )
        return self._summed_up()

    def _summed_up(self) -> Timetable:
        lost = EventProblem("was lost while it was read. Report this with the feed")
        for number in range(len(self._events)):
            if number not in self._endings:
                self._left_out(number, lost)
        return Timetable(
            tuple(sorted(self._bookings, key=lambda b: (b.starts, b.name))),
            tuple(self._problems),
            tuple(self._warnings),
            dict(Counter(self._endings.values())),
        )

    def _left_out(self, number: int, problem: EventProblem) -> None:
        self._endings[number] = Ending.LEFT_OUT
        self._problems.append(f"{self._events[number].title}: {problem}.")

    # From the events to the series.

    def _by_uid(self) -> Iterable[list[int]]:
        """The events that share a UID, as the parts and the versions of a series do."""
        groups: dict[object, list[int]] = {}
        for number, event in enumerate(self._events):
            groups.setdefault(event.uid or number, []).append(number)
        return groups.values()

    def _recurs(self, numbers: Sequence[int]) -> bool:
        return any(self._events[number].recurs for number in numbers)

    def _series(self, numbers: Sequence[int]) -> Iterator[_Series]:
        masters = [n for n in numbers if not self._events[n].is_exception]
        exceptions = [n for n in numbers if self._events[n].is_exception]
        current = sorted(self._newest(masters))
        cancelled = [n for n in current if self._events[n].is_cancelled]
        live = [n for n in current if self._stays(n)]
        if cancelled and not live:
            # The end of a series is also the end of its exceptions of the same version.
            sequence = max(self._events[n].sequence for n in cancelled)
            for number in exceptions:
                if self._events[number].sequence <= sequence:
                    self._endings[number] = Ending.CANCELLED
            exceptions = [n for n in exceptions if n not in self._endings]
        # A calendar that gives all its events one UID has several; its exceptions are of a series.
        owner = next((n for n in live if self._events[n].recurs), next(iter(live), None))
        for number in live:
            yield self._with_exceptions(number, exceptions if number == owner else ())
        if owner is None and exceptions:
            yield self._with_exceptions(None, exceptions)

    def _newest(self, masters: Sequence[int]) -> Iterator[int]:
        """Those without a newer version. Events are versions of one when they share UID and
        subject: a calendar that gives each event the same UID means different ones."""
        newest: dict[str, int] = {}
        seen: set[tuple[object, ...]] = set()
        for number in sorted(masters, key=lambda n: (-self._events[n].sequence, n)):
            event = self._events[number]
            copied = event.identity in seen
            if copied or event.sequence < newest.setdefault(event.subject, event.sequence):
                self._endings[number] = Ending.REPLACED
                continue
            seen.add(event.identity)
            yield number

    def _stays(self, number: int) -> bool:
        """Whether an event may be a lab of this cluster within the horizon; else ends it."""
        event = self._events[number]
        try:
            if event.is_cancelled:
                self._endings[number] = Ending.CANCELLED
            elif event.is_far_from(self._first, self._last):
                self._endings[number] = Ending.NOT_SOON
            elif event.cluster not in (None, self._cluster):
                self._endings[number] = Ending.ELSEWHERE
            else:
                event.read_times()
        except EventProblem as problem:
            self._left_out(number, problem)
        except MALFORMED:
            self._left_out(number, _malformed())
        return number not in self._endings

    def _with_exceptions(self, master: int | None, numbers: Iterable[int]) -> _Series:
        series = _Series(master, {}, [])
        of = self._events[master] if master is not None else None
        newest: dict[datetime, int] = {}
        for number in sorted(numbers, key=lambda n: (-self._events[n].sequence, n)):
            event = self._events[number]
            if event.is_far_from(self._first, self._last):
                self._endings[number] = Ending.NOT_SOON
                continue
            try:
                at = event.recurrence(of).astimezone(UTC)
            except EventProblem as problem:
                self._left_out(number, problem)
                continue
            except MALFORMED:
                self._left_out(number, _malformed())
                continue
            if at in newest:
                self._endings[number] = Ending.REPLACED
                continue
            newest[at] = number
            if self._stays(number):
                series.exceptions[number] = at
            elif event.and_future:
                series.until = min(at, series.until or at)
            else:
                series.without.append(at)
        return series

    # From a series to its labs.

    def _members(self, series: _Series) -> list[int]:
        return [*([] if series.master is None else [series.master]), *series.exceptions]

    def _book(self, series: _Series) -> None:
        members = self._members(series)
        try:
            occurrences = self._occurrences(series)
        except MALFORMED:
            # One part of it cannot be understood: each of the others may be.
            if len(members) > 1:
                for number in members:
                    alone = {number: series.exceptions[number]} if number != series.master else {}
                    without = [] if alone else [*series.without, *series.exceptions.values()]
                    self._book(_Series(None if alone else number, alone, without, series.until))
                return
            occurrences = []
            for number in members:
                self._left_out(number, _malformed())
        for number, starts, ends in occurrences:
            self._book_one(number, starts, ends, series.until)
        for number in members:
            self._endings.setdefault(number, Ending.NOT_SOON)

    def _occurrences(self, series: _Series) -> list[tuple[int, datetime, datetime]]:
        """The labs of a series that run or start within the horizon: number, start and end."""
        members = self._members(series)
        if len(members) == 1 and not self._events[members[0]].recurs and not series.without:
            starts, ends = self._events[members[0]].times
            return [(members[0], starts, ends)] if starts < self._last else []
        calendar = icalendar.Calendar()
        for number in members:
            component = self._events[number].component
            component["UID"] = vText("series")
            component["SEQUENCE"] = vInt(max(0, self._events[number].sequence))
            component[_NUMBER] = vText(str(number))
            if number == series.master:
                if series.without:
                    excluded = component.get("EXDATE", [])
                    excluded = excluded if isinstance(excluded, list) else [excluded]
                    component["EXDATE"] = [*excluded, vDDDLists(series.without)]
            else:
                recurrence = vDDDTypes(series.exceptions[number])
                recurrence.params = component["RECURRENCE-ID"].params
                component["RECURRENCE-ID"] = recurrence
                # Some calendars leave the series' rule in its exceptions, which do not recur.
                for name in ("RRULE", "RDATE", "EXDATE"):
                    component.pop(name, None)
            calendar.add_component(component)
        found = recurring_ical_events.of(calendar, skip_bad_series=False).between(
            self._first, self._last
        )
        return [(int(str(one[_NUMBER])), one["DTSTART"].dt, one["DTEND"].dt) for one in found]

    def _book_one(
        self, number: int, starts: datetime, ends: datetime, until: datetime | None
    ) -> None:
        event = self._events[number]
        if number in self._named or ends <= self._first:
            return
        if until and not event.is_exception and starts >= until:
            return
        try:
            seats = event.seats
        except EventProblem as problem:
            self._named.add(number)
            self._left_out(number, problem)
            return
        try:
            check_length(starts, ends)
        except EventProblem as problem:
            # A single date may have a length of its own (RDATE with a period).
            if number not in self._endings:
                self._left_out(number, problem)
            else:
                self._problems.append(f"{self._events[number].title}: {problem}.")
            return
        if self._most_seats is not None and seats > self._most_seats:
            if self._endings.get(number) != Ending.BOOKED:
                self._warnings.append(
                    f"{self._events[number].title}: asks for {seats} seats, and the cluster has "
                    f"{self._most_seats} at most. {self._most_seats} are booked. Ask for fewer, "
                    "or raise max_nodes."
                )
            seats = self._most_seats
        self._endings[number] = Ending.BOOKED
        self._bookings.append(
            Booking(event.name or "a lab", starts.timestamp(), ends.timestamp(), seats)
        )


def _malformed() -> EventProblem:
    return EventProblem("has a date or a rule that cannot be understood. Save it again")
