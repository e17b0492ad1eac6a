"""The Amazon States Language, state by state."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.state_machines import (
    branch,
    caught_by,
    finished,
    history,
    make_queue,
    one,
    output,
    run,
    start,
)

pytestmark = pytest.mark.emulator

PASS: dict[str, Any] = {"Type": "Pass"}
FAIL = {"Type": "Fail", "Error": "Boom", "Cause": "as given"}
CAUGHT = {"Caught": {"Type": "Pass", "End": True}}


@pytest.fixture(scope="module")
def queue(emulator: Any) -> str:
    """The URL of a queue."""
    return make_queue(emulator)


@pytest.mark.aws(
    "Step Functions",
    "Pass",
    "Result is the output, put at ResultPath into the input, which InputPath selects first.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-pass.html",
)
@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"Result": {"b": 2}}, {"a": 1}, {"b": 2}),
        ({"Result": 2, "ResultPath": "$.b"}, {"a": 1}, {"a": 1, "b": 2}),
        ({"Result": 2, "ResultPath": "$.b.c.d"}, {"a": 1}, {"a": 1, "b": {"c": {"d": 2}}}),
        ({"Result": 2, "ResultPath": "$.a[1]"}, {"a": [0, 1]}, {"a": [0, 2]}),
        ({"Result": 2, "ResultPath": None}, {"a": 1}, {"a": 1}),
        ({"InputPath": "$.a"}, {"a": {"b": 1}}, {"b": 1}),
        ({"InputPath": None}, {"a": 1}, {}),
        ({"OutputPath": "$.a"}, {"a": 1}, 1),
        ({"OutputPath": None}, {"a": 1}, {}),
        (
            {"Parameters": {"x.$": "$.a", "fixed": [1, {"y.$": "$$.State.Name"}]}},
            {"a": None},
            {"x": None, "fixed": [1, {"y": "First"}]},
        ),
        ({"InputPath": "$.a", "Result": 7, "ResultPath": "$.r"}, {"a": 1}, {"a": 1, "r": 7}),
        ({"InputPath": "$$.Execution.Input.a"}, {"a": 5}, 5),
    ],
)
def test_a_pass_state_makes_its_output(
    emulator: Any, state: Any, given: Any, expected: Any
) -> None:
    assert output(emulator, one({**PASS, **state}), given) == expected


@pytest.mark.aws(
    "Step Functions",
    "ResultPath",
    "A ResultPath that cannot be applied to the input is States.ResultPathMatchFailure.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
@pytest.mark.parametrize("path", ["$.a.b", "$.list[5]", "$.list.name"])
def test_a_result_that_cannot_be_placed_is_an_error(emulator: Any, path: str) -> None:
    ended = run(emulator, one({**PASS, "Result": 1, "ResultPath": path}), {"a": 1, "list": [0]})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.ResultPathMatchFailure")


@pytest.mark.aws(
    "Step Functions",
    "InputPath, OutputPath",
    "A path to nothing ends the execution with States.Runtime, and its cause names the path.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html",
)
@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_a_path_of_a_state_to_nothing_ends_the_execution(emulator: Any, field: str) -> None:
    ended = run(emulator, one({**PASS, field: "$.absent"}), {"a": 1})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.absent'" in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "Succeed",
    "Ends the execution, or the branch that it is in; InputPath and OutputPath are applied.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html",
)
def test_a_succeed_state_ends_its_branch_or_execution(emulator: Any) -> None:
    inner = {"Type": "Parallel", "Branches": [branch("Inner", {"Type": "Succeed"})], "Next": "Last"}
    machine = one(inner, Last={"Type": "Succeed", "InputPath": "$[0]", "OutputPath": "$.a"})

    assert output(emulator, machine, {"a": 1}) == 1


@pytest.mark.aws(
    "Step Functions",
    "Fail",
    "Ends the execution with its Error and Cause, both optional, or those that paths select.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html",
)
@pytest.mark.parametrize(
    ("state", "error", "cause"),
    [
        ({}, None, None),
        ({"Error": "E"}, "E", None),
        ({"Error": "E", "Cause": "why"}, "E", "why"),
        ({"ErrorPath": "$.e", "CausePath": "States.Format('since {}', $.why)"}, "X", "since b"),
    ],
)
def test_a_fail_state_fails(
    emulator: Any, state: dict[str, Any], error: str | None, cause: str | None
) -> None:
    ended = run(emulator, one({"Type": "Fail", **state}), {"e": "X", "why": "b"})

    assert ended["status"] == "FAILED"
    assert (ended.get("error"), ended.get("cause")) == (error, cause)


@pytest.mark.aws(
    "Step Functions",
    "Wait",
    "Seconds, SecondsPath, Timestamp and TimestampPath; a time that has passed is no wait.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html",
)
@pytest.mark.parametrize(
    "until",
    [
        {"Seconds": 0},
        {"SecondsPath": "$.s"},
        {"Timestamp": "2024-08-18T17:33:00Z"},
        {"Timestamp": "2024-08-18T17:33:00.25+02:00"},
        {"TimestampPath": "$.t"},
    ],
)
def test_a_wait_hands_on_its_input(emulator: Any, until: dict[str, Any]) -> None:
    given = {"s": 1, "t": "2024-08-18T17:33:00Z"}

    assert output(emulator, one({"Type": "Wait", **until}), given) == given


@pytest.mark.aws(
    "Step Functions",
    "Wait",
    "Waits until its Timestamp, by the emulator's clock.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html",
)
def test_a_wait_until_a_time_waits_for_it(emulator: Any) -> None:
    in_40_s = (datetime.now(UTC) + timedelta(seconds=40)).isoformat().replace("+00:00", "Z")
    began = time.monotonic()

    output(emulator, one({"Type": "Wait", "TimestampPath": "$.t"}), {"t": in_40_s})

    # Less what it took to get there.
    assert 0.5 * 40 * emulator.settings.time_scale < time.monotonic() - began < 40


@pytest.mark.aws(
    "Step Functions",
    "Wait",
    "A path to a negative number, none, or no RFC 3339 time is States.Runtime.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html",
)
@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("SecondsPath", -1, "references a negative value"),
        ("SecondsPath", 1.5, "cannot be parsed as a long value"),
        ("SecondsPath", "1", "cannot be parsed as a long value"),
        ("TimestampPath", "2016-12-05 21:29:29Z", "valid ISO-8601"),
        ("TimestampPath", "2016-13-05T21:29:29Z", "valid ISO-8601"),
        ("TimestampPath", "2016-12-05T21:29:29", "valid ISO-8601"),
    ],
)
def test_a_wait_for_a_bad_timestamp_fails(emulator: Any, path: str, value: Any, said: str) -> None:
    ended = run(emulator, one({"Type": "Wait", path: "$.when"}), {"when": value})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert said in ended["cause"]


COMPARISONS: list[tuple[str, Any, Any, bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "1", 1, False),
    ("StringLessThan", "b", "a", True),
    ("StringLessThanEquals", "a", "a", True),
    ("StringGreaterThan", "a", "b", True),
    ("StringGreaterThanEquals", "b", "a", False),
    ("StringMatches", "log-*.txt", "log-1.txt", True),
    ("StringMatches", "*", "", True),
    ("StringMatches", "a\\*c", "a*c", True),
    ("StringMatches", "a\\*c", "abc", False),
    ("StringMatches", "a.c", "abc", False),
    ("NumericEquals", 1, 1.0, True),
    ("NumericEquals", 1, "1", False),
    ("NumericEquals", 1, True, False),
    ("NumericLessThan", 2, 1.5, True),
    ("NumericLessThanEquals", 2, 2, True),
    ("NumericGreaterThan", 2, 3, True),
    ("NumericGreaterThanEquals", 2, 1, False),
    ("BooleanEquals", True, True, True),
    ("BooleanEquals", True, 1, False),
    ("TimestampEquals", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", True),
    ("TimestampLessThan", "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00Z", True),
    ("TimestampLessThanEquals", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", True),
    ("TimestampGreaterThan", "2024-01-01T00:00:00Z", "2023-01-01T00:00:00Z", False),
    ("TimestampGreaterThanEquals", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", True),
    ("TimestampEquals", "2024-01-01T00:00:00Z", "no time", False),
    ("IsNull", True, None, True),
    ("IsNull", False, 0, True),
    ("IsNumeric", True, 1.5, True),
    ("IsNumeric", True, True, False),
    ("IsString", True, "", True),
    ("IsString", True, 1, False),
    ("IsBoolean", True, False, True),
    ("IsBoolean", True, 0, False),
    ("IsTimestamp", True, "2024-01-01T00:00:00Z", True),
    ("IsTimestamp", True, "2024-01-01", False),
    ("IsPresent", True, None, True),
]
"""An operator, its operand, the variable's value, and whether that matches."""


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "All 39 comparison operators; a value of another type than the operator's does not match.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
def test_every_comparison_operator_compares(emulator: Any) -> None:
    """One Map over all; each item has the number of its rule."""
    rules, given = [], []
    for number, (operator, operand, value, _) in enumerate(COMPARISONS):
        mine = {"Variable": "$.number", "NumericEquals": number}
        given.append({"number": number, "v": value, "w": operand})
        test: dict[str, Any] = {"Variable": "$.v", operator: operand}
        both = [test]
        if "Equals" in operator or "Than" in operator:
            both.append({"Variable": "$.v", f"{operator}Path": "$.w"})
        rules.append({"And": [mine, *both], "Next": "Yes"})
    choice = {
        "StartAt": "Choose",
        "States": {
            "Choose": {"Type": "Choice", "Choices": rules, "Default": "No"},
            "Yes": {"Type": "Pass", "Result": True, "End": True},
            "No": {"Type": "Pass", "Result": False, "End": True},
        },
    }

    made = output(
        emulator, one({"Type": "Map", "MaxConcurrency": 4, "ItemProcessor": choice}), given
    )

    wrong = [case for case, matched in zip(COMPARISONS, made, strict=True) if case[3] != matched]
    assert wrong == []


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "And, Or and Not combine rules; the first rule that matches decides; Default when none does.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
@pytest.mark.parametrize(
    ("given", "way"), [({"n": 1}, "Low"), ({"n": 5}, "Middle"), ({"n": 50}, "Other")]
)
def test_the_first_rule_that_matches_decides(emulator: Any, given: Any, way: str) -> None:
    def is_below(bound: int) -> dict[str, Any]:
        return {"Variable": "$.n", "NumericLessThan": bound}

    rules = [
        {"Or": [is_below(0), {"Not": {"Not": is_below(3)}}], "Next": "Low"},
        {"And": [is_below(10), {"Not": is_below(3)}], "Next": "Middle"},
        {**is_below(10), "Next": "Low"},
    ]
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Low", "Middle")}
    ends["Other"] = {"Type": "Pass", "Result": "Other", "End": True}

    assert (
        output(
            emulator, one({"Type": "Choice", "Choices": rules, "Default": "Other"}, **ends), given
        )
        == way
    )


