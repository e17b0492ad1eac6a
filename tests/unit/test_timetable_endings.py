"""No event of a feed is lost: each ends in one way, and labs are where their events say."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.feeds import ONCE, event, feed, read

from labswarm.lab_hours import timetable
from labswarm.lab_hours.timetable import Ending, read_timetable

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
FORM = "%Y%m%dT%H%M%SZ"
ZONES = ("", ";TZID=Europe/Berlin", ";TZID=W. Europe Standard Time", ";TZID=Nobody")
RULES = (
    *(None, None, "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=0", "FREQ=SECONDLY"),
    *(
        "FREQ=WEEKLY;UNTIL=20261130",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "nonsense",
        "FREQ=DAILY;COUNT=-1",
    ),
)
DESCRIPTIONS = (
    *("seats: 12", "seats: 12", "seats: 0", "", "seats: many", "seats: 5\\ncluster: other"),
    *("<p>seats:&nbsp;7</p>", "seats: 3\\ncluster: lab", "seats: 3\\ncluster: ?"),
)


@dataclass(frozen=True)
class Sketch:
    """An event whose fields may all be wrong."""

    uid: str
    hours: int
    length: str
    zone: str
    rule: str | None
    description: str
    sequence: int | None
    exception: int | None
    subject: str
    extra: str | None

    def lines(self) -> str:
        starts = NOW + timedelta(hours=self.hours)
        z = "" if self.zone else "Z"
        lines = [f"DTSTART{self.zone}:{starts:%Y%m%dT%H%M%S}{z}", self.length]
        if self.rule:
            lines.append(f"RRULE:{self.rule}")
        if self.sequence is not None:
            lines.append(f"SEQUENCE:{self.sequence}")
        if self.exception is not None:
            at = NOW + timedelta(hours=self.exception)
            lines.append(f"RECURRENCE-ID{self.zone}:{at:%Y%m%dT%H%M%S}{z}")
        if self.extra:
            lines.append(self.extra)
        return event(*lines, uid=self.uid, seats=self.description, summary=self.subject)


sketches = st.builds(
    Sketch,
    uid=st.sampled_from(("a", "b", "none", "")),
    hours=st.sampled_from((-9000, -30, -1, 0, 5, 24, 48, 100, 191, 193, 9000)),
    length=st.sampled_from(
        ("DURATION:PT1H", "DURATION:PT1H", "DURATION:-PT1H", "DURATION:P99D", "DTEND:soon", "X-A:1")
    ),
    zone=st.sampled_from(ZONES),
    rule=st.sampled_from(RULES),
    description=st.sampled_from(DESCRIPTIONS),
    sequence=st.sampled_from((None, 0, 1, 2)),
    exception=st.sampled_from((None, None, 5, 24, 29, 48, 9000)),
    subject=st.sampled_from(("Lab", "Lab", "Canceled: Lab", "Exam")),
    extra=st.sampled_from(
        (
            *(None, None, "STATUS:CANCELLED", "EXDATE:20261125T130000Z", "EXDATE:never"),
            *("RDATE:20261126T100000Z", "RDATE;VALUE=PERIOD:20261126T100000Z/PT90H", "stray line"),
            *("EXRULE:FREQ=DAILY", "DTSTART:20261126T100000Z"),
        )
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(sketches, max_size=8))
def test_every_event_ends_in_one_way_and_a_left_out_one_is_named(events: list[Sketch]) -> None:
    found = read_timetable(feed(*(one.lines() for one in events)), "lab", NOW.timestamp())

    assert sum(found.endings.values()) == len(events)
    assert len(found.problems) >= found.endings.get(Ending.LEFT_OUT, 0)
    assert len(found.bookings) >= found.endings.get(Ending.BOOKED, 0)
    for problem in found.problems:
        assert problem.endswith(".")
        assert problem.startswith(("'Lab' on 20", "'Exam' on 20", "'Canceled: Lab' on 20"))
        assert "was lost while it was read" not in problem
    for lab in found.bookings:
        assert lab.starts < lab.ends <= lab.starts + 24 * 3600
        assert NOW.timestamp() < lab.ends
        assert lab.starts < NOW.timestamp() + timetable.HORIZON_S


good = st.tuples(st.integers(-23, 8 * 24 - 1), st.integers(1, 24), st.integers(1, 500))


@settings(max_examples=100, deadline=None)
@given(st.lists(good, max_size=12), st.sampled_from(("none", "own")))
def test_each_good_event_is_a_lab_with_its_times_and_seats(
    events: list[tuple[int, int, int]], uids: str
) -> None:
    lines, expected = [], []
    for number, (hours, length, seats) in enumerate(events):
        starts = NOW + timedelta(hours=hours)
        ends = starts + timedelta(hours=length)
        uid = uids if uids == "none" else str(number)
        lines.append(
            event(
                f"DTSTART:{starts:{FORM}}", f"DTEND:{ends:{FORM}}", f"X-N:{number}",
                uid=uid, seats=f"seats: {seats}", summary=f"Lab {number}",
            )
        )  # fmt: skip
        if ends > NOW:
            expected.append((starts.timestamp(), ends.timestamp(), seats))

    found = read_timetable(feed(*lines), "lab", NOW.timestamp())

    assert found.problems == ()
    assert sorted((b.starts, b.ends, b.seats) for b in found.bookings) == sorted(expected)


def test_an_event_that_its_reader_loses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count holds even if the reading has a defect."""
    monkeypatch.setattr(timetable._Reading, "_series", lambda *_: iter(()))

    found = read(feed(event(*ONCE, summary="Physics")), NOW.isoformat())

    assert found.endings == {Ending.LEFT_OUT: 1}
    assert found.problems == (
        "'Physics' on 2026-11-24 at 14:00: was lost while it was read. Report this with the feed.",
    )


