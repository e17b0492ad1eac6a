"""The timetable's feed: recurrences, time zones and their edges; and problems, by name."""

import re
import time

import pytest
from tests.support.feeds import HOUR, NOW, ONCE, at, event, feed, read, starts

from labswarm.errors import BadInput
from labswarm.lab_hours.booking import booked_seats
from labswarm.lab_hours.calendar_text import MOST_BYTES
from labswarm.lab_hours.timetable import Ending, read_timetable


def test_an_event_is_a_lab_with_its_times_and_seats() -> None:
    (lab,) = read(feed(event(*ONCE, summary="Physics 1")), NOW).bookings

    assert (lab.name, lab.seats) == ("Physics 1", 12)
    assert (lab.starts, lab.ends) == (at("2026-11-24T14:00+00:00"), at("2026-11-24T16:00+00:00"))


def test_a_lab_that_runs_is_read_and_one_that_is_over_is_not() -> None:
    assert len(read(feed(event(*ONCE)), "2026-11-24T15:59:00+00:00").bookings) == 1
    assert read(feed(event(*ONCE)), "2026-11-24T16:00:00+00:00").bookings == ()


def test_a_duration_is_an_end() -> None:
    (lab,) = read(feed(event("DTSTART:20261124T140000Z", "DURATION:PT90M")), NOW).bookings

    assert lab.ends - lab.starts == 1.5 * HOUR


def test_an_event_of_another_cluster_or_a_cancelled_one_is_none_of_ours() -> None:
    ours = event(*ONCE, uid="1", seats="cluster: lab\\nseats: 3")
    theirs = event(*ONCE, uid="2", seats="seats: 5\\ncluster: other")
    cancelled = event(*ONCE, "STATUS:CANCELLED", uid="3")

    found = read(feed(ours, theirs, cancelled), NOW)

    assert ([b.seats for b in found.bookings], found.problems) == ([3], ())


@pytest.mark.parametrize(
    "text", ["Seats: 12", "<p>seats:12</p><p>x</p>", "Bring it\\nseats : 12\\n"]
)
def test_seats_are_found_in_the_forms_that_people_and_their_calendars_write(text: str) -> None:
    assert [b.seats for b in read(feed(event(*ONCE, seats=text)), NOW).bookings] == [12]


ZURICH = "TZID=Europe/Zurich"
EDGES = [
    # One zone each side of Greenwich, and one half an hour off.
    ("Europe/Zurich", "20261124T140000", "2026-11-24T14:00+01:00"),
    ("America/New_York", "20261124T090000", "2026-11-24T09:00-05:00"),
    ("Asia/Kolkata", "20261124T140000", "2026-11-24T14:00+05:30"),
    ("Pacific/Auckland", "20261125T080000", "2026-11-25T08:00+13:00"),
    # Exchange's names for zones.
    ("W. Europe Standard Time", "20261124T140000", "2026-11-24T14:00+01:00"),
]


@pytest.mark.parametrize(("zone", "local", "expected"), EDGES)
def test_a_local_time_is_its_zones(zone: str, local: str, expected: str) -> None:
    one = event(f"DTSTART;TZID={zone}:{local}", "DURATION:PT1H")

    assert starts(read(feed(one), "2026-11-24T00:00:00+00:00")) == [at(expected)]


