"""Ten minutes of weather on a real Swarm: all that is broken heals, and no saved file is lost."""

import os

import pytest
from tests.chaos.schedule import KINDS
from tests.chaos.storm import CALM_WITHIN_S, weathered

from labswarm_lab.nodes.requirements import missing

MINUTES = 10
SEED = 8
UP_AND_DOWN_S = 600

pytestmark = [
    pytest.mark.deep,
    pytest.mark.swarm,
    pytest.mark.timeout(60 * MINUTES + CALM_WITHIN_S + UP_AND_DOWN_S),
]


def test_after_ten_minutes_of_weather_nothing_is_wrong() -> None:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    report = weathered(f"w{os.getpid()}", seed=SEED, minutes=MINUTES, workers=2, students=10)
    assert report["wrong"] == []
    # And it was a weather, with a class in it.
    assert report["strikes"].keys() == {kind.name for kind in KINDS}, report["missed"]
    assert report["visits"] > 0
    assert report["files"] > report["students"], "nobody saved before the last file of each"
    assert report["early"], "no strike has met a student"
