"""`labswarm reconcile`: what a person is told of a pass."""

import json
from typing import Any

import pytest

from labswarm.reconcile.findings import Finding
from labswarm.reconcile.plan import Plan
from labswarm_operator.reconcile import MACHINE, make_pass, print_passes, succeeded
from labswarm_operator.refusal import Refusal

GHOST = Finding("swarm-node", "ghost", "remove", "down, and has no instance")
READY = Finding("swarm-node", "alive", "name", "ready, but has no instance")
DONE: dict[str, Any] = {
    "plan": Plan("lab", cap=5, due=(GHOST,), named=(READY,)).to_json(),
    "swarm": {"removed": ["ghost"], "kept": []},
    "chef": {"removed": []},
    "group": {"replaced": []},
}
UNDECIDED = {"plan": Plan("lab", ("the Swarm has no snapshot",)).to_json()}
FAILED = {"cluster": "lab", "failure": {"Error": "Permanent", "Cause": "there is no group [x]"}}


def told(capsys: pytest.CaptureFixture[str], *passes: dict[str, Any], dry_run: bool) -> str:
    print_passes(passes, dry_run=dry_run)
    return capsys.readouterr().out


def test_each_finding_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, DONE, dry_run=False).splitlines()[:5] == [
        "lab: 2 findings, cap 5",
        "  done now (1):",
        "    remove swarm-node ghost: down, and has no instance",
        "  for a person: not touched (1):",
        "    name swarm-node alive: ready, but has no instance",
    ]


def test_a_dry_run_says_that_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert "would be done now (1" in told(capsys, {"plan": DONE["plan"]}, dry_run=True)


def test_why_nothing_is_decided_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, UNDECIDED, dry_run=False)
    assert said == "lab: nothing is decided: the Swarm has no snapshot\n"


def test_that_every_cluster_is_at_rest_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "every cluster is at rest; --cluster NAME makes one" in told(capsys, dry_run=False)


def test_a_failure_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no group [x]" in told(capsys, FAILED, dry_run=False)


@pytest.mark.parametrize(
    ("passes", "well"),
    [
        ([DONE], True),
        ([], True),
        ([DONE, UNDECIDED], False),
        ([FAILED, DONE], False),
        ([{**DONE, "chef": {"Error": "Transient", "Cause": "it does not answer"}}], False),
        ([{**DONE, "servers": {"Error": "Transient", "Cause": "the hub is silent"}}], False),
    ],
)
def test_it_succeeds_when_every_cluster_s_pass_has(
    passes: list[dict[str, Any]], well: bool
) -> None:
    assert succeeded(passes) == well


class Machine:
    """Step Functions with one machine, each of whose executions ends at once with `passes`."""

    def __init__(self, passes: list[dict[str, Any]]) -> None:
        self.passes = passes
        self.given: list[Any] = []

    def get_paginator(self, operation: str) -> "Machine":
        assert operation == "list_state_machines"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"stateMachines": [{"name": MACHINE, "stateMachineArn": "arn:machine"}]}]

    def start_execution(self, **given: str) -> dict[str, str]:
        assert given["stateMachineArn"] == "arn:machine"
        self.given.append(json.loads(given["input"]))
        return {"executionArn": "arn:execution"}

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803
        assert executionArn == "arn:execution"
        return {"status": "SUCCEEDED", "output": json.dumps(self.passes)}


def test_an_unknown_cluster_is_refused_by_name() -> None:
    cause = json.dumps({"errorMessage": "cluster: 'x' is not described", "errorType": "BadInput"})
    machine = Machine([{"cluster": "x", "failure": {"Error": "BadInput", "Cause": cause}}])

    with pytest.raises(Refusal, match=r"--cluster 'x': cluster: 'x' is not described"):
        make_pass(machine, "x", dry_run=True)
    assert machine.given == [{"cluster": "x", "dry_run": True}]


def test_one_bad_cluster_of_all_is_told_and_refuses_nothing() -> None:
    failed = {"cluster": "x", "failure": {"Error": "BadInput", "Cause": "no JSON"}}

    assert make_pass(Machine([failed, DONE]), None, dry_run=False) == [failed, DONE]
