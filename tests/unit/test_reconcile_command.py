"""`labswarm reconcile`: the output about a pass for a person."""

import json
from typing import Any

import pytest

from labswarm.reconcile.findings import Finding
from labswarm.reconcile.plan import Plan
from labswarm_operator.reconcile import MACHINE, print_passes, run_pass, succeeded
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


def shown(capsys: pytest.CaptureFixture[str], *passes: dict[str, Any], dry_run: bool) -> str:
    print_passes(passes, dry_run=dry_run)
    return capsys.readouterr().out


def test_each_finding_is_printed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, DONE, dry_run=False).splitlines()[:5] == [
        "lab: 2 findings, cap 5",
        "  cleaned up (1):",
        "    remove swarm-node ghost: down, and has no instance",
        "  not touched, for you to decide (1):",
        "    name swarm-node alive: ready, but has no instance",
    ]


def test_a_dry_run_says_that_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert "would be cleaned up (1" in shown(capsys, {"plan": DONE["plan"]}, dry_run=True)


def test_the_reason_why_nothing_is_decided_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, UNDECIDED, dry_run=False)
    assert said == "lab: no decision: the Swarm has no snapshot\n"


def test_a_line_says_that_every_cluster_is_at_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "every cluster is at rest. Add --cluster NAME to run one." in shown(
        capsys, dry_run=False
    )


def test_a_failure_is_printed_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no group [x]" in shown(capsys, FAILED, dry_run=False)


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
    """Step Functions with one machine, whose executions each end at once with `passes`, and
    Parameter Store with the cluster `x`."""

    def __init__(self, passes: list[dict[str, Any]]) -> None:
        self.passes = passes
        self.given: list[Any] = []

    def __call__(self, service: str) -> Any:
        assert service in ("ssm", "stepfunctions")
        return Parameters() if service == "ssm" else self

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


class Parameters:
    def get_paginator(self, operation: str) -> "Parameters":
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        assert asked["Path"] == "/labswarm/clusters"
        return [{"Parameters": [{"Name": "/labswarm/clusters/physics", "Value": "{}"}]}]


def test_an_unknown_cluster_is_refused_and_starts_no_execution() -> None:
    machine = Machine([])

    with pytest.raises(Refusal, match=r"There is no cluster 'physcs'. Did you mean 'physics'\?"):
        run_pass(machine, "physcs", dry_run=True)
    assert machine.given == []


def test_a_cluster_that_the_app_refuses_is_named_with_the_reason() -> None:
    cause = json.dumps({"errorMessage": "seat: is missing", "errorType": "BadInput"})
    machine = Machine([{"cluster": "x", "failure": {"Error": "BadInput", "Cause": cause}}])

    with pytest.raises(Refusal, match=r"--cluster 'physics': seat: is missing"):
        run_pass(machine, "physics", dry_run=True)
    assert machine.given == [{"cluster": "physics", "dry_run": True}]


def test_one_bad_cluster_of_all_is_reported_and_refuses_nothing() -> None:
    failed = {"cluster": "x", "failure": {"Error": "BadInput", "Cause": "no JSON"}}

    assert run_pass(Machine([failed, DONE]), None, dry_run=False) == [failed, DONE]
