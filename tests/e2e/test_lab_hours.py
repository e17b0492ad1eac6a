"""A cluster that is as large as its class, on a real Swarm: it grows when a student finds no seat,
and shrinks when they have left, by no one's server."""

import json
import os
from collections.abc import Iterator

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.e2e.test_lab import agreed

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.deep, pytest.mark.swarm, pytest.mark.timeout(900)]

IDLE_S = 90


@pytest.fixture(scope="module")
def living_lab() -> Iterator[LabUnderTest]:
    """A lab of real nodes with one worker, where idle servers are stopped after 90 s."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"h{os.getpid()}", "--workers", "1", "--idle-timeout", str(IDLE_S))


def test_a_class_nobody_booked_is_served_and_the_cluster_returns_to_its_minimum(
    living_lab: LabUnderTest,
) -> None:
    answer = json.loads(living_lab.must("class", "12", "--json"))

    assert [student["ok"] for student in answer["students"]] == [True] * 12
    seen = living_lab.status()
    # Packed: the first node is full.
    assert sorted(node["seats_used"] for node in seen["nodes"]) == [5, 7]
    assert seen["executions"]["failed"] == 0

    seen = living_lab.eventually(
        "the students' servers are culled, and one node is left",
        lambda seen: agreed(1)(seen) and seen["nodes"][0]["seats_used"] == 0,
        within_s=IDLE_S + 300,
    )
    assert seen["executions"]["failed"] == 0
    # Who was stopped was so by the culler: no node was ended with a server on it.
    for execution in living_lab.executions("labswarm-node-terminate", "SUCCEEDED"):
        assert "Evacuate" not in living_lab.states_entered(execution)
