"""Bookings that instructors make on the hub's page: their form, and where they are kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo, available_timezones

from labswarm.cluster import NAME
from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields, names
from labswarm.lab_hours.event import LONGEST, MOST_NAME, MOST_SEATS, printable

LONGEST_SERIES = timedelta(days=366)
"""From the first lab of a booking to the last."""
MOST_EXDATES = 60
KEPT = timedelta(days=366)
"""How long a booking is kept after its last lab, to be copied to the next term."""
EXAM = "exam"
OPTIONS: Mapping[str, tuple[str, ...]] = {EXAM: ("1",)}
"""The names that `options` may have, each with its values: for `exam` the version of its rules."""
_ID = re.compile(r"[a-z0-9]{8,32}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_RRULE = re.compile(
    r"FREQ=(DAILY|WEEKLY)(;INTERVAL=[1-9]\d?)?"
    r"(;BYDAY=(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU)){0,6})?;UNTIL=(\d{8})"
)
# A hub's group and a person's name: any text in one line.
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True)
class StoredBooking:
    """A lab with its repeats, as an instructor booked it.

    `start` and `end` are the first lab's, in the wall time of `time_zone` (ISO 8601 without an
    offset, to the minute); a repeat has the same wall time in summer and in winter. `rrule` is a
    rule of RFC 5545 with an UNTIL, whose day counts; `exdates` are the days without a lab. `seats`
    is the total. `group` is the hub's group of the students. `version` counts the writes, 0 for a
    booking that is not stored yet.
    """

    id: str
    cluster: str
    title: str
    start: str
    end: str
    time_zone: str
    seats: int
    created_by: str
    rrule: str | None = None
    exdates: tuple[str, ...] = ()
    profile: str | None = None
    group: str | None = None
    warm_up: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def parse(cls, values: object, *, stored: bool = False) -> "StoredBooking":
        """Return the booking in a JSON object.

        Raises BadInput naming the first field that is wrong. An unknown field is wrong too, unless
        it was `stored`, maybe by another version of the page.
        """
        fields = Fields(values, ANY_VERSION if stored else names(cls), of="booking")
        options = fields.texts_by_name("options")
        if not stored:
            _refuse_unknown_options(options)
        booking = cls(
            id=fields.text("id", _ID),
            cluster=fields.text("cluster", NAME),
            title=printable(fields.text("title")),
            start=fields.text("start", _TIME),
            end=fields.text("end", _TIME),
            time_zone=fields.text("time_zone"),
            seats=fields.count("seats", 1),
            created_by=fields.text("created_by", _WORD),
            rrule=fields.optional("rrule", _RRULE),
            exdates=fields.texts("exdates", _DATE, default=()),
            profile=fields.optional("profile", _WORD),
            group=fields.optional("group", _WORD),
            warm_up=fields.flag("warm_up", default=True),
            options=options,
            version=fields.count("version", default=0),
        )
        booking._refuse_wrong()
        return booking

    def to_json(self) -> dict[str, Any]:
        """Return the booking as `parse` reads it."""
        return {**asdict(self), "exdates": list(self.exdates), "options": dict(self.options)}

    @property
    def is_exam(self) -> bool:
        """Whether its labs are exams, in this version of the rules or in another one."""
        return EXAM in self.options

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of its times."""
        return ZoneInfo(self.time_zone)

    @property
    def starts(self) -> datetime:
        """When its first lab starts, unless that day is left out."""
        return datetime.fromisoformat(self.start).replace(tzinfo=self.zone)

    @property
    def ends(self) -> datetime:
        """When its first lab ends."""
        return datetime.fromisoformat(self.end).replace(tzinfo=self.zone)

    @property
    def until(self) -> datetime:
        """A time by which its last lab has started: the end of the rule's last day."""
        if self.rrule is None:
            return self.starts
        day = datetime.strptime(self.rrule.rpartition("=")[2], "%Y%m%d")
        return datetime.combine(day, time(23, 59, 59), self.zone)

    @property
    def kept_until(self) -> datetime:
        """When the table forgets it."""
        return self.until.astimezone(UTC) + LONGEST + KEPT

    def _refuse_wrong(self) -> None:
        if not self.title:
            raise BadInput("title", f"is empty; write one of up to {MOST_NAME} characters")
        if self.seats > MOST_SEATS:
            raise BadInput("seats", f"is {self.seats}; write a whole number from 1 to {MOST_SEATS}")
        if self.time_zone not in available_timezones():
            raise BadInput("time_zone", f"is {self.time_zone[:60]!r}; write one like Europe/Berlin")
        for name in ("start", "end"):
            _real_day(name, getattr(self, name))
        length = self.ends.astimezone(UTC) - self.starts.astimezone(UTC)
        if length <= timedelta(0):
            raise BadInput("end", "is not after the start; give a later one")
        if length > LONGEST:
            hours = LONGEST // timedelta(hours=1)
            raise BadInput("end", f"is over {hours} hours after the start; book each day")
        if self.is_exam:
            self._refuse_wrong_exam()
        if len(self.exdates) > MOST_EXDATES:
            raise BadInput("exdates", f"has over {MOST_EXDATES} days; make a booking for each part")
        for day in self.exdates:
            _real_day("exdates", day)
        if self.rrule is not None:
            _real_day("rrule", f"{self.rrule[-8:-4]}-{self.rrule[-4:-2]}-{self.rrule[-2:]}")
            if not timedelta(0) <= self.until - self.starts <= LONGEST_SERIES:
                raise BadInput(
                    "rrule", "has to end between the first lab and a year after it; change UNTIL"
                )

    def _refuse_wrong_exam(self) -> None:
        if self.group is None:
            raise BadInput("group", "is empty; an exam needs the group of its students")
        if self.rrule is not None:
            raise BadInput("rrule", "repeats an exam; book each exam by itself")


