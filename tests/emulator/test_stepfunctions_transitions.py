"""AWS's bill for an execution, from its history."""

from typing import Any

import pytest
from tests.support.state_machines import branch, finished, history, one, start

from labswarm_emulator.stepfunctions.transitions import transitions

PASS: dict[str, Any] = {"Type": "Pass"}
FAILS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
    "Parameters": {"Name": "/absent"},
}
FAIL = {"Type": "Fail", "Error": "Boom"}
CAUGHT = {"Caught": {"Type": "Succeed"}}


def retrying(times: int, **fields: Any) -> dict[str, Any]:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": times}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    return {"Retry": retry, "Catch": catch, "Next": "Caught", **fields}


BILLED: dict[str, tuple[dict[str, Any], Any, int]] = {
    "one state": (one(PASS), {}, 1),
    "three states": (
        one({**PASS, "Next": "Second"}, Second={**PASS, "Next": "Caught"}, **CAUGHT),
        {},
        3,
    ),
    "a task that succeeds": (
        one({**FAILS, "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "Parameters": {}}),
        {},
        1,
    ),
    "a task and its 2 retries": (one({**FAILS, **retrying(2)}, **CAUGHT), {}, 1 + 2 + 1),
    "a parallel and its branches": (
        one({"Type": "Parallel", "Branches": [branch("One", PASS), branch("Two", PASS)]}),
        {},
        1 + 2,
    ),
    "a parallel and its retry": (
        one({"Type": "Parallel", "Branches": [branch("Fails", FAIL)], **retrying(1)}, **CAUGHT),
        {},
        1 + 1 + 1 + 1 + 1,
    ),
    "a map over 3": (one({"Type": "Map", "ItemProcessor": branch("Each", PASS)}), [1, 2, 3], 4),
    "a map over nothing": (one({"Type": "Map", "ItemProcessor": branch("Each", PASS)}), [], 1),
    "a map's tasks and their retries": (
        one(
            {
                "Type": "Map",
                # Of items at the same time the emulator may record an attempt under another item.
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "StartAt": "Each",
                    "States": {"Each": {**FAILS, **retrying(1)}, **CAUGHT},
                },
            }
        ),
        [1, 2],
        1 + 2 * (1 + 1 + 1),
    ),
    "a map and its retry": (
        one(
            {"Type": "Map", "ItemProcessor": branch("Each", FAIL), **retrying(1)},
            **CAUGHT,
        ),
        [1],
        1 + 1 + 1 + 1 + 1,
    ),
    "a parallel in a parallel, both retried": (
        one(
            {
                "Type": "Parallel",
                "Branches": [
                    branch(
                        "Inner",
                        {
                            "Type": "Parallel",
                            "Branches": [branch("Fails", FAIL)],
                            "Retry": retrying(1)["Retry"],
                        },
                    )
                ],
                **retrying(1),
            },
            **CAUGHT,
        ),
        {},
        # The outer one, its retry; in each the inner one, its retry and twice Fails; Caught.
        (1 + 1) + 2 * (1 + 1 + 2) + 1,
    ),
    "a loop": (
        one(
            {**PASS, "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Again?"},
            **{
                "Again?": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericLessThan": 5, "Next": "First"}],
                    "Default": "Caught",
                }
            },
            **CAUGHT,
        ),
        {"n": 0},
        5 * 2 + 1,
    ),
}
"""A machine, its input, and the transitions of a run: states entered, and retries."""


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "State transitions",
    "Each state entered is one, in branches and iterations too, and each retry is one more.",
    "https://aws.amazon.com/step-functions/pricing/",
)
@pytest.mark.parametrize("name", BILLED)
def test_states_and_retries_are_counted(emulator: Any, name: str) -> None:
    machine, given, expected = BILLED[name]
    execution = start(emulator, machine, given)
    finished(emulator, execution)

    events = history(emulator, execution)

    assert transitions(events) == expected, [event["type"] for event in events]
