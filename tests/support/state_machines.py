"""The shared parts of Step Functions' contract tests: one machine, run to its end."""

import json
import time
import uuid
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/contract"
DEADLINE_S = 20.0
ENDLESS = ("Choice", "Fail", "Succeed")
"""The types of state that have no End."""


def create(emulator: Any, definition: dict[str, Any]) -> str:
    """Make a state machine of `definition`; its ARN."""
    made = emulator.client("stepfunctions").create_state_machine(
        name=f"contract-{uuid.uuid4().hex[:12]}", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(made["stateMachineArn"])


def start(emulator: Any, definition: dict[str, Any], given: Any = None, **kwargs: Any) -> str:
    """Start an execution of a new machine; its ARN."""
    started = emulator.client("stepfunctions").start_execution(
        stateMachineArn=create(emulator, definition),
        input=json.dumps({} if given is None else given),
        **kwargs,
    )
    return str(started["executionArn"])


def finished(emulator: Any, execution: str) -> dict[str, Any]:
    """The execution's description once it no longer runs."""
    states = emulator.client("stepfunctions")
    deadline = time.monotonic() + DEADLINE_S
    while True:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return described
        assert time.monotonic() < deadline, (
            f"{execution} still runs: {history(emulator, execution)}"
        )
        time.sleep(0.02)


def run(emulator: Any, definition: dict[str, Any], given: Any = None) -> dict[str, Any]:
    """Run a machine of `definition` to its end; the execution's description."""
    return finished(emulator, start(emulator, definition, given))


def output(emulator: Any, definition: dict[str, Any], given: Any = None) -> Any:
    """Run a machine that has to succeed; its output."""
    ended = run(emulator, definition, given)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    return json.loads(ended["output"])


def history(emulator: Any, execution: str) -> list[dict[str, Any]]:
    """The execution's events so far."""
    events: list[dict[str, Any]] = emulator.client("stepfunctions").get_execution_history(
        executionArn=execution, maxResults=1000
    )["events"]
    return events


def one(state: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    """A machine that starts with `state`, its end unless it says otherwise, and `more` states."""
    ends = {} if {"Next", "End"} & set(state) or state["Type"] in ENDLESS else {"End": True}
    return {"StartAt": "First", "States": {"First": {**state, **ends}, **more}}


def evaluated(emulator: Any, parameters: dict[str, Any], given: Any = None) -> Any:
    """The result of a Pass state for `parameters`."""
    return output(emulator, one({"Type": "Pass", "Parameters": parameters}), given)


def branch(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """A branch, or an item processor, of one state."""
    ends = {} if state["Type"] in ENDLESS else {"End": True}
    return {"StartAt": name, "States": {name: {**state, **ends}}}


def caught_by(*names: str) -> dict[str, Any]:
    """Fields of a state that leads to `Caught`, by its end or by these errors."""
    return {"Catch": [{"ErrorEquals": list(names), "Next": "Caught"}], "Next": "Caught"}


def make_queue(emulator: Any) -> str:
    """The URL of a new queue, which tasks send their tokens to."""
    made = emulator.client("sqs").create_queue(QueueName=f"contract-{uuid.uuid4().hex[:12]}")
    return str(made["QueueUrl"])