@pytest.mark.aws(
    "Step Functions",
    "Parallel",
    "Each branch gets the input, or Parameters; the outputs are in the order of the branches.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html",
)
def test_a_parallel_states_output_is_in_the_order_of_its_branches(emulator: Any) -> None:
    slow = {
        "StartAt": "Slow",
        "States": {
            "Slow": {"Type": "Wait", "Seconds": 3, "Next": "Then"},
            "Then": {"Type": "Pass", "Result": "slow", "ResultPath": "$.by", "End": True},
        },
    }
    machine = one(
        {
            "Type": "Parallel",
            "Parameters": {"n.$": "$.number"},
            "Branches": [slow, branch("Quick", PASS)],
            "ResultSelector": {"first.$": "$[0]", "second.$": "$[1]"},
            "ResultPath": "$.both",
        }
    )

    both = {"first": {"n": 1, "by": "slow"}, "second": {"n": 1}}
    assert output(emulator, machine, {"number": 1}) == {"number": 1, "both": both}


@pytest.mark.aws(
    "Step Functions",
    "Parallel, Map",
    "An error in a branch or an iteration fails the state by its own name, States.Timeout too.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html#error-handling",
)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["Parallel", "Map"])
@pytest.mark.parametrize("error", ["Boom", "States.Timeout", "States.IntrinsicFailure"])
def test_a_branchs_error_is_caught_around_it(
    emulator: Any, queue: str, kind: str, nested: bool, error: str
) -> None:
    fails = {
        "Boom": FAIL,
        "States.Timeout": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": queue, "MessageBody": "never answered"},
            "TimeoutSeconds": 2,
        },
        "States.IntrinsicFailure": {
            **PASS,
            "Parameters": {"x.$": "States.ArrayGetItem(States.Array(1), 7)"},
        },
    }
    failing: Any = fails[error]
    inner = branch("Fails", failing)

    def around(inside: dict[str, Any]) -> dict[str, Any]:
        if kind == "Parallel":
            return {"Type": "Parallel", "Branches": [inside]}
        return {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inside}

    if nested:
        inner = {
            "StartAt": "Keep",
            "States": {
                "Keep": {**PASS, "Result": [1], "ResultPath": "$.items", "Next": "Inside"},
                "Inside": {**around(inner), "End": True},
            },
        }

    made = output(
        emulator, one({**around(inner), **caught_by(error)}, **CAUGHT), {"items": [{"items": [1]}]}
    )

    assert made["Error"] == error