SERIES = ("DTSTART:20261124T140000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3")
SECOND = "RECURRENCE-ID:20261125T140000Z"
MOVED = ("DTSTART:20261125T160000Z", "DURATION:PT1H", SECOND)


@pytest.mark.parametrize(
    ("exception", "labs"),
    [
        (event(*MOVED), [14, 40, 62]),
        (event(*MOVED, "STATUS:CANCELLED"), [14, 62]),
        (event(*MOVED, seats="seats: 3\\ncluster: other"), [14, 62]),
        # It is left out by name, and its old time is no lab either.
        (event(*MOVED, seats=None), [14, 62]),
        (event("DTSTART:20261125T160000Z", SECOND), [14, 62]),
        (event("DTSTART;TZID=Nobody:20261125T160000", "DURATION:PT1H", SECOND), [14, 62]),
        # As a date, as some calendars write it.
        (event(*MOVED[:2], "RECURRENCE-ID;VALUE=DATE:20261125"), [14, 40, 62]),
        # From then on.
        (event(*MOVED[:2], "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T140000Z"), [14, 40, 64]),
        (
            event(
                *MOVED[:2],
                "STATUS:CANCELLED",
                "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T140000Z",
            ),
            [14],
        ),
    ],
)
def test_an_exception_changes_its_lab_and_no_other(exception: str, labs: list[int]) -> None:
    found = read(feed(event(*SERIES), exception), "2026-11-24T00:00:00+00:00")

    begun = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
    assert [(lab.starts - begun) / 3600 for lab in found.bookings] == labs
    assert sum(found.endings.values()) == 2


def test_a_bad_series_keeps_its_good_exceptions() -> None:
    bad = event("DTSTART:20261124T140000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0")

    found = read(feed(bad, event(*MOVED)), "2026-11-24T00:00:00+00:00")

    assert len(found.bookings) == 1
    assert found.endings == {Ending.LEFT_OUT: 1, Ending.BOOKED: 1}


def test_a_cancelled_series_has_no_exceptions_left() -> None:
    found = read(feed(event(*SERIES, "STATUS:CANCELLED"), event(*MOVED)), NOW.isoformat())

    assert (found.bookings, found.endings) == ((), {Ending.CANCELLED: 2})


def test_the_same_event_twice_is_one_lab() -> None:
    found = read(feed(event(*ONCE), event(*ONCE)), NOW.isoformat())

    assert found.endings == {Ending.BOOKED: 1, Ending.REPLACED: 1}
    assert len(found.bookings) == 1


def test_one_date_that_is_too_long_is_named_and_the_others_are_labs() -> None:
    dates = "RDATE;VALUE=PERIOD:20261126T100000Z/PT90H,20261127T100000Z/PT2H"

    found = read(feed(event(*ONCE, dates)), NOW.isoformat())

    assert [(b.ends - b.starts) / 3600 for b in found.bookings] == [2, 2]
    (problem,) = found.problems
    assert "lasts longer than 24 hours, until 2026-11-30 04:00" in problem
