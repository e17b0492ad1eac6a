"""Lab hours against other policies, in the scenarios of docs/explanation/policies.md."""

from functools import cache

import pytest
from bench.scenarios.__main__ import PAGE, with_tables
from bench.scenarios.clairvoyant import node_hours
from bench.scenarios.classes import SCENARIOS, STARTS
from bench.scenarios.compare import LAB_HOURS, Outcome, outcomes

from labswarm.planning.students import Student

NAMES = [scenario.name for scenario in SCENARIOS]


@cache
def run(name: str) -> dict[str, Outcome]:
    """The outcomes of a scenario by policy."""
    (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == name]
    return {outcome.policy: outcome for outcome in outcomes(scenario)}


def test_a_booked_class_waits_seconds_and_costs_little_more_than_the_optimum() -> None:
    """120 students in 5 minutes. Measured: p95 7 s, 1.03 times the clairvoyant cluster."""
    found = run("quick class")[LAB_HOURS]

    assert found.p95_s < 10
    assert found.of_optimum < 1.25


def test_a_class_without_a_booking_waits_for_one_node_start() -> None:
    """120 students in 10 minutes."""
    assert run("unbooked class")[LAB_HOURS].p95_s < STARTS.p95_s + 15


@pytest.mark.parametrize("name", NAMES)
def test_lab_hours_end_no_server_and_leave_nobody_without_one(name: str) -> None:
    found = run(name)[LAB_HOURS]

    assert (found.cut, found.missed) == (0, 0)


def as_fast(name: str) -> list[Outcome]:
    """The other policies under which nobody waits much longer than under lab hours."""
    ours, *others = run(name).values()
    return [other for other in others if not other.missed and other.p95_s <= ours.p95_s + 1]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_policy_with_the_same_wait_is_cheaper(name: str) -> None:
    assert [other for other in as_fast(name) if other.usd < run(name)[LAB_HOURS].usd] == []


def test_most_scenarios_have_another_policy_with_the_same_wait() -> None:
    assert sum(bool(as_fast(name)) for name in NAMES) >= len(NAMES) - 1


def test_the_page_has_the_tables_of_today_s_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = with_tables(page, lambda scenario: run(scenario.name).values())
    assert page == tables, "run `make bench-seats`"


# The optimum


def students(*intervals: tuple[float, float]) -> list[Student]:
    return [Student(0, begins, ends, ends) for begins, ends in intervals]


def test_the_optimum_pays_for_each_node_while_it_is_needed_and_for_its_start_and_end() -> None:
    come = students(*[(0, 3600)] * 3, (1800, 3600))
    assert node_hours(come, 3, 180, 60) == pytest.approx((3600 + 1800 + 2 * 240) / 3600)


def test_the_optimum_keeps_a_node_through_a_pause_that_is_shorter_than_a_start() -> None:
    short, long = (students((0, 3600), (at, at + 3600)) for at in (3700, 36_000))

    assert node_hours(short, 3, 180, 60) == pytest.approx((7200 + 100 + 240) / 3600)
    assert node_hours(long, 3, 180, 60) == pytest.approx((7200 + 2 * 240) / 3600)
