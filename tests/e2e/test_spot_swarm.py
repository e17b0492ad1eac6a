"""A node is lost on a real Swarm, with EC2's warning and without: no student loses a file."""

import json

import pytest
from tests.e2e.conftest import LabUnderTest
from tests.support.interrupted import NOTICE_S, figures, interrupted, seated
from tests.support.labs import agreed, home_files

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

STUDENTS, SIX = 4, 6
TOLD_WITHIN_S, BACK_WITHIN_S = 20, 10


def executions_on(lab: LabUnderTest, machine: str, instance_id: str) -> list[list[str]]:
    """The states that each execution of a machine about this instance entered, if it succeeded."""
    stepfunctions = lab.client("stepfunctions")
    return [
        lab.states_entered(execution)
        for execution in lab.executions(machine, "SUCCEEDED")
        if instance_id in stepfunctions.describe_execution(executionArn=execution)["input"]
    ]


# Bound in time by the request, so not for a machine that does other work too.
@pytest.mark.deep
def test_students_on_an_interrupted_node_are_notified_and_moved_before_it_is_killed(
    lab: LabUnderTest,
) -> None:
    """Five sit there, and a sixth has typed something a second before."""
    seated(lab, SIX)
    failed_before = lab.status()["executions"]["failed"]

    seen = interrupted(lab, SIX, patience_s=NOTICE_S)

    print(figures(seen))
    assert seen.wrong(TOLD_WITHIN_S, BACK_WITHIN_S) == []
    lab.eventually("another is open in its place", agreed(2), within_s=60)
    assert lab.status()["executions"]["failed"] == failed_before
    # One execution did the work and completed the terminate hook, whose own had nothing to do.
    (worked,) = executions_on(lab, "labswarm-spot-interruption", seen.instance_id)
    for state in ("Warn", "Replace", "Evacuate", "Drain", "Leave", "Remove", "Complete", "Done"):
        assert state in worked, worked
    for entered in executions_on(lab, "labswarm-node-terminate", seen.instance_id):
        assert entered == ["Claim", "Owned?", "Refused"]
    # Their servers answer and their files can be saved again.
    attended = json.loads(lab.must("class", str(SIX), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * SIX


@pytest.mark.deep
def test_without_room_they_wait_and_start_when_the_replacement_opens(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    saved = home_files(lab)
    (only,) = lab.status()["nodes"]
    assert only["seats_used"] >= STUDENTS

    lab.must("interrupt", only["instance_id"])

    lab.eventually(
        "the students are on the replacement",
        lambda seen: (
            agreed(1)(seen)
            and seen["nodes"][0]["instance_id"] != only["instance_id"]
            and seen["nodes"][0]["seats_used"] == only["seats_used"]
        ),
        within_s=NOTICE_S,
    )
    assert home_files(lab) == saved


def test_a_killed_node_is_replaced_and_its_students_start_again(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    saved = home_files(lab)
    (lost,) = (node["instance_id"] for node in lab.status()["nodes"])

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
def test_an_id_of_no_worker_is_refused_by_name(lab: LabUnderTest, what: str) -> None:
    refused = lab.run(what, "i-0000")

    assert refused.returncode == 2
    assert "NODE: There is no node 'i-0000'." in refused.stderr


@pytest.mark.deep
def test_a_rebalance_recommendation_pauses_the_node_adds_one_and_moves_nobody(
    lab: LabUnderTest,
) -> None:
    lab.must("scale", "1")
    lab.must("class", str(STUDENTS))
    (risky,) = lab.status()["nodes"]
    assert risky["seats_used"] >= STUDENTS

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
    assert (paused["instance_id"], paused["seats_used"]) == (
        risky["instance_id"],
        risky["seats_used"],
    )
