"""The plan of faults: the same seed gives the same plan, and a channel has one fault at a time."""

from itertools import pairwise

import pytest
from tests.chaos.schedule import KINDS, planned_faults

HOUR_S = 3600.0
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_plans_the_same_faults_and_another_seed_plans_others(seed: int) -> None:
    assert planned_faults(seed, HOUR_S) == planned_faults(seed, HOUR_S)
    assert planned_faults(seed, HOUR_S) != planned_faults(seed + 1, HOUR_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_longer_plan_begins_as_a_shorter_one(seed: int) -> None:
    short = planned_faults(seed, 600.0)
    assert planned_faults(seed, HOUR_S)[: len(short)] == short


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_minutes_have_every_kind_in_order_within_their_time(seed: int) -> None:
    planned = planned_faults(seed, 600.0)
    assert {fault.kind.name for fault in planned} == {kind.name for kind in KINDS}
    assert [fault.at_s for fault in planned] == sorted(fault.at_s for fault in planned)
    assert planned[0].at_s > 0
    assert planned[-1].at_s < 600.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_channel_has_one_fault_at_a_time(seed: int) -> None:
    planned = planned_faults(seed, HOUR_S)
    for channel in {kind.channel for kind in KINDS}:
        of_it = [fault for fault in planned if fault.kind.channel == channel]
        assert len(of_it) > 1
        assert all(one.until_s < other.at_s for one, other in pairwise(of_it))
        for fault in of_it:
            least, most = fault.kind.lasts_s
            assert least <= fault.lasts_s <= most
