"""Feeds as real calendars write them, each with its right answer.

A case is a folder of `timetables/`: `feed.ics`, and `expected.json` with the bookings (start in
UTC, seats), a word that each problem has to contain, and a note with the reason. A null is open.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labswarm.errors import BadInput
from labswarm.lab_hours.calendar_text import decoded
from labswarm.lab_hours.timetable import Timetable, read_timetable

CASES = sorted(path.parent for path in (Path(__file__).parent / "timetables").glob("*/feed.ics"))


def as_expected(timetable: Timetable) -> list[list[object]]:
    return [
        [datetime.fromtimestamp(booking.starts, UTC).isoformat(), booking.seats]
        for booking in timetable.bookings
    ]


def named(words: Sequence[str], problems: Sequence[str]) -> bool:
    pairs = zip(words, problems, strict=False)
    return len(words) == len(problems) and all(word in problem for word, problem in pairs)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_feed_as_calendars_write_it_gives_the_right_labs(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    text = decoded((case / "feed.ics").read_bytes())
    now = datetime.fromisoformat(expected["now"]).timestamp()
    try:
        read = read_timetable(text, "lab", now)
    except BadInput:
        assert expected["raises"] == "BadInput"
        return

    if expected["bookings"] is not None:
        assert as_expected(read) == expected["bookings"], read.problems
    if expected["problems"] is not None:
        assert named(expected["problems"], read.problems), read.problems
    assert sum(read.endings.values()) == text.count("BEGIN:VEVENT")


def test_there_are_all_cases() -> None:
    assert len(CASES) >= 36
