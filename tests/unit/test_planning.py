"""The plan: whether a class fits, from when, at which cost, and the limit that binds first."""

import json
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from tests.support.app_twins import DESCRIPTION

from labswarm.cluster import Cluster
from labswarm.lab_hours.booking import Booking
from labswarm.planning.answer import VERSION, Answer, percentile
from labswarm.planning.cluster import Kind, Limits, PlannedCluster, Prices
from labswarm.planning.distributions import Distributions, LogNormal, Measured, Shortage, always
from labswarm.planning.limits import Limit, bounds
from labswarm.planning.packing import FreeSeats
from labswarm.planning.plan import most_at_once, plan, simulated
from labswarm.planning.students import Arrivals, Lab, Student, students_of
from labswarm.seats import SeatedNode, choose_node

NOON = 1_800_014_400.0
SEEDED = random.Random
PRICES = Prices(0.10, 0.04, 0.01, "eu-west-1", "2026-10-08")
CLUSTER = PlannedCluster(
    Cluster.parse(json.dumps(DESCRIPTION | {"name": "lab", "headroom": 0, "node_start_s": 240})),
    Kind("m7i.large", 2, 7),
    most=100,
    prices=PRICES,
)
TIMES = Distributions(LogNormal(190, 240))
NONE_LEFT = Arrivals(within_s=600, idle_s=0)


def lab(students: int = 350, booked: bool = True, **changed: Any) -> Lab:
    values: dict[str, Any] = {
        "name": "Physics", "starts": NOON, "ends": NOON + 7200, "seats": students, **changed
    }  # fmt: skip
    return Lab(Booking(**values), students, booked)


def answer(*labs: Lab, cluster: PlannedCluster = CLUSTER, **changed: Any) -> Answer:
    given: dict[str, Any] = {
        "arrivals": NONE_LEFT, "distributions": TIMES, "seed": 1, "now": NOON - 86_400, **changed
    }  # fmt: skip
    return plan(labs or (lab(),), cluster, **given)


@cache
def usual() -> Answer:
    """The answer for the class that fits."""
    return answer()


def limited(**limits: Any) -> PlannedCluster:
    return replace(CLUSTER, limits=Limits(**limits))


# Fits


def test_a_booked_class_that_fits_is_answered_with_yes() -> None:
    found = usual()

    assert (found.verdict, found.fits, found.limit, found.remedies) == ("yes", 350, None, ())
    assert found.headline.startswith("Yes: all 350 students fit. 95 of 100 wait at most ")
    assert found.nodes == 50
    assert found.waits.p95_s < 10
    assert found.asked_from is not None
    assert 300 <= NOON - found.asked_from + 10 <= 310


def test_the_same_seed_gives_the_same_answer_and_another_seed_another() -> None:
    assert answer() == usual()
    assert answer(seed=2).waits != usual().waits


def test_the_first_class_of_a_new_cluster_is_on_time_too() -> None:
    """Lab hours do not know yet how many seats a node has. The first node says so; with one start
    ahead the others came too late: p95 77 s, and 9 s with two."""
    found = answer(cluster=replace(CLUSTER, had_nodes=False))

    assert found.verdict == "yes"
    assert found.waits.p95_s < 10
    assert [one.nodes for one in (found, usual())] == [50, 50]


def test_the_others_of_a_new_clusters_first_class_are_asked_for_two_starts_ahead() -> None:
    """The answer had a replacement's time, after the lab's start."""
    (found,) = answer(cluster=replace(CLUSTER, had_nodes=False)).labs

    assert found.asked_from is not None
    assert NOON - 2 * 300 <= found.asked_from < NOON - 300


def test_no_node_is_left_when_the_class_has_left() -> None:
    """One node of 50 stayed for good, because a quarter of its seats was spared."""
    last = usual().samples[-1]
    assert (last.open, last.paused, last.starting) == (0, 0, 0)


def test_nodes_wait_for_their_lab_when_the_start_ahead_becomes_shorter() -> None:
    """The measured starts replace the default at noon, when the nodes of the lab are there. Without
    the rule they ended, and 49 others started."""
    first, second = lab(7, ends=NOON + 600), lab(name="Chemistry", starts=NOON + 230)
    times = replace(TIMES, node_start=always(30))
    world = simulated([first, second], CLUSTER, NONE_LEFT, times, seed=1)

    assert len(world.nodes) == 51


