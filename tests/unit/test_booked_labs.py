"""Bookings of the hub's page: the refused ones, and the labs of the others."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from labswarm.errors import BadInput
from labswarm.lab_hours.booked_labs import event_of, labs_of, peak, with_booked
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import BookingsRead, StoredBooking
from labswarm.lab_hours.state import LabHoursState
from labswarm.lab_hours.timetable import read_timetable

VALUES: dict[str, Any] = {
    "id": "physics0",
    "cluster": "lab",
    "title": "Physics",
    "start": "2026-10-20T14:00",
    "end": "2026-10-20T16:00",
    "time_zone": "Europe/Berlin",
    "seats": 120,
    "created_by": "curie",
    "rrule": "FREQ=WEEKLY;UNTIL=20261103",
    "exdates": [],
}
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def starts(booking: StoredBooking) -> list[str]:
    labs = labs_of([booking], at("2026-10-01T00:00"), at("2027-12-01T00:00"))
    return [f"{datetime.fromtimestamp(lab.starts, BERLIN):%m-%d %H:%M}" for lab in labs]


def test_a_repeated_lab_keeps_its_wall_time_when_the_clocks_change() -> None:
    assert starts(StoredBooking.parse(VALUES)) == ["10-20 14:00", "10-27 14:00", "11-03 14:00"]


def test_a_day_that_is_left_out_has_no_lab() -> None:
    holidays = StoredBooking.parse({**VALUES, "exdates": ["2026-10-27", "2026-10-28"]})

    assert starts(holidays) == ["10-20 14:00", "11-03 14:00"]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (None, 1),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20261103", 2),
        ("FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20261103", 5),
        ("FREQ=DAILY;UNTIL=20261024", 5),
    ],
)
def test_a_rule_gives_its_labs(rule: str | None, count: int) -> None:
    assert len(starts(StoredBooking.parse({**VALUES, "rrule": rule}))) == count


def test_a_lab_counts_while_it_runs_and_not_after_it() -> None:
    booking = StoredBooking.parse(VALUES)

    assert len(labs_of([booking], at("2026-11-03T15:59"), at("2026-12-01T00:00"))) == 1
    assert labs_of([booking], at("2026-11-03T16:00"), at("2026-12-01T00:00")) == []
    assert labs_of([booking], at("2026-10-01T00:00"), at("2026-10-20T14:00")) == []


@pytest.mark.parametrize("rule", [None, "FREQ=WEEKLY;UNTIL=20261103"])
def test_a_booking_of_the_past_has_no_lab_unless_it_still_runs(rule: str | None) -> None:
    booking = StoredBooking.parse({**VALUES, "rrule": rule})
    last = booking.until.timestamp() + 1
    day = booking.until.strftime("%Y-%m-%d")

    assert len(labs_of([booking], at(f"{day}T15:00"), last)) == 1
    assert labs_of([booking], at("2026-12-01T00:00"), last) == []


def test_a_booking_is_the_same_lab_from_the_table_and_from_a_feed() -> None:
    booking = StoredBooking.parse({**VALUES, "exdates": ["2026-10-27"]})
    now = at("2026-10-19T08:00")
    calendar = "BEGIN:VCALENDAR\r\n" + event_of(booking).to_ical().decode() + "END:VCALENDAR\r\n"

    assert list(read_timetable(calendar, "lab", now).bookings) == labs_of(
        [booking], now, now + 8 * 24 * 3600
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"titel": "x"}, "titel: is not known; did you mean 'title'?"),
        ({"title": " \t "}, "title: is empty; write one of up to 60 characters"),
        ({"seats": 0}, "seats: is 0; it has to be a whole number, at least 1"),
        ({"seats": True}, "seats: is True; it has to be a whole number, at least 1"),
        ({"seats": 100_000}, "seats: is 100000; write a whole number from 1 to 99999"),
        ({"end": "2026-10-20T14:00"}, "end: is not after the start; give a later one"),
        ({"end": "2026-10-21T14:01"}, "end: is over 24 hours after the start; book each day"),
        ({"start": "2026-02-30T14:00"}, "start: is '2026-02-30T14:00', which is no time"),
        ({"start": "2026-10-20T25:00"}, "start: is '2026-10-20T25:00', which is no time"),
        ({"start": "1026-10-20T14:00"}, "start: is '1026-10-20T14:00'; write a year from 2000"),
        ({"start": "tomorrow"}, "start: is 'tomorrow'; it has to be text like"),
        ({"time_zone": "Mars/Base"}, "time_zone: is 'Mars/Base'; write one like Europe/Berlin"),
        ({"time_zone": "../../etc/passwd"}, "time_zone: is '../../etc/passwd'; write one like"),
        ({"rrule": "FREQ=SECONDLY;UNTIL=20261103"}, "rrule: is 'FREQ=SECONDLY;UNTIL=20261103'"),
        ({"rrule": "FREQ=WEEKLY"}, "rrule: is 'FREQ=WEEKLY'; it has to be text like"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20261301"}, "rrule: is '2026-13-01', which is no time"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20281103"}, "rrule: has to end between the first lab and"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20261019"}, "rrule: has to end between the first lab and"),
        ({"exdates": ["2026-13-01"]}, "exdates: is '2026-13-01', which is no time"),
        ({"exdates": ["2026-10-27"] * 61}, "exdates: has over 60 days"),
        ({"options": {"exams": "1"}}, "options: 'exams' is not known; leave it out"),
        ({"options": {"exam": "2"}}, "options: exam is '2'; write 1, or leave it out"),
        ({"options": {"exam": "1"}}, "group: is empty; an exam needs the group of its students"),
        (
            {"options": {"exam": "1"}, "group": "physics"},
            "rrule: repeats an exam; book each exam by itself",
        ),
        ({"id": "../x"}, "id: is '../x'; it has to be text like"),
        ({"group": "a\nb"}, "group: is 'a\\nb'; it has to be text like"),
        ({"warm_up": "yes"}, "warm_up: is 'yes'; it has to be true or false"),
    ],
)
def test_a_booking_that_makes_no_sense_is_refused_by_field(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        StoredBooking.parse({**VALUES, **changes})

    assert str(refused.value).startswith(sentence)


def test_a_field_that_another_version_stored_is_left_out() -> None:
    stored = StoredBooking.parse({**VALUES, "room": "N1", "options": {"x": "y"}}, stored=True)

    assert stored.title == "Physics"


def test_a_title_is_one_line_of_printable_text() -> None:
    booking = StoredBooking.parse({**VALUES, "title": "Phy\x1b[31m\n<b>sics</b>\u202e" + "x" * 99})

    assert booking.title.startswith("Phy [31m <b>sics</b> x")
    assert len(booking.title) == 60


def test_a_booking_survives_json() -> None:
    booking = StoredBooking.parse({**VALUES, "exdates": ["2026-10-27"], "group": "physics"})

    assert StoredBooking.parse(booking.to_json()) == booking


def test_labs_are_read_again_when_a_booking_or_the_limit_changes_or_hours_passed() -> None:
    booking = StoredBooking.parse(VALUES)
    read, now = BookingsRead((booking,)), at("2026-10-19T08:00")
    first = with_booked(LabHoursState(), read, now, None)

    assert with_booked(first, read, now + 60, None) is first
    assert [lab.seats for lab in with_booked(first, read, now, 50).booked] == [50]
    changed = BookingsRead((replace(booking, seats=7),))
    assert [lab.seats for lab in with_booked(first, changed, now, None).booked] == [7]
    assert len(with_booked(first, read, now + 8 * 3600, None).booked) == 2
    assert with_booked(first, BookingsRead(), now, None).booked == ()


def test_labs_at_the_same_time_add_up_at_their_busiest_moment() -> None:
    def lab(starts: float, ends: float, seats: int) -> Booking:
        return Booking("x", starts, ends, seats)

    labs = [lab(0, 10, 5), lab(5, 15, 7), lab(10, 20, 11), lab(30, 40, 100)]

    assert peak(labs, lab(0, 20, 1)) == 1 + 7 + 11
    assert peak(labs, lab(20, 30, 1)) == 1
    assert peak([], lab(0, 1, 3)) == 3