@dataclass(frozen=True)
class BookingsRead:
    """The bookings of a cluster, and a sentence for each stored one that cannot be read."""

    bookings: tuple[StoredBooking, ...] = ()
    problems: tuple[str, ...] = ()


class ReadBookings(Protocol):
    """Where lab hours read the bookings of a cluster."""

    def read_bookings(self, cluster: str) -> BookingsRead:
        """The cluster's bookings, by id."""


class Bookings(ReadBookings, Protocol):
    """Where bookings are kept. A write or a removal of another version than the stored one does
    nothing: two editors cannot overwrite each other."""

    def write_booking(self, booking: StoredBooking) -> StoredBooking | None:
        """Keep it with the next version, and return that; None when the stored one is another."""

    def remove_booking(self, booking: StoredBooking) -> bool:
        """Forget it; False when the stored one is another, or there is none."""


def next_version(booking: StoredBooking) -> StoredBooking:
    """Return the booking as it is after a write."""
    return replace(booking, version=booking.version + 1)


def read_all(stored: Sequence[tuple[str, object]]) -> BookingsRead:
    """Return the bookings in the values of a store, each with its id."""
    bookings: list[StoredBooking] = []
    problems: list[str] = []
    for name, values in stored:
        try:
            bookings.append(StoredBooking.parse(values, stored=True))
        except BadInput as bad:
            problems.append(f"The booking {name!r} is left out: {bad}. Save it again.")
    return BookingsRead(tuple(sorted(bookings, key=lambda one: one.id)), tuple(problems))


def _refuse_unknown_options(options: Mapping[str, str]) -> None:
    for name, value in sorted(options.items()):
        if name not in OPTIONS:
            raise BadInput("options", f"{name!r} is not known; leave it out")
        if value not in OPTIONS[name]:
            known = " or ".join(OPTIONS[name])
            raise BadInput("options", f"{name} is {value[:20]!r}; write {known}, or leave it out")


def _real_day(name: str, text: str) -> None:
    try:
        day = date.fromisoformat(text[:10])
        time.fromisoformat(text[11:] or "00:00")
    except ValueError as error:
        raise BadInput(name, f"is {text!r}, which is no time; write one like 2026-12-08") from error
    if not 2000 <= day.year <= 2199:
        raise BadInput(name, f"is {text!r}; write a year from 2000 to 2199")
