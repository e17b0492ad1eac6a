"""A time zone is found by each of the names that calendars use, or its event is named."""

from datetime import datetime, timedelta

import pytest
from tests.support.feeds import NOW, at, event, feed, read, starts

from labswarm.lab_hours.event_problem import EventProblem
from labswarm.lab_hours.zones import Zones

WINTER, SUMMER = datetime(2026, 1, 15), datetime(2026, 7, 15)


@pytest.mark.parametrize(
    ("name", "winter", "summer"),
    [
        ("Europe/Berlin", 1, 2),
        ("europe/berlin", 1, 2),
        ("/Europe/Vienna", 1, 2),
        ("/freeassociation.sourceforge.net/Europe/Berlin", 1, 2),
        ("/citadel.org/20210210_1/America/Argentina/Buenos_Aires", -3, -3),
        ("W. Europe Standard Time", 1, 2),
        ("Pacific Standard Time", -8, -7),
        ("tzone://Microsoft/Utc", 0, 0),
        ("UTC", 0, 0),
        ("UTC+1", 1, 1),
        ("GMT-03:30", -3.5, -3.5),
        ("(UTC)", 0, 0),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", 1, 2),
        ("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", 0, 1),
        ("(UTC-05:00) Eastern Time (US & Canada)", -5, -4),
        ("(GMT+05:30) Chennai, Kolkata, Mumbai, New Delhi", 5.5, 5.5),
    ],
)
def test_a_zone_is_found_by_its_name(name: str, winter: float, summer: float) -> None:
    zone = Zones({}, None).named(name)

    assert zone.utcoffset(WINTER) == timedelta(hours=winter)
    assert zone.utcoffset(SUMMER) == timedelta(hours=summer)


@pytest.mark.parametrize(
    "name",
    [
        *("Customized Time Zone", "GMT Standard Time 1", "tzone://Microsoft/Custom", "No/Where"),
        # The city's offset is another one: a guess would be wrong by hours.
        *("(UTC+05:00) Berlin", "(UTC+01:00) Customised", "UTC+99", "Europe", "../etc/passwd"),
        *("/etc/localtime", "posixrules", "x" * 1000, ""),
    ],
)
def test_a_zone_that_nobody_knows_is_a_problem_and_never_utc(name: str) -> None:
    with pytest.raises(EventProblem, match="is not known"):
        Zones({}, None).named(name)
    one = event(f"DTSTART;TZID={name}:20261124T140000", "DURATION:PT1H", summary="Physics")
    found = read(feed(one), NOW)
    assert found.bookings == ()
    assert found.problems[0].startswith("'Physics' on 2026-11-24 at 14:00: its time zone ")


def test_times_without_a_zone_are_a_problem_when_the_calendars_is_not_known() -> None:
    one = event("DTSTART:20261124T140000", "DURATION:PT1H")

    (problem,) = read(feed(one, head=("X-WR-TIMEZONE:Nowhere/None",)), NOW).problems

    assert "its time zone 'Nowhere/None' is not known" in problem


def test_a_time_in_utc_is_in_utc_with_any_zone_next_to_it() -> None:
    one = event("DTSTART;TZID=Europe/Berlin:20261124T140000Z", "DURATION:PT1H")

    assert starts(read(feed(one), NOW)) == [at("2026-11-24T14:00+00:00")]


def test_an_end_without_a_zone_is_in_that_of_its_start() -> None:
    one = event("DTSTART;TZID=America/New_York:20261124T140000", "DTEND:20261124T150000")
    (lab,) = read(feed(one), NOW).bookings

    assert lab.ends - lab.starts == 3600


def described(name: str, offset: str, *rule: str) -> tuple[str, ...]:
    return (
        "BEGIN:VTIMEZONE", f"TZID:{name}", "BEGIN:STANDARD", "DTSTART:19700101T000000", *rule,
        f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip


def test_a_zone_that_one_feed_describes_is_not_another_feeds() -> None:
    one = event("DTSTART;TZID=Department:20261124T140000", "DURATION:PT1H")

    for offset in ("+0300", "+0500"):
        head = described("Department", offset)
        expected = at(f"2026-11-24T14:00{offset[:3]}:00")
        assert starts(read(feed(one, head=head), NOW)) == [expected]
    assert "is not known" in read(feed(one), NOW).problems[0]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=YEARLY;INTERVAL=0", "FREQ=SECONDLY", "FREQ=DAILY", "FREQ=YEARLY;COUNT=0"),
        *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "nonsense", "FREQ=YEARLY;UNTIL=never"),
    ],
)
def test_a_described_zone_whose_rule_has_no_end_is_a_problem(rule: str) -> None:
    one = event("DTSTART;TZID=Department:20261124T140000", "DURATION:PT1H")
    head = described("Department", "+0300", f"RRULE:{rule}")

    (problem,) = read(feed(one, head=head), NOW).problems

    assert "its time zone 'Department' is described in a way that cannot be understood" in problem


@pytest.mark.parametrize(
    ("zone", "until", "labs"),
    [
        # The last lab is at that very time, or on that very day, wherever it is.
        ("America/New_York", "20261126T140000", 3),
        ("America/New_York", "20261126", 3),
        ("Asia/Tokyo", "20261126", 3),
        ("Asia/Tokyo", "20261126T050000Z", 3),
        ("Asia/Tokyo", "20261126T045959Z", 2),
    ],
)
def test_the_last_lab_of_a_series_is_not_lost_by_how_its_end_is_written(
    zone: str, until: str, labs: int
) -> None:
    daily = event(
        f"DTSTART;TZID={zone}:20261124T140000", "DURATION:PT1H", f"RRULE:FREQ=DAILY;UNTIL={until}"
    )

    assert len(starts(read(feed(daily), "2026-11-24T00:00:00+00:00"))) == labs


def test_an_event_that_is_long_over_is_no_problem_whatever_its_zone() -> None:
    old = event("DTSTART;TZID=Customized:20200101T140000", "DURATION:PT1H", seats=None)
    weekly = "RRULE:FREQ=WEEKLY;INTERVAL=0;UNTIL=20201231T000000Z"
    series = event("DTSTART;TZID=Customized:20200101T140000", "DURATION:PT1H", weekly, uid="2")
    far = event("DTSTART;TZID=Customized:20300101T140000", "DURATION:PT1H", uid="3")

    found = read(feed(old, series, far), "2026-06-01T00:00:00+00:00")

    assert (found.bookings, found.problems) == ((), ())