def test_back_to_back_labs_keep_their_nodes() -> None:
    later = lab(name="Chemistry", starts=NOON + 7600, ends=NOON + 9000)
    world = simulated([lab(), later], CLUSTER, NONE_LEFT, TIMES, seed=1)

    assert len(world.nodes) == 50


def test_a_class_that_is_not_booked_is_late_and_is_advised_to_book() -> None:
    found = answer(lab(booked=False))

    assert (found.verdict, found.fits) == ("late", 350)
    assert found.waits.p95_s > 60
    assert found.remedies == ("Book 'Physics': its nodes then start 5 minutes before.",)


def test_a_class_that_is_booked_too_late_is_advised_to_book_earlier() -> None:
    found = answer(now=NOON - 60)

    assert found.verdict == "late"
    assert found.remedies == ("Book 'Physics' 4 minutes earlier.",)


def test_more_students_than_booked_seats_are_advised_to_book_all() -> None:
    found = answer(Lab(lab(120).booking, students=350))

    assert found.verdict == "late"
    assert found.remedies == ("Book 350 seats for 'Physics' instead of 120.",)


def test_overlapping_labs_add_up() -> None:
    later = lab(200, name="Chemistry", starts=NOON + 3600, ends=NOON + 9000)
    found = answer(lab(200), later)

    assert (found.students, found.nodes) == (400, 58)
    assert [one.name for one in found.labs] == ["Physics", "Chemistry"]
    assert found.fits == 400


def test_idle_servers_of_the_lab_before_take_seats_of_the_next() -> None:
    next_one = lab(200, name="Chemistry", starts=NOON + 7200, ends=NOON + 9000)

    kept = answer(lab(200), next_one, arrivals=Arrivals(within_s=600, idle_s=3600))

    assert kept.students == 400
    assert answer(lab(200), next_one).students == 200


def test_nothing_is_asked_for_before_the_question() -> None:
    found = answer(now=NOON - 30)

    assert found.asked_from is not None
    assert found.asked_from >= NOON - 30


def test_a_wait_lasts_until_the_lab_ends_as_in_the_hub() -> None:
    """Half of the class has no seat: they wait for two hours, and then leave without a server."""
    world = simulated([lab(14)], replace(CLUSTER, most=1), NONE_LEFT, TIMES, seed=1)
    without = [server for server in world.servers if server.ready_at is None]

    assert len(without) == 7
    assert max(sample.waiting for sample in world.samples if sample.at > NOON + 7000) == 7
    assert world.waiting == 0


# Limits