@pytest.mark.aws(
    "Step Functions",
    "Parallel, Map",
    "States.Runtime in a branch is caught by nothing; its cause names the inner state.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_a_runtime_error_in_a_branch_ends_the_execution(emulator: Any, kind: str) -> None:
    inner = branch("Inner", {**PASS, "InputPath": "$.absent"})
    state = {"Branches": [inner]} if kind == "Parallel" else {"ItemProcessor": inner}

    ended = run(emulator, one({"Type": kind, **state, **caught_by("States.ALL")}, **CAUGHT), [1])

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert ended["cause"].count("An error occurred while executing the state") == 1
    assert "'Inner'" in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "Parallel",
    "When a branch fails, the others are stopped: nothing of them comes after.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html#error-handling",
)
def test_the_other_branches_are_stopped(emulator: Any) -> None:
    slow = {
        "StartAt": "Slow",
        "States": {
            "Slow": {"Type": "Wait", "Seconds": 20, "Next": "Never"},
            "Never": {**PASS, "End": True},
        },
    }
    # Not before the other has begun.
    fails = {
        "StartAt": "Later",
        "States": {"Later": {"Type": "Wait", "Seconds": 5, "Next": "Fails"}, "Fails": FAIL},
    }
    state = {"Type": "Parallel", "Branches": [slow, fails], **caught_by("Boom")}
    caught = {"Type": "Wait", "Seconds": 30, "End": True}
    execution = start(emulator, one(state, Caught=caught))

    assert finished(emulator, execution)["status"] == "SUCCEEDED"

    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history(emulator, execution)
        if event["type"].endswith("StateEntered")
    ]
    assert sorted(entered) == ["Caught", "Fails", "First", "Later", "Slow"]


