"""When which fault strikes: the same for the same seed, and no two faults in each other's place."""

from itertools import pairwise

import pytest
from tests.chaos.schedule import KINDS, strikes

HOUR_S = 3600.0
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_has_the_same_strikes_and_another_seed_has_others(seed: int) -> None:
    assert strikes(seed, HOUR_S) == strikes(seed, HOUR_S)
    assert strikes(seed, HOUR_S) != strikes(seed + 1, HOUR_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_longer_weather_begins_as_a_shorter_one(seed: int) -> None:
    short = strikes(seed, 600.0)
    assert strikes(seed, HOUR_S)[: len(short)] == short


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_minutes_have_every_kind_in_order_within_their_time(seed: int) -> None:
    planned = strikes(seed, 600.0)
    assert {strike.kind.name for strike in planned} == {kind.name for kind in KINDS}
    assert [strike.at_s for strike in planned] == sorted(strike.at_s for strike in planned)
    assert planned[0].at_s > 0
    assert planned[-1].at_s < 600.0


@pytest.mark.parametrize("seed", SEEDS)
def test_of_one_channel_no_two_strikes_are_on_at_once(seed: int) -> None:
    planned = strikes(seed, HOUR_S)
    for channel in {kind.channel for kind in KINDS}:
        of_it = [strike for strike in planned if strike.kind.channel == channel]
        assert len(of_it) > 1
        assert all(one.until_s < other.at_s for one, other in pairwise(of_it))
        for strike in of_it:
            least, most = strike.kind.lasts_s
            assert least <= strike.lasts_s <= most
