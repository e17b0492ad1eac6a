"""The rules by which a minute is added to the record of a cluster's day."""

from dataclasses import replace

import pytest
from tests.twins.usages import MemoryUsages

from labswarm.groups import Group, Mix
from labswarm.lab_hours.booking import Booking
from labswarm.snapshot import Snapshot
from labswarm.usage.count import LONGEST_S, NO_LAB, Seen, counted, record
from labswarm.usage.usages import DayUse, LabUse

NOON = 1_795_521_600.0
DAY = "2026-11-24"
PHYSICS = Booking("Physics", NOON, NOON + 3600, 30)
MATHS = Booking("Maths", NOON, NOON + 3600, 10)
CLASS = Seen(
    NOON + 600, (PHYSICS,), 300, spot=2, on_demand=1, running=3, students=("ada", "ada", "bob")
)


def used(*seen: Seen) -> dict[str, LabUse]:
    day = DayUse(DAY)
    for one in seen:
        day = counted(day, one)
    return {lab.name: lab for lab in day.labs}


def test_a_minute_of_a_class_is_its_labs_seats_and_nodes() -> None:
    assert used(CLASS) == {
        "Physics": LabUse(
            "Physics",
            NOON,
            NOON + 3600,
            30,
            seat_s=180,
            spot_s=120,
            on_demand_s=60,
            students={"ada": 120, "bob": 60},
        )
    }


def test_the_time_since_the_last_minute_counts_and_a_gap_counts_as_a_minute() -> None:
    late = replace(CLASS, at=CLASS.at + 90)
    after_a_gap = replace(CLASS, at=late.at + LONGEST_S + 1)

    assert used(CLASS, late)["Physics"].spot_s == 2 * (60 + 90)
    assert used(CLASS, late, after_a_gap)["Physics"].spot_s == 2 * (60 + 90 + 60)


def test_labs_at_the_same_time_share_by_their_booked_seats() -> None:
    found = used(replace(CLASS, labs=(PHYSICS, MATHS)))

    assert (found["Physics"].seat_s, found["Maths"].seat_s) == (135, 45)
    assert (found["Physics"].spot_s, found["Maths"].spot_s) == (90, 30)
    assert found["Maths"].students == {"ada": 30, "bob": 15}


@pytest.mark.parametrize(
    ("at", "of_nodes"),
    [(NOON - 301, ""), (NOON - 300, "Physics"), (NOON - 1, "Physics")],
    ids=["earlier", "ahead", "just before"],
)
def test_before_a_lab_its_nodes_are_its_own_and_the_students_are_not(
    at: float, of_nodes: str
) -> None:
    found = used(replace(CLASS, at=at))

    assert found[of_nodes].spot_s == 120
    assert found[""].seat_s == 180


def test_after_a_lab_its_nodes_are_its_own_until_they_are_gone() -> None:
    ends = replace(CLASS, at=PHYSICS.ends - 60)
    # The timetable has dropped it.
    after = [replace(ends, at=PHYSICS.ends + minutes * 60, labs=()) for minutes in (0, 29, 33)]

    found = used(ends, *after)

    assert found["Physics"].spot_s == 2 * 60 * 3
    assert found["Physics"].seat_s == 180
    assert found[""].spot_s == 120


def test_a_lab_that_an_instructor_ends_keeps_its_nodes_until_they_are_gone() -> None:
    assert "" not in {
        name
        for name, use in used(CLASS, replace(CLASS, at=CLASS.at + 60, labs=())).items()
        if use.spot_s
    } - {"Physics"}


def test_work_without_a_lab_is_the_students_own() -> None:
    assert used(replace(CLASS, labs=())) == {
        "": replace(
            NO_LAB, seat_s=180, spot_s=120, on_demand_s=60, students={"ada": 120, "bob": 60}
        )
    }


def test_a_server_without_a_name_in_the_snapshot_counts_as_a_seat() -> None:
    assert used(replace(CLASS, running=5))["Physics"].seat_s == 300


def group(mix: Mix | None) -> Group:
    return Group(3, 0, 9, frozenset({"i-1", "i-2"}), pending=frozenset({"i-3"}), mix=mix)


def test_a_node_that_starts_is_paid_and_the_policy_says_which_are_on_demand() -> None:
    snapshot = Snapshot("lab", NOON, (), 2, 1, students=("ada", "bob"))

    seen = Seen.of(NOON + 5, group(Mix(1, 0)), snapshot, (PHYSICS,), 300)

    assert (seen.spot, seen.on_demand, seen.running, seen.waiting) == (2, 1, 2, 1)
    assert seen.students == ("ada", "bob")
    assert Seen.of(NOON, group(None), snapshot, (), 300).on_demand == 3


def test_of_an_old_snapshot_no_student_is_counted() -> None:
    snapshot = Snapshot("lab", NOON - 121, (), 2, 1, students=("ada", "bob"))

    seen = Seen.of(NOON, group(None), snapshot, (), 300)

    assert (seen.on_demand, seen.running, seen.students) == (3, 0, ())


def test_a_day_ends_at_midnight_in_utc_and_an_empty_minute_leaves_no_trace() -> None:
    usages = MemoryUsages()
    midnight = NOON + 12 * 3600

    record(usages, "lab", replace(CLASS, at=midnight - 1))
    record(usages, "lab", replace(CLASS, at=midnight))
    record(usages, "lab", Seen(midnight + 86_400, (PHYSICS,), 300, 0, 0))

    assert [sample.at for sample in usages.read_day("lab", DAY).samples] == [midnight - 1]
    assert [sample.at for sample in usages.read_day("lab", "2026-11-25").samples] == [midnight]
    assert usages.read_day("lab", "2026-11-26") == DayUse("2026-11-26")


def test_the_same_moment_is_counted_once() -> None:
    usages = MemoryUsages()

    record(usages, "lab", CLASS)
    record(usages, "lab", CLASS)

    (lab,) = usages.read_day("lab", DAY).labs
    assert lab.seat_s == 180