@pytest.mark.aws(
    "Step Functions",
    "Map",
    "Inline: ItemsPath, ItemSelector with the item's index and value, results in the items' order.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
)
@pytest.mark.parametrize("fields", [("ItemSelector", "ItemProcessor"), ("Parameters", "Iterator")])
def test_a_map_goes_over_its_items(emulator: Any, fields: tuple[str, str]) -> None:
    selector, processor = fields
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        selector: {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.shared"},
        processor: branch("Each", PASS),
        "ResultPath": "$.made",
    }
    given = {"items": ["a", {"b": 1}], "shared": 9}

    made = output(emulator, one(state), given)["made"]

    assert made == [{"i": 0, "v": "a", "all": 9}, {"i": 1, "v": {"b": 1}, "all": 9}]


@pytest.mark.aws(
    "Step Functions",
    "Map",
    "MaxConcurrency and MaxConcurrencyPath bound how many iterations run at once; 0 is no bound.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
)
@pytest.mark.parametrize(
    ("bound", "most"),
    [
        ({"MaxConcurrency": 1}, 1),
        ({"MaxConcurrency": 2}, 2),
        ({"MaxConcurrencyPath": "$.most"}, 1),
        ({}, 4),
    ],
)
def test_a_maps_concurrency_is_bounded(emulator: Any, bound: dict[str, Any], most: int) -> None:
    each = branch("Each", {"Type": "Wait", "Seconds": 10})
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": each, **bound}
    execution = start(emulator, one(state), {"items": [1, 2, 3, 4], "most": 1})
    finished(emulator, execution)

    at_once, seen = 0, 0
    for event in history(emulator, execution):
        at_once += {"MapIterationStarted": 1, "MapIterationSucceeded": -1}.get(event["type"], 0)
        seen = max(seen, at_once)
    assert seen == most


