"""A cluster that is as large as its class, on a real Swarm: it grows when a student finds no seat,
and shrinks when they have left, by no one's server."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.support.labs import FEED, agreed, culled

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.deep, pytest.mark.swarm, pytest.mark.timeout(900)]

IDLE_S = 90
STUDENTS = 12


@pytest.fixture(scope="module")
def living_lab() -> Iterator[LabUnderTest]:
    """A lab of real nodes with one worker, where idle servers are stopped after 90 s."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"h{os.getpid()}", "--workers", "1", "--idle-timeout", str(IDLE_S))


def served_packed_and_left_again(lab: LabUnderTest) -> None:
    """All are served, node after node; culled, they leave one node, and nobody was ended."""
    before = len(culled(lab))
    answer = json.loads(lab.must("class", str(STUDENTS), "--json"))

    assert [student["ok"] for student in answer["students"]] == [True] * STUDENTS
    seen = lab.status()
    # Packed: the first node is full.
    assert sorted(node["seats_used"] for node in seen["nodes"]) == [5, 7]

    seen = lab.eventually(
        "the students' servers are culled, and one node is left",
        lambda seen: agreed(1)(seen) and seen["nodes"][0]["seats_used"] == 0,
        within_s=IDLE_S + 300,
    )

    assert seen["executions"]["failed"] == 0
    assert len(culled(lab)) == before + STUDENTS
    # And no node was ended with a server on it.
    for execution in lab.executions("labswarm-node-terminate", "SUCCEEDED"):
        assert "Evacuate" not in lab.states_entered(execution)


def test_a_class_nobody_booked_is_served_and_the_cluster_returns_to_its_minimum(
    living_lab: LabUnderTest,
) -> None:
    served_packed_and_left_again(living_lab)
    assert "SeatsShort" in living_lab.must("logs", "snapshot", "--lines", "100000")


def test_a_booked_class_finds_its_nodes_before_it_and_nobody_waits_for_one(
    living_lab: LabUnderTest, tmp_path: Path
) -> None:
    short_before = living_lab.must("logs", "snapshot", "--lines", "100000").count("SeatsShort")
    starts = datetime.now(UTC) + timedelta(minutes=2)
    form = "%Y%m%dT%H%M%SZ"
    feed = tmp_path / "labs.ics"
    times = {"starts": starts, "ends": starts + timedelta(minutes=2)}
    feed.write_text(FEED.format(**{name: at.strftime(form) for name, at in times.items()}))
    living_lab.must("timetable", str(feed))

    living_lab.eventually(
        "two open nodes, before the bell",
        lambda seen: [n["availability"] for n in seen["nodes"]] == ["active"] * 2,
        within_s=(starts - datetime.now(UTC)).total_seconds(),
    )

    served_packed_and_left_again(living_lab)
    short_after = living_lab.must("logs", "snapshot", "--lines", "100000").count("SeatsShort")
    assert short_after == short_before