@pytest.mark.parametrize(
    ("zone", "first", "now", "expected"),
    [
        # Clocks go back on 2026-10-25 in Europe, on 2026-11-01 in the United States.
        ("Europe/Zurich", "20261019T140000", "2026-10-19T00:00:00+00:00",
         ["2026-10-19T14:00+02:00", "2026-10-26T14:00+01:00"]),
        ("America/New_York", "20261026T090000", "2026-10-26T00:00:00+00:00",
         ["2026-10-26T09:00-04:00", "2026-11-02T09:00-05:00"]),
        # They go forward on 2026-03-29 in Europe, and back on 2026-04-05 in New Zealand.
        ("Europe/Zurich", "20260323T140000", "2026-03-23T00:00:00+00:00",
         ["2026-03-23T14:00+01:00", "2026-03-30T14:00+02:00"]),
        ("Pacific/Auckland", "20260330T090000", "2026-03-29T12:00:00+00:00",
         ["2026-03-30T09:00+13:00", "2026-04-06T09:00+12:00"]),
        # Never in India.
        ("Asia/Kolkata", "20261019T140000", "2026-10-19T00:00:00+00:00",
         ["2026-10-19T14:00+05:30", "2026-10-26T14:00+05:30"]),
    ],
)  # fmt: skip
def test_a_weekly_lab_stays_at_its_local_time_over_a_change_of_clocks(
    zone: str, first: str, now: str, expected: list[str]
) -> None:
    weekly = event(f"DTSTART;TZID={zone}:{first}", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")

    assert starts(read(feed(weekly), now)) == [at(each) for each in expected]


def test_a_lab_over_the_change_of_clocks_lasts_as_long_as_it_does() -> None:
    night = event(f"DTSTART;{ZURICH}:20261025T013000", f"DTEND;{ZURICH}:20261025T033000")
    (lab,) = read(feed(night), "2026-10-24T00:00:00+00:00").bookings

    assert lab.ends - lab.starts == 3 * HOUR


def test_a_zone_that_the_feed_describes_itself_is_used() -> None:
    described = (
        "BEGIN:VTIMEZONE", "TZID:Department", "BEGIN:STANDARD", "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    one = event("DTSTART;TZID=Department:20261124T140000", "DURATION:PT1H")

    assert starts(read(feed(one, head=described), NOW)) == [at("2026-11-24T14:00+03:00")]


@pytest.mark.parametrize(
    ("head", "expected"),
    [((), "2026-11-24T14:00+00:00"),
     (("X-WR-TIMEZONE:Europe/Zurich",), "2026-11-24T14:00+01:00"),
     (("X-WR-TIMEZONE:W. Europe Standard Time",), "2026-11-24T14:00+01:00")],
)  # fmt: skip
def test_a_time_without_a_zone_is_the_calendars(head: tuple[str, ...], expected: str) -> None:
    one = event("DTSTART:20261124T140000", "DURATION:PT1H")

    assert starts(read(feed(one, head=head), NOW)) == [at(expected)]


def test_exceptions_move_cancel_and_change_single_labs() -> None:
    series = event(
        f"DTSTART;{ZURICH}:20261123T140000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=4",
        f"EXDATE;{ZURICH}:20261124T140000",
    )
    moved = event(
        f"RECURRENCE-ID;{ZURICH}:20261125T140000",
        f"DTSTART;{ZURICH}:20261125T170000",
        "DURATION:PT1H",
        seats="seats: 30",
    )
    found = read(feed(series, moved), "2026-11-23T00:00:00+00:00")

    assert [(b.starts, b.seats) for b in found.bookings] == [
        (at("2026-11-23T14:00+01:00"), 12),
        (at("2026-11-25T17:00+01:00"), 30),
        (at("2026-11-26T14:00+01:00"), 12),
    ]


BAD = {
    "has no seats": event(*ONCE, uid="bad", seats=None, summary="Bad"),
    "seats is '0'": event(*ONCE, uid="bad", seats="seats: 0", summary="Bad"),
    "seats is '-3'": event(*ONCE, uid="bad", seats="seats: -3", summary="Bad"),
    "seats is 'many'": event(*ONCE, uid="bad", seats="seats: many", summary="Bad"),
    "seats is '12.5'": event(*ONCE, uid="bad", seats="seats: 12.5", summary="Bad"),
    "seats is '100000'": event(*ONCE, uid="bad", seats="seats: 100000", summary="Bad"),
    "INTERVAL=0": event(*ONCE, "RRULE:FREQ=DAILY;INTERVAL=0", uid="bad", summary="Bad"),
    "COUNT=-1": event(*ONCE, "RRULE:FREQ=DAILY;COUNT=-1", uid="bad", summary="Bad"),
    "BYHOUR=25": event(*ONCE, "RRULE:FREQ=DAILY;BYHOUR=25", uid="bad", summary="Bad"),
    "a rule with BYEASTER": event(*ONCE, "RRULE:FREQ=YEARLY;BYEASTER=1", uid="bad", summary="Bad"),
    "a day that no year has": event(
        *ONCE, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", uid="bad", summary="Bad"
    ),
    "more than one INTERVAL": event(
        *ONCE, "RRULE:FREQ=DAILY;INTERVAL=1,2", uid="bad", summary="Bad"
    ),
    "has 5 rules": event(*ONCE, *["RRULE:FREQ=DAILY"] * 5, uid="bad", summary="Bad"),
    "has an EXRULE": event(*ONCE, "EXRULE:FREQ=DAILY", uid="bad", summary="Bad"),
    "more than one start": event(*ONCE, ONCE[0], uid="bad", summary="Bad"),
    "lasts longer than 24 hours": event(ONCE[0], "DURATION:PT25H", uid="bad", summary="Bad"),
    "cluster is": event(*ONCE, uid="bad", seats="seats: 3\\ncluster: lab (room 2)", summary="Bad"),
    "EXDATE is": event(*ONCE, "RRULE:FREQ=DAILY", "EXDATE:soon", uid="bad", summary="Bad"),
    "has no end": event(ONCE[0], uid="bad", summary="Bad"),
    "ends before": event(ONCE[0], "DTEND:20261124T130000Z", uid="bad", summary="Bad"),
    "has no start": event("DURATION:PT1H", uid="bad", summary="Bad"),
    "no time of day": event(
        "DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261125", uid="bad", summary="Bad"
    ),
    "recurs DAILY with BYMONTHDAY": event(
        *ONCE, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", uid="bad", summary="Bad"
    ),
    "recurs SECONDLY, which is too often": event(
        *ONCE, "RRULE:FREQ=SECONDLY", uid="bad", summary="Bad"
    ),
    "starts before 2000": event(
        "DTSTART:16010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", uid="bad", summary="Bad"
    ),
    "DTSTART is 'YESTERDAY'": event("DTSTART:yesterday", "DURATION:PT1H", uid="bad", summary="Bad"),
}


@pytest.mark.parametrize(("said", "bad"), BAD.items(), ids=lambda v: v[:20])
def test_a_bad_event_is_named_and_stops_no_other(said: str, bad: str) -> None:
    found = read(
        feed(event(*ONCE, uid="before"), bad, event(*ONCE, uid="after")), NOW, most_seats=100
    )

    assert len(found.bookings) == 2
    (problem,) = found.problems
    assert problem.startswith("'Bad'")
    assert said in problem
    assert problem.endswith(".")
    assert found.endings == {Ending.BOOKED: 2, Ending.LEFT_OUT: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("<html><title>Sign in</title></html>", "is a web page ('Sign in') and no calendar"),
        ("404 page not found", "begins with '404 page not found'"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT", "is cut off inside VEVENT"),
        (feed(event(*ONCE))[:-20] + feed(event(*ONCE)), "BEGIN:VEVENT in the wrong place"),
        (feed("END:VEVENT"), "END:VEVENT without its BEGIN, line 4"),
    ],
)
def test_a_text_that_is_no_feed_is_refused_with_its_reason(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        read(text, NOW)


def test_a_lab_beyond_the_cluster_has_its_limit_and_says_so() -> None:
    found = read(feed(event(*ONCE, seats="seats: 350", summary="Exam")), NOW, most_seats=140)

    assert [booking.seats for booking in found.bookings] == [140]
    assert found.problems == ()
    assert found.warnings == (
        "'Exam' on 2026-11-24 at 14:00: asks for 350 seats, and the cluster has 140 at most. "
        "140 are booked. Ask for fewer, or raise max_nodes.",
    )


def test_seats_in_a_feed_are_the_total_of_the_lab() -> None:
    """Two labs at once add up; neither is a number of spares."""
    found = read(feed(event(*ONCE, uid="1"), event(*ONCE, uid="2")), NOW)

    assert booked_seats(found.bookings, at(NOW) + 6.5 * HOUR, 0) == 24


def test_a_feed_that_is_too_large_is_refused_unread() -> None:
    begun = time.perf_counter()
    with pytest.raises(BadInput, match="over 1000000 bytes"):
        read("x" * 10 * MOST_BYTES, NOW)
    with pytest.raises(BadInput, match="over 5000 events"):
        read(feed("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 5001), NOW)

    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;COUNT=1000000",
        "FREQ=SECONDLY;COUNT=1000000",
        "FREQ=YEARLY;BYSECOND=" + ",".join(map(str, range(60))),
        "FREQ=DAILY;BYSETPOS=366",
    ],
)
def test_a_million_recurrences_take_no_time(rule: str) -> None:
    begun = time.perf_counter()
    found = read(feed(event(*ONCE, f"RRULE:{rule}"), event(*ONCE, uid="2")), NOW)

    assert len(found.bookings) + len(found.problems) <= 11
    assert time.perf_counter() - begun < 2


def test_events_that_are_left_when_the_time_is_up_are_named() -> None:
    passing = iter([0.0, 0.0, 11.0])
    found = read_timetable(
        feed(event(*ONCE), event(*ONCE, uid="2", summary="Late")),
        "lab",
        at(NOW),
        None,
        lambda: next(passing),
    )

    assert len(found.bookings) == 1
    assert found.problems == (
        "'Late' on 2026-11-24 at 14:00: was not read, because the events before it took over 10 s. "
        "Give a feed of the labs only.",
    )