@pytest.mark.aws(
    "Step Functions",
    "Map",
    "Its items must be an array: else States.Runtime, which nothing catches.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemspath.html",
)
@pytest.mark.parametrize("items", [{"a": 1}, "text", 1, None])
def test_a_map_over_no_array_ends_the_execution(emulator: Any, items: Any) -> None:
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": branch("Each", PASS)}

    ended = run(emulator, one({**state, **caught_by("States.ALL")}, **CAUGHT), {"items": items})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert 'Reference path "$.items" must point to array' in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "Task",
    "Parameters make the call, ResultSelector picks from its result, ResultPath places it.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html",
)
def test_a_tasks_data_goes_its_five_steps(emulator: Any, queue: str) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl",
        "InputPath": "$.asked",
        "Parameters": {"QueueName.$": "$.name"},
        "ResultSelector": {"found.$": "$.QueueUrl"},
        "ResultPath": "$.answer",
        "OutputPath": "$.answer.found",
    }
    given = {"asked": {"name": queue.rpartition("/")[2]}}

    assert output(emulator, one(state), given) == queue


@pytest.mark.aws(
    "Step Functions",
    "Catch",
    "The error is the next state's input, or is put at the catcher's ResultPath into the input.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_caught_error_is_placed_in_the_input(emulator: Any) -> None:
    state = {"Type": "Parallel", "Branches": [branch("Fails", FAIL)], "Next": "Caught"}
    catch = [{"ErrorEquals": ["Boom"], "ResultPath": "$.failure", "Next": "Caught"}]

    made = output(emulator, one({**state, "Catch": catch}, **CAUGHT), {"kept": 1})

    assert made == {"kept": 1, "failure": {"Error": "Boom", "Cause": "as given"}}


@pytest.mark.aws(
    "Step Functions",
    "Execution history",
    "A definition's strings are JSON: escapes in names, paths and calls mean what JSON says.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html",
)
def test_names_and_paths_may_have_any_character(emulator: Any) -> None:
    machine = {
        "StartAt": 'Prüfung "1"',
        "States": {
            'Prüfung "1"': {
                **PASS,
                "Parameters": {"é.$": "$['ü\"']", "state.$": "$$.State.Name"},
                "End": True,
            }
        },
    }

    assert json.loads(run(emulator, machine, {'ü"': 1})["output"]) == {
        "é": 1,
        "state": 'Prüfung "1"',
    }
