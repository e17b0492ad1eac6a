"""A node is lost on a real Swarm, with EC2's warning and without: no student loses a file."""

import json
import time
from typing import Any

import pytest
from tests.e2e.conftest import LabUnderTest
from tests.e2e.test_lab import agreed, home_files

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

STUDENTS = 4
BACK_WITHIN_S = 15
NOTICE_S = 120


def full_node(lab: LabUnderTest, students: int) -> str:
    (full,) = (node for node in lab.status()["nodes"] if node["seats_used"] == students)
    return str(full["instance_id"])


def others_seats_used(seen: dict[str, Any], lost: str) -> int:
    return sum(n["seats_used"] or 0 for n in seen["nodes"] if n["instance_id"] != lost)


# Bound in time by what was asked for, so not for a machine that does other work too.
@pytest.mark.deep
def test_students_on_an_interrupted_node_are_back_elsewhere_before_it_is_killed(
    lab: LabUnderTest,
) -> None:
    lab.must("scale", "1")
    attended = json.loads(lab.must("class", str(STUDENTS), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * STUDENTS
    saved = home_files(lab)
    lab.must("scale", "2")
    lost = full_node(lab, STUDENTS)
    failed_before = lab.status()["executions"]["failed"]

    warned = time.monotonic()
    lab.must("interrupt", lost)
    lab.eventually(
        f"all {STUDENTS} students are on another node",
        lambda seen: others_seats_used(seen, lost) == STUDENTS,
        within_s=BACK_WITHIN_S,
    )
    lab.eventually(
        "the node is gone from AWS, Swarm and Chef Server, and another is open in its place",
        lambda seen: (
            agreed(2)(seen) and lost not in {node["instance_id"] for node in seen["nodes"]}
        ),
        within_s=NOTICE_S - (time.monotonic() - warned),
    )

    assert home_files(lab) == saved
    assert lab.status()["executions"]["failed"] == failed_before
    # One execution did the work and completed the terminate hook, whose own had nothing to do.
    (interrupted,) = lab.executions("labswarm-spot-interruption", "SUCCEEDED")
    entered = lab.states_entered(interrupted)
    for state in (
        "Warn",
        "Replace",
        "Evacuate",
        "Drain",
        "Leave",
        "Remove",
        "Complete",
        "Done",
    ):
        assert state in entered, entered
    stepfunctions = lab.client("stepfunctions")
    for execution in lab.executions("labswarm-node-terminate", "SUCCEEDED"):
        told = stepfunctions.describe_execution(executionArn=execution)
        if json.loads(told["input"])["detail"]["EC2InstanceId"] == lost:
            assert lab.states_entered(execution) == ["Claim", "Owned?", "Refused"]
    # Their servers answer and their files can be saved again.
    attended = json.loads(lab.must("class", str(STUDENTS), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * STUDENTS


@pytest.mark.deep
def test_without_room_they_wait_and_start_when_the_replacement_opens(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    saved = home_files(lab)
    (only,) = lab.status()["nodes"]

    lab.must("interrupt", only["instance_id"])

    lab.eventually(
        "the students are on the replacement",
        lambda seen: (
            agreed(1)(seen)
            and seen["nodes"][0]["instance_id"] != only["instance_id"]
            and seen["nodes"][0]["seats_used"] == STUDENTS
        ),
        within_s=NOTICE_S,
    )
    assert home_files(lab) == saved


def test_a_killed_node_is_replaced_and_its_students_start_again(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    saved = home_files(lab)
    lost = full_node(lab, STUDENTS)

    lab.must("kill", lost)

    lab.eventually(
        "the node is gone from all three sides, and another is open in its place",
        lambda seen: agreed(1)(seen) and seen["nodes"][0]["instance_id"] != lost,
        within_s=NOTICE_S,
    )
    assert home_files(lab) == saved
    attended = json.loads(lab.must("class", str(STUDENTS), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * STUDENTS


@pytest.mark.parametrize("what", ["interrupt", "kill"])
def test_what_names_no_worker_is_refused_by_name(lab: LabUnderTest, what: str) -> None:
    refused = lab.run(what, "i-0000")

    assert refused.returncode == 2
    assert "NODE 'i-0000' names no worker; there are: i-" in refused.stderr


@pytest.mark.deep
def test_a_rebalance_recommendation_pauses_the_node_adds_one_and_moves_nobody(
    lab: LabUnderTest,
) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    (risky,) = lab.status()["nodes"]

    lab.must("interrupt", "--rebalance", risky["instance_id"])

    seen = lab.eventually(
        "another node is open beside the paused one",
        lambda seen: (
            len(seen["nodes"]) == 2
            and {n["availability"] for n in seen["nodes"]} == {"active", "pause"}
            and all(n["asg"] == "InService" for n in seen["nodes"])
        ),
        within_s=60,
    )
    (paused,) = (n for n in seen["nodes"] if n["availability"] == "pause")
    assert (paused["instance_id"], paused["seats_used"]) == (risky["instance_id"], STUDENTS)
