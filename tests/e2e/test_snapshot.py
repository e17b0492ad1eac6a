"""The reports of the hub's machine to AWS about the Swarm, and a person's view of them."""

import re
import subprocess
from datetime import datetime
from typing import Any

import pytest
from tests.e2e.conftest import LabUnderTest

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.snapshot import Snapshot

pytestmark = pytest.mark.timeout(600)


def snapshot(lab: LabUnderTest) -> Snapshot | None:
    return DynamoSnapshots(lab.client("dynamodb"), "labswarm-snapshots").read_snapshot(lab.name)


def agrees(lab: LabUnderTest, status: dict[str, Any]) -> bool:
    """Whether the snapshot's workers are the status's, with their seats."""
    found = snapshot(lab)
    return found is not None and {
        (node.instance_id, node.availability, node.seats, node.seats_used) for node in found.nodes
    } == {
        (node["instance_id"], node["availability"], node["seats"], node["seats_used"])
        for node in status["nodes"]
    }


def test_the_snapshot_reports_a_worker_that_joins(simulated_lab: LabUnderTest) -> None:
    simulated_lab.must("scale", "2")
    simulated_lab.eventually(
        "the snapshot has both workers",
        lambda status: len(status["nodes"]) == 2 and agrees(simulated_lab, status),
        within_s=60,
    )
    assert "2 nodes, 14 seats, 0 running, 0 waiting" in simulated_lab.must("logs", "snapshot")


def test_the_view_is_printed_once_where_there_is_no_terminal(simulated_lab: LabUnderTest) -> None:
    drawn = simulated_lab.must("watch")
    workers = simulated_lab.status()["nodes"]
    assert f"{len(workers)} workers, 0 of {7 * len(workers)} seats taken, 0 waiting" in drawn
    for worker in workers:
        assert worker["instance_id"] in drawn
    # The last report of all the parts.
    assert " in service" in drawn or "node-launch succeeded" in drawn


@pytest.mark.deep
@pytest.mark.swarm
def test_a_student_without_a_seat_is_reported_within_five_seconds(lab: LabUnderTest) -> None:
    # Seven seats are there.
    with subprocess.Popen(
        [*lab.command, "class", "9"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as students:
        try:
            lab.eventually(
                "the snapshot reports that seats are short",
                lambda _: "SeatsShort" in lab.must("logs", "snapshot"),
                within_s=60,
            )
            drawn = lab.must("watch")
        finally:
            students.terminate()
    called_at = at(lab.must("logs", "snapshot", "-n", "500"), r"(\S+ \S+) INFO SeatsShort")
    waited = at(lab.must("logs", "hub", "-n", "500"), r"W (\S+ \S+) .*No free seat for")
    assert 0 <= (called_at - waited).total_seconds() < 5
    assert "student-01" in drawn


def at(logged: str, pattern: str) -> datetime:
    """When the first line of this kind was logged."""
    found = re.search(pattern, logged)
    assert found, logged
    return datetime.fromisoformat(found[1].replace(",", "."))
