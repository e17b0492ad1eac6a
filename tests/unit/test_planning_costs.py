"""The cost of a simulated cluster, and each lab's share of its nodes' hours."""

import pytest

from labswarm.lab_hours.booking import Booking
from labswarm.planning.cluster import Prices
from labswarm.planning.costs import cost, paid_hours, shares
from labswarm.planning.students import Lab
from labswarm.planning.world import Node

HOUR = 3600.0
DAY = (0.0, 12 * HOUR)


def lab(name: str, starts_h: float, ends_h: float, seats: int = 10, *, booked: bool = True) -> Lab:
    return Lab(Booking(name, starts_h * HOUR, ends_h * HOUR, seats), seats, booked)


def node(launched_h: float, ended_h: float | None, *, spot: bool = True) -> Node:
    ended_at = None if ended_h is None else ended_h * HOUR
    return Node(f"i-{launched_h}", launched_h * HOUR, spot, ended_at=ended_at)


def test_hours_in_which_one_lab_is_there_are_all_its_own() -> None:
    morning, evening = lab("morning", 2, 4), lab("evening", 8, 10)

    # Each node is there within its lab only, however many seats the other one has.
    assert shares([morning, evening], [], [node(2, 4), node(8, 10)], DAY) == pytest.approx(
        [0.5, 0.5], abs=0.01
    )
    assert shares([morning, evening], [], [node(2, 4)], DAY) == pytest.approx([1, 0], abs=0.01)


def test_labs_at_the_same_time_share_by_their_seats() -> None:
    large, small = lab("large", 2, 4, 30), lab("small", 2, 4, 10)

    assert shares([large, small], [], [node(2, 4)], DAY) == pytest.approx([0.75, 0.25], abs=0.01)


def test_half_an_hour_before_and_after_a_lab_is_its_own_and_more_is_nobodys() -> None:
    (share,) = shares([lab("noon", 4, 6)], [], [node(3, 7)], DAY)

    assert share == pytest.approx(3 / 4, abs=0.01)


def test_no_node_costs_nothing_and_has_no_shares() -> None:
    assert shares([lab("noon", 4, 6)], [], [], DAY) == [0]


def test_a_cost_has_spot_and_on_demand_at_their_prices_and_the_volumes_of_both() -> None:
    nodes = [(node(0, None, spot=True), 3.0), (node(0, None, spot=False), 2.0)]

    counted = cost(nodes, 20.0, Prices(1.0, 0.25, 0.1, "eu-west-1", None))

    assert (counted.node_hours, counted.seat_hours) == (5.0, 20.0)
    assert counted.list_usd == pytest.approx(5.5)
    assert counted.usd == pytest.approx(2 * 1.0 + 3 * 0.25 + 5 * 0.1)
    assert counted.usd_per_seat_hour == pytest.approx(3.25 / 20)
    assert cost(nodes, 0.0, None).usd_per_seat_hour is None


def test_a_node_is_paid_from_its_launch_to_its_end_or_to_the_end_of_the_span() -> None:
    assert paid_hours(node(2, 5), 9 * HOUR) == 3
    assert paid_hours(node(2, None), 9 * HOUR) == 7
    assert paid_hours(node(2, 11), 9 * HOUR) == 7
