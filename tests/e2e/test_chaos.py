"""Ten minutes of faults on a real Swarm: all that is broken heals, and no saved file is lost."""

import os

import pytest
from tests.chaos.run import CALM_WITHIN_S, run_chaos
from tests.chaos.schedule import KINDS

from labswarm_lab.nodes.requirements import missing

MINUTES = 10
SEED = 8
UP_AND_DOWN_S = 600

pytestmark = [
    pytest.mark.deep,
    pytest.mark.swarm,
    pytest.mark.timeout(60 * MINUTES + CALM_WITHIN_S + UP_AND_DOWN_S),
]


def test_after_ten_minutes_of_faults_nothing_is_wrong() -> None:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    report = run_chaos(f"w{os.getpid()}", seed=SEED, minutes=MINUTES, workers=2, students=10)
    assert report["wrong"] == []
    # And there were faults, and a class.
    assert report["faults"].keys() == {kind.name for kind in KINDS}, report["missed"]
    assert report["visits"] > 0
    assert report["files"] > report["students"], "nobody saved before the last file of each"
    assert report["early"], "no fault has met a student"