PLANTED = {
    Limit.SEATS: (replace(CLUSTER, kind=Kind("t3.micro", 2, 0)), 0, "does not fit into t3.micro"),
    Limit.MAX_NODES: (replace(CLUSTER, most=12), 84, "Raise max_nodes from 12 to 50."),
    Limit.VCPUS: (
        limited(spot_vcpus=40, on_demand_vcpus=0),
        140,
        "Ask AWS for 100 vCPUs of standard spot instances (the quota leaves 40).",
    ),
    Limit.CONCURRENCY: (
        limited(concurrency=10),
        42,
        "Ask AWS for 54 concurrent executions of Lambda: with 10, 6 of 50 nodes start at the same",
    ),
    Limit.SUBNET: (
        limited(subnet_addresses=30), 210, "Give the workers subnets with 20 more addresses"
    ),
    Limit.OVERLAY: (
        limited(overlay_addresses=253), 219, "Set labswarm_hub.subnet_size to 23 before"
    ),
    Limit.HUB: (limited(hub_servers=300), 300, "active_server_limit from 300 to 350"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_the_limit_that_binds_first_is_named_with_its_remedy(planted: Limit) -> None:
    cluster, students, remedy = PLANTED[planted]
    found = answer(cluster=cluster)

    # Concurrency takes no seat: nodes start later, and everybody waits for them.
    assert found.verdict == ("late" if planted is Limit.CONCURRENCY else "no")
    assert found.limit is not None
    assert found.limit.limit == planted
    assert found.limit.students == students
    assert remedy in found.limit.remedy
    assert found.remedies[0] == found.limit.remedy


def test_every_limit_is_planted() -> None:
    assert PLANTED.keys() == set(Limit)


@pytest.mark.parametrize("planted", sorted(set(Limit) - {Limit.SEATS, Limit.CONCURRENCY}))
def test_the_number_that_fits_does_fit_and_one_more_does_not(planted: Limit) -> None:
    cluster, students, _ = PLANTED[planted]

    assert answer(lab(students), cluster=cluster).verdict == "yes"
    assert answer(lab(students + 1), cluster=cluster).verdict == "no"


def test_of_several_limits_the_narrowest_is_first_and_all_have_a_remedy() -> None:
    cluster = replace(limited(subnet_addresses=30, hub_servers=300), most=12)
    found = answer(cluster=cluster)

    assert [bound.limit for bound in bounds(cluster, 350)] == ["max_nodes", "subnet", "hub"]
    assert found.headline == "No: 84 of 350 students fit. Raise max_nodes from 12 to 50."
    assert len(found.remedies) == 3


def test_on_demand_nodes_take_the_on_demand_quota() -> None:
    cluster = replace(limited(spot_vcpus=1000, on_demand_vcpus=10), percent=20)
    (bound,) = bounds(cluster, 350)

    assert bound.remedy == (
        "Ask AWS for 20 vCPUs of standard on-demand instances (the quota leaves 10)."
    )
    assert bound.students == 25 * 7


def test_limits_that_are_not_known_are_named() -> None:
    assert "concurrent executions of Lambda" in usual().not_checked
    assert answer(cluster=limited(concurrency=1000)).not_checked == (
        "vCPUs of spot instances",
        "vCPUs of on-demand instances",
        "addresses of the workers' subnets",
        "servers that the hub allows",
    )


# Losses and shortages


def test_students_of_a_lost_node_are_moved_and_the_node_is_replaced() -> None:
    found = answer(distributions=replace(TIMES, spot_losses_per_hour=0.2))

    assert found.lost_nodes > 5
    assert found.moved > found.lost_nodes
    assert found.verdict == "yes"
    assert sum(lab.served for lab in found.labs) == 350


def test_on_demand_nodes_are_not_lost() -> None:
    cluster = replace(CLUSTER, percent=100)
    assert (
        answer(cluster=cluster, distributions=replace(TIMES, spot_losses_per_hour=5)).lost_nodes
        == 0
    )


def test_no_server_is_ended_to_make_the_cluster_smaller() -> None:
    labs = [lab(60 + 30 * n, starts=NOON + 2700 * n, ends=NOON + 2700 * n + 5400) for n in range(5)]
    found = answer(*labs, arrivals=Arrivals(within_s=300, idle_s=600))

    assert found.ended_by_scale_in == 0
    assert found.samples[-1].servers == 0
    assert max(sample.paused for sample in found.samples) > 0


def test_without_spot_capacity_a_class_without_a_booking_waits_for_its_end() -> None:
    shortage = Shortage(NOON - 3600, NOON + 300)
    found = answer(lab(booked=False), distributions=replace(TIMES, shortages=(shortage,)))

    assert found.verdict == "late"
    assert found.waits.worst_s > 300


def test_without_spot_capacity_a_booked_class_gets_its_nodes_on_demand() -> None:
    shortage = Shortage(NOON - 3600, NOON + 7200)
    world = simulated([lab()], CLUSTER, NONE_LEFT, replace(TIMES, shortages=(shortage,)), seed=1)

    assert sum(server.ready_at is not None for server in world.servers) == 350
    assert Counter(node.spot for node in world.nodes.values()) == {False: 50}
    assert world.mix.base == 0, "the group's own base again"


def test_nodes_are_bought_as_spot_again_when_spot_is_there_again() -> None:
    later = lab(100, name="Chemistry", starts=NOON + 14_400, ends=NOON + 18_000)
    shortage = Shortage(NOON - 3600, NOON + 7200)
    world = simulated(
        [lab(), later], CLUSTER, NONE_LEFT, replace(TIMES, shortages=(shortage,)), seed=1
    )

    assert Counter(node.spot for node in world.nodes.values()) == {False: 50, True: 15}


def test_without_any_capacity_both_markets_are_tried_until_one_has_some() -> None:
    """Spot comes back after the lab's start; no instance on demand ever starts."""
    shortage = Shortage(NOON - 3600, NOON + 300)
    found = answer(
        cluster=limited(on_demand_vcpus=0), distributions=replace(TIMES, shortages=(shortage,))
    )

    assert sum(lab.served for lab in found.labs) == 350
    assert found.waits.worst_s < 300 + 240 + 300


def test_a_shortage_in_one_zone_delays_a_launch_by_minutes() -> None:
    shortage = Shortage(NOON - 3600, NOON + 7200, zones_left=2)
    found = answer(distributions=replace(TIMES, shortages=(shortage,)))

    assert sum(lab.served for lab in found.labs) == 350
    assert usual().waits.worst_s < found.waits.worst_s < 600


# Cost


def test_the_cost_is_node_hours_times_prices() -> None:
    found = usual()

    assert found.cost.list_usd == pytest.approx(found.cost.node_hours * 0.11)
    assert found.cost.usd == pytest.approx(found.cost.node_hours * 0.05)
    assert found.cost.node_hours == pytest.approx(50 * (2 + 5 / 60), rel=0.05)
    assert found.cost.seat_hours == pytest.approx(350 * (2 - 5 / 60), rel=0.05)


def test_labs_share_the_cost_of_their_nodes() -> None:
    later = lab(50, name="Chemistry", starts=NOON + 14_400, ends=NOON + 21_600)
    found = answer(lab(350), later)

    physics, chemistry = (one.cost.node_hours for one in found.labs)
    assert physics + chemistry == pytest.approx(found.cost.node_hours, rel=0.02)
    assert physics / chemistry == pytest.approx(50 / 8, rel=0.15)


def test_without_prices_hours_are_counted_and_no_cost() -> None:
    found = answer(cluster=replace(CLUSTER, prices=None))

    assert found.cost.node_hours > 0
    assert (found.cost.usd, found.cost.usd_per_seat_hour) == (None, None)


# Students and durations


def test_a_recorded_curve_of_as_many_students_is_the_class_itself() -> None:
    curve = (5.0, 1.0, 3.0)
    come = students_of([lab(3)], Arrivals(curve=curve), SEEDED(1))

    assert [student.arrives - NOON for student in come] == [1, 3, 5]


def test_a_recorded_curve_stands_for_a_class_of_another_size() -> None:
    come = list(students_of([lab(50)], Arrivals(curve=(5.0, 1.0)), SEEDED(1)))

    assert len(come) == 50
    assert {student.arrives - NOON for student in come} == {1, 5}


def test_half_of_the_drawn_durations_are_below_the_median_and_one_in_twenty_above_p95() -> None:
    chance = SEEDED(1)
    drawn = [LogNormal(100, 200).drawn(chance) for _ in range(4000)]

    assert percentile(drawn, 0.5) == pytest.approx(100, rel=0.05)
    assert percentile(drawn, 0.95) == pytest.approx(200, rel=0.05)
    assert {always(7).drawn(chance) for _ in range(3)} == {7}
    assert {Measured((1.0, 2.0)).drawn(chance) for _ in range(50)} == {1, 2}


@pytest.mark.parametrize(("median", "p95"), [(-1, 2), (3, 2)])
def test_a_duration_that_cannot_be_is_refused(median: float, p95: float) -> None:
    with pytest.raises(ValueError, match="no duration"):
        LogNormal(median, p95)


def test_those_who_leave_make_room_before_others_come() -> None:
    assert most_at_once([Student(0, 0, 10, 10), Student(0, 10, 20, 20), Student(0, 5, 6, 6)]) == 2


def test_seats_are_given_out_as_the_hub_gives_them_out() -> None:
    chance = SEEDED(7)
    free, opened, used = FreeSeats(3), dict[str, SeatedNode](), Counter[str]()
    choices = 0
    for _ in range(600):
        match chance.choice(("open", "close", "take", "take", "leave")):
            case "open":
                name = f"n{chance.randrange(20)}"
                if name not in opened:
                    opened[name] = SeatedNode(name, 3)
                    free.put(name, 3 - used[name])
            case "close" if opened:
                name = chance.choice(sorted(opened))
                del opened[name]
                free.remove(name)
            case "take":
                chosen = choose_node(opened.values(), used, {})
                assert free.chosen() == chosen
                if chosen:
                    choices += 1
                    used[chosen] += 1
                    free.change(chosen, -1)
            case "leave" if +used:
                name = chance.choice(sorted(+used))
                used[name] -= 1
                free.change(name, 1)
    assert choices > 100


# Data


def test_the_answer_is_json_with_its_version() -> None:
    values = json.loads(json.dumps(answer(cluster=PLANTED[Limit.MAX_NODES][0]).to_json()))

    assert values["version"] == VERSION
    assert values["limit"] == {
        "limit": "max_nodes",
        "students": 84,
        "remedy": "Raise max_nodes from 12 to 50.",
    }
    assert values["labs"][0]["cost"]["usd_per_seat_hour"] > 0


def test_a_world_that_is_too_small_serves_the_first_students() -> None:
    world = simulated([lab(100)], replace(CLUSTER, most=5), NONE_LEFT, TIMES, seed=1)

    served = [server.ready_at is not None for server in world.servers]
    assert served == [True] * 35 + [False] * 65
