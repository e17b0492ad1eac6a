"""The rules of docs/explanation/hazards.md says of the machines, the group and the hub, read from
them.
"""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.machines import DOCUMENTS, MACHINES, load, reached

ROOT = Path(__file__).resolve().parents[2]
TERMINATIONS = ("node_terminate", "spot_interruption")
# The events that a state adds to a history when nothing fails.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}


def states_of(machine: str) -> dict[str, Any]:
    states: dict[str, Any] = load(ROOT / "statemachines" / f"{machine}.asl.yaml")["States"]
    return states


@pytest.mark.parametrize("machine", TERMINATIONS)
def test_a_termination_is_never_abandoned(machine: str) -> None:
    results = [
        state["Parameters"]["Payload"]["result"]
        for state in states_of(machine).values()
        if "CompleteFunction" in str(state.get("Parameters", {}).get("FunctionName"))
    ]
    assert results
    assert set(results) == {"CONTINUE"}


def test_a_group_neither_retains_instances_nor_is_refreshed_or_warmed() -> None:
    text = (ROOT / "terraform-base/modules/workers/main.tf").read_text()
    (group,) = re.findall(r'^resource "aws_autoscaling_group" .*?^}', text, re.M | re.S)
    blocks = set(re.findall(r"^  (\w+) \{", group, re.MULTILINE))
    assert "mixed_instances_policy" in blocks
    assert not blocks & {"instance_lifecycle_policy", "instance_refresh", "warm_pool"}


@pytest.mark.parametrize("machine", TERMINATIONS)
def test_a_node_is_paused_before_its_students_move_and_drained_after(machine: str) -> None:
    states = states_of(machine)
    # The document that notifies students pauses first, with any version of the hub's tool.
    (step,) = DOCUMENTS["labswarm-manager-notify"]["mainSteps"]
    (script,) = step["inputs"]["runCommand"]
    assert script.startswith('labswarm-manager pause --instance "$SSM_Instance" && ')
    pausing = {
        name
        for name, state in states.items()
        if document_of(state) in ("labswarm-manager-pause", "labswarm-manager-notify")
    }
    assert "Drain" in reached(states, "Evacuate")
    # Past the drain no student is moved, and without the pause none is and nothing is drained.
    assert not reached(states, "Drain") & {*pausing, "Evacuate"}
    without = {name: {} if name in pausing else state for name, state in states.items()}
    assert not reached(without, "Claim") & {"Evacuate", "Drain"}


def document_of(state: dict[str, Any]) -> str | None:
    payload = state.get("Parameters", {}).get("Payload", {})
    return payload.get("document") if isinstance(payload, dict) else None


def test_three_hours_of_waiting_for_students_fit_in_a_history() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
    states = states_of("node_terminate")
    turn = ("Pause", "Empty?", "AwaitStudents")
    # With its token a Task is scheduled, started and submitted before its time is over.
    of_one = {**EVENTS, "Task": EVENTS["Task"] + 2}
    assert states["Pause"]["Next"] == "Empty?"
    assert "AwaitStudents" in {rule["Next"] for rule in states["Empty?"]["Choices"]}
    assert states["AwaitStudents"]["Next"] == "Pause"

    # Without snapshots the hub is asked each minute.
    turns = 3 * 60
    assert turns * sum(of_one[states[name]["Type"]] for name in turn) < 0.8 * 25_000


def test_every_machine_is_standard() -> None:
    lines = re.findall(
        r"^    Type: AWS::Serverless::StateMachine$.*?^      Type: (\w+)$",
        (ROOT / "template.yaml").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert lines == ["STANDARD"] * len(MACHINES)


def test_the_hubs_container_calls_no_aws() -> None:
    # The page for instructors has a process of its own, on the hub's host.
    sources = [ROOT / "hub/jupyterhub_config.py", *(ROOT / "hub/labswarm_hub").rglob("*.py")]
    assert len(sources) > 10
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"boto3", "botocore"}, source
