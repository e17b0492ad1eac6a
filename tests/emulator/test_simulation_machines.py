"""The interpreter of tests/simulation and the emulator run the same definitions the same way."""

import json
import random
from typing import Any

import pytest
from tests.simulation.interpreter import Execution, Failure, Interpreter
from tests.simulation.virtual_time import VirtualTime
from tests.support import lambda_functions, state_machines
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator

QUICK = {"IntervalSeconds": 1, "BackoffRate": 1.0}


def task(payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Task that calls the function, which follows the payload's instructions."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "FUNCTION", "Payload": payload},
        **more,
    }


def machine(first: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "First", "States": {"First": first, **more}}


WAITS = "arn:aws:states:::lambda:invoke.waitForTaskToken"
EVERY = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}
END: dict[str, Any] = {"Type": "Succeed"}
FAILS = {"do": "fail", "type": "Transient", "message": "not now"}
MACHINES: dict[str, tuple[dict[str, Any], Any]] = {
    "a result is selected and put where it is wanted": (
        machine(
            task({"size.$": "$.size", "do": "return"}, ResultSelector={"text.$": "$.Payload"})
            | {"ResultPath": "$.result", "Next": "End"},
            End=END,
        ),
        {"size": 3, "kept": [1, {"two": 2}]},
    ),
    "a result is dropped": (
        machine(task({"do": "return", "size": 1}, ResultPath=None, End=True)),
        {"kept": True},
    ),
    "an error is tried again and then caught": (
        machine(
            task(
                FAILS,
                Retry=[{"ErrorEquals": ["Other", "Transient"], "MaxAttempts": 2, **QUICK}],
                Catch=[
                    {"ErrorEquals": ["Permanent"], "Next": "Wrong"},
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Caught"},
                ],
                Next="Wrong",
            ),
            Caught={"Type": "Pass", "Parameters": {"error.$": "$.failure.Error"}, "End": True},
            Wrong={"Type": "Fail", "Error": "Wrong"},
        ),
        {},
    ),
    "States.TaskFailed takes a function's error": (
        machine(
            task(
                FAILS,
                Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": None, "Next": "End"}],
                End=True,
            ),
            End=END,
        ),
        {"kept": 1},
    ),
    "an error that nobody catches is the execution's": (
        machine(task({**FAILS, "type": "Permanent"}, End=True)),
        {},
    ),
    "a function that takes too long is a timeout": (
        machine(
            task(
                {"do": "sleep", "seconds": 3},
                TimeoutSeconds=20,
                Catch=[{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Late"}],
                End=True,
            ),
            Late={"Type": "Pass", "Parameters": {"error.$": "$.late.Error"}, "End": True},
        ),
        {},
    ),
    "a function's error ends the wait for a token": (
        machine(
            task(
                FAILS,
                Resource=WAITS,
                TimeoutSeconds=60,
                Retry=[{"ErrorEquals": ["Permanent"], "MaxAttempts": 0}, {**EVERY, **QUICK}],
                Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "Caught"}],
                End=True,
            ),
            Caught={"Type": "Pass", "Parameters": {"error.$": "$.why.Error"}, "End": True},
        ),
        {},
    ),
    "a token that nobody answers is a timeout, as long as the data says": (
        machine(
            task(
                {"do": "return", "size": 1},
                Resource=WAITS,
                TimeoutSecondsPath="$.wait_s",
                Catch=[{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Late"}],
                End=True,
            ),
            Late={"Type": "Pass", "Parameters": {"error.$": "$.late.Error"}, "End": True},
        ),
        {"wait_s": 20},
    ),
    "a wait until a time that is over": (
        machine({"Type": "Wait", "TimestampPath": "$.past", "Next": "End"}, End=END),
        {"past": "2020-01-01T00:00:00Z"},
    ),
    "a path that names nothing is an error that States.ALL does not take": (
        machine(
            task(
                {"do.$": "$.missing"},
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}],
                End=True,
            ),
            End=END,
        ),
        {},
    ),
    "choices by presence, number, text, truth and index": (
        machine(
            {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.list[1]", "IsPresent": True, "Next": "Wrong"},
                    {
                        "And": [
                            {"Variable": "$.list[0].count", "NumericEquals": 2},
                            {"Not": {"Variable": "$.name", "StringEquals": "b"}},
                            {"Variable": "$.flag", "BooleanEquals": False},
                        ],
                        "Next": "Right",
                    },
                ],
                "Default": "Wrong",
            },
            Right={"Type": "Succeed"},
            Wrong={"Type": "Fail", "Error": "Wrong"},
        ),
        {"list": [{"count": 2}], "name": "a", "flag": False},
    ),
    "a number is no text": (
        machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "StringEquals": "1", "Next": "Wrong"}],
                "Default": "Right",
            },
            Right={"Type": "Succeed"},
            Wrong={"Type": "Fail", "Error": "Wrong"},
        ),
        {"n": 1},
    ),
    "times are compared with when a state was entered": (
        machine(
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Variable": "$$.State.EnteredTime",
                        "TimestampLessThanPath": "$.past",
                        "Next": "Wrong",
                    },
                    {
                        "Variable": "$$.State.EnteredTime",
                        "TimestampLessThanPath": "$.future",
                        "Next": "Right",
                    },
                ],
                "Default": "Wrong",
            },
            Right={"Type": "Succeed"},
            Wrong={"Type": "Fail", "Error": "Wrong"},
        ),
        {"past": "2020-01-01T00:00:00Z", "future": "2099-01-01T00:00:00Z"},
    ),
    "nothing chosen and no default": (
        machine(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "End"}],
            },
            End=END,
        ),
        {"n": 1},
    ),
    "a failure with its words from the data": (
        machine({"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"}),
        {"failure": {"Error": "Permanent", "Cause": "said before"}},
    ),
    "a wait, then the data as it was": (
        machine({"Type": "Wait", "Seconds": 2, "Next": "End"}, End=END),
        {"kept": 1},
    ),
    "each item through states of its own, in order, with what is chosen of it": (
        machine(
            {
                "Type": "Map",
                "ItemsPath": "$.items",
                "MaxConcurrency": 2,
                "ItemSelector": {
                    "size.$": "$$.Map.Item.Value",
                    "index.$": "$$.Map.Item.Index",
                    "do": "return",
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Each",
                    "States": {
                        "Each": task({"do": "return", "size.$": "$.size"})
                        | {"ResultSelector": {"text.$": "$.Payload"}, "End": True}
                    },
                },
                "ResultSelector": {
                    "texts.$": "$[*].text",
                    "count.$": "States.ArrayLength($)",
                    "found.$": "States.ArrayContains($[*].text, 'xx')",
                },
                "ResultPath": "$.all",
                "End": True,
            }
        ),
        {"items": [3, 1, 2]},
    ),
    "an item that fails fails the Map": (
        machine(
            {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Each",
                    "States": {"Each": {"Type": "Fail", "Error": "Permanent", "Cause": "one"}},
                },
                "Catch": [{"ErrorEquals": ["Permanent"], "ResultPath": "$.why", "Next": "Caught"}],
                "End": True,
            },
            Caught={"Type": "Pass", "Parameters": {"error.$": "$.why.Error"}, "End": True},
        ),
        {"items": [1]},
    ),
    "values are made into an array": (
        machine(
            {"Type": "Pass", "Parameters": {"all.$": "States.Array($.a, 'b', 3)"}, "End": True}
        ),
        {"a": "one"},
    ),
}
CASES = [pytest.param(*case, id=name) for name, case in MACHINES.items()]


