"""A student's hours per week: counted outside of booked labs, by week, and kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from labswarm.lab_hours.group_labs import GroupLab
from labswarm_hub.hours import Hours, charged, week_of

MONDAY = datetime(2027, 2, 8, tzinfo=UTC).timestamp()
H = 3600.0


def lab(starts_h: float, ends_h: float) -> GroupLab:
    times = (MONDAY + starts_h * H, MONDAY + ends_h * H)
    return GroupLab("lab00001", "Physics", "physics", *times, exam=False, by="curie")


@pytest.mark.parametrize(
    ("begun_h", "ended_h", "free", "hours"),
    [
        (10, 12, [], 2),
        (10, 12, [lab(9, 13)], 0),
        (10, 14, [lab(11, 12)], 3),
        (10, 14, [lab(13, 20), lab(9, 11)], 2),
        (10, 14, [lab(11, 13), lab(12, 13.5)], 1.5),
        (10, 14, [lab(1, 2), lab(20, 21)], 4),
        (10, 10, [], 0),
    ],
)
def test_booked_hours_are_free(
    begun_h: float, ended_h: float, free: list[GroupLab], hours: float
) -> None:
    found = charged(MONDAY + begun_h * H, MONDAY + ended_h * H, free)
    assert sum(found.values()) == hours * H


def test_a_night_from_sunday_to_monday_belongs_to_two_weeks() -> None:
    assert charged(MONDAY - 2 * H, MONDAY + 3 * H, []) == {
        "2027-02-01": 2 * H,
        "2027-02-08": 3 * H,
    }
    assert week_of(MONDAY - 1) == "2027-02-01"


def test_hours_add_up_per_student_and_week_also_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "hours.sqlite"
    Hours(file).add("ada", {"2027-02-08": 2 * H})
    Hours(file).add("ada", {"2027-02-08": H, "2027-02-01": H})
    Hours(file).add("bob", {"2027-02-08": 9 * H})
    Hours(file).add("eve", {})

    hours = Hours(file)
    assert [hours.used_s(name, MONDAY) for name in ("ada", "bob", "eve")] == [3 * H, 9 * H, 0]
    assert hours.used_s("ada", MONDAY - 1) == H