@pytest.fixture(scope="module")
def function(emulator: RunningEmulator) -> str:
    return lambda_functions.create(emulator, lambda_functions.SOURCE)


def on_the_emulator(emulator: RunningEmulator, function: str, definition: Any, given: Any) -> Any:
    text = json.dumps(definition).replace("FUNCTION", function)
    ended = state_machines.run(emulator, json.loads(text), given)
    ending = json.loads(ended["output"]) if ended["status"] == "SUCCEEDED" else ended.get("error")
    history = state_machines.history(emulator, ended["executionArn"])
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history
        if event["type"].endswith("StateEntered")
    ]
    return ended["status"], ending, sorted(entered)


def in_the_simulation(definition: Any, given: Any) -> Any:
    time = VirtualTime()

    def invoke(_execution: Execution, _state: str, _function: str, payload: Any) -> Any:
        match payload["do"]:
            case "fail":
                raise Failure(payload["type"], payload["message"])
            case "sleep":
                # The emulator's clock is 20 times faster than its functions'.
                time.sleep(payload["seconds"] * 20)
                return {}
        return "x" * payload["size"]

    interpreter = Interpreter(
        time,
        {"machine": definition},
        invoke,
        random.Random(1),  # noqa: S311  # no secret
        lambda _: None,
    )
    execution = interpreter.start("machine", given)
    assert time.run_until(lambda: execution.status != "RUNNING", 3600)
    time.close()
    ending = execution.output if execution.status == "SUCCEEDED" else execution.error
    return execution.status, ending, sorted(execution.entered)


@pytest.mark.parametrize(("definition", "given"), CASES)
def test_both_end_a_machine_the_same_way(
    emulator: RunningEmulator, function: str, definition: Any, given: Any
) -> None:
    assert in_the_simulation(definition, given) == on_the_emulator(
        emulator, function, definition, given
    )
