"""How states select, make and hand on data."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from tests.support.state_machines import evaluated, one, output, run

pytestmark = pytest.mark.emulator

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@pytest.mark.aws(
    "Step Functions",
    "Paths",
    "A Reference Path gives one value, any other path a list.",
    "https://states-language.net/spec.html#path",
)
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.a[0].b", 1),
        ("$.a[0]", {"b": 1, "c": [4, 5]}),
        ("$.a[0].c[1]", 5),
        ("$.a", [{"b": 1, "c": [4, 5]}]),
        ("$['a'][0]['b']", 1),
        ("$.a[*].b", [1]),
        ("$..b", [1]),
        ("$.a[0].c[0:1]", [4]),
        ("$.a[?(@.b==2)].b", []),
        ("$.nothing", None),
    ],
)
def test_a_definite_path_gives_a_bare_value_and_any_other_a_list(
    emulator: Any, path: str, value: Any
) -> None:
    """A Reference Path identifies one node; a Path may yield multiple values, then a list.

    https://states-language.net/spec.html#path
    """
    given = {"a": [{"b": 1, "c": [4, 5]}], "nothing": None}
    assert evaluated(emulator, {"x.$": path}, given) == {"x": value}


@pytest.mark.aws(
    "Step Functions",
    "Paths",
    "A path to nothing is States.Runtime.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_path_to_nothing_ends_the_execution(emulator: Any) -> None:
    """A path that cannot be applied is a States.Runtime error.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    ended = run(emulator, one({"Type": "Pass", "Parameters": {"x.$": "$.absent"}}))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "$.absent" in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "Format, Array, JsonToString, StringToJson, UUID and MathAdd make values.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html",
)
def test_intrinsic_functions_make_values(emulator: Any) -> None:
    """States.Format, Array, JsonToString, StringToJson: https://states-language.net/spec.html#appendix-b"""
    made = evaluated(
        emulator,
        {
            "format.$": "States.Format('{}-{}', $.cluster, $.instance)",
            "array.$": "States.Array($.instance, 'x', 1)",
            "text.$": "States.JsonToString($.object)",
            "object.$": "States.StringToJson($.json)",
            "id.$": "States.UUID()",
            "sum.$": "States.MathAdd($.n, 1)",
        },
        {"cluster": "lab", "instance": "i-1", "object": {"a": [1]}, "json": '{"b": 2}', "n": 1},
    )

    assert re.fullmatch(r"[0-9a-f-]{36}", made.pop("id"))
    assert made == {
        "format": "lab-i-1",
        "array": ["i-1", "x", 1],
        "text": '{"a":[1]}',
        "object": {"b": 2},
        "sum": 2,
    }


@pytest.mark.aws(
    "Step Functions",
    "Context object",
    "Has the execution, the state and their times, in UTC.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html",
)
def test_the_context_object_has_execution_state_and_times(emulator: Any) -> None:
    """$$.Execution and $$.State, times in UTC with Z.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    shown = evaluated(
        emulator,
        {
            "id.$": "$$.Execution.Id",
            "input.$": "$$.Execution.Input",
            "started.$": "$$.Execution.StartTime",
            "entered.$": "$$.State.EnteredTime",
            "state.$": "$$.State.Name",
            "machine.$": "$$.StateMachine.Name",
        },
        {"a": 1},
    )

    assert shown["id"].startswith("arn:aws:states:eu-west-1:123456789012:execution:contract-")
    assert shown["machine"] == shown["id"].split(":")[-2]
    assert (shown["input"], shown["state"]) == ({"a": 1}, "First")
    assert INSTANT.fullmatch(shown["started"])
    assert INSTANT.fullmatch(shown["entered"])
    age = datetime.now(UTC) - datetime.fromisoformat(shown["entered"])
    assert timedelta(0) < age < timedelta(seconds=60)


RULES = {
    "IsPresent": ({"Variable": "$.absent", "IsPresent": False}, True),
    "BooleanEquals": ({"Variable": "$.yes", "BooleanEquals": True}, True),
    "StringEquals": ({"Variable": "$.word", "StringEquals": "other"}, False),
    "StringMatches": ({"Variable": "$.word", "StringMatches": "a*c"}, True),
    "NumericGreaterThanPath": ({"Variable": "$.two", "NumericGreaterThanPath": "$.one"}, True),
    "NumericLessThanEquals": ({"Variable": "$.two", "NumericLessThanEquals": 1}, False),
    "TimestampLessThanPath": ({"Variable": "$.early", "TimestampLessThanPath": "$.late"}, True),
    "TimestampLessThanPath of the state's time": (
        {"Variable": "$$.State.EnteredTime", "TimestampLessThanPath": "$.early"},
        False,
    ),
    "And": (
        {"And": [{"Variable": "$.one", "IsNumeric": True}, {"Variable": "$.yes", "IsNull": False}]},
        True,
    ),
    "Not": ({"Not": {"Variable": "$.yes", "BooleanEquals": True}}, False),
}


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "Rules compare values, other values of the input, and the context.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
@pytest.mark.parametrize("name", RULES)
def test_a_choice_rule_decides(emulator: Any, name: str) -> None:
    """Data-test expressions: https://states-language.net/spec.html#choice-state"""
    rule, expected = cast(tuple[dict[str, Any], bool], RULES[name])
    given = {
        "yes": True,
        "one": 1,
        "two": 2,
        "word": "abc",
        "early": "2026-01-31T10:00:00Z",
        "late": "2026-01-31T10:00:00.500Z",
    }
    machine = one(
        {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        Yes={"Type": "Pass", "Result": True, "End": True},
        No={"Type": "Pass", "Result": False, "End": True},
    )

    assert output(emulator, machine, given) is expected


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "Only IsPresent may look at a missing field: else States.Runtime.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
@pytest.mark.parametrize("test", [{"StringEquals": "x"}, {"IsNull": True}])
def test_a_choice_on_a_missing_field_ends_the_execution(
    emulator: Any, test: dict[str, Any]
) -> None:
    """Only IsPresent may look at a missing field: else States.Runtime.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
    """
    rule = {"Variable": "$.absent", **test, "Next": "Never"}
    machine = one(
        {"Type": "Choice", "Choices": [rule], "Default": "Never"}, Never={"Type": "Succeed"}
    )

    ended = run(emulator, machine)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.absent'" in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "And stops at its first rule that is false.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
def test_a_choice_guards_a_field_by_its_presence(emulator: Any) -> None:
    """And stops at its first false rule: https://states-language.net/spec.html#choice-state"""
    guarded = [
        {"Variable": "$.absent", "IsPresent": True},
        {"Variable": "$.absent", "StringEquals": "x"},
    ]
    machine = one(
        {"Type": "Choice", "Choices": [{"And": guarded, "Next": "Never"}], "Default": "Good"},
        Never={"Type": "Fail", "Error": "Never"},
        Good={"Type": "Pass", "Result": "good", "End": True},
    )

    assert output(emulator, machine) == "good"


@pytest.mark.aws(
    "Step Functions",
    "Choice",
    "States.NoChoiceMatched without a match and a Default.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_choice_without_a_match_fails(emulator: Any) -> None:
    """States.NoChoiceMatched: https://states-language.net/spec.html#appendix-a"""
    rule = {"Variable": "$.a", "NumericEquals": 2, "Next": "Never"}
    machine = one({"Type": "Choice", "Choices": [rule]}, Never={"Type": "Succeed"})

    ended = run(emulator, machine, {"a": 1})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.NoChoiceMatched")


@pytest.mark.aws(
    "Step Functions",
    "Task, aws-sdk",
    "Parameters and results are in PascalCase, times ISO 8601 text.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html",
)
def test_results_of_sdk_tasks_have_pascal_case_and_times_as_text(emulator: Any) -> None:
    """SDK integrations take and give PascalCase whatever the API has; times are ISO 8601 text.

    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    machine = one(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
            "Parameters": {"ExecutionArn.$": "$$.Execution.Id"},
        }
    )

    described = output(emulator, machine)

    assert described["Status"] == "RUNNING"
    assert INSTANT.fullmatch(described["StartDate"])
    assert "executionArn" not in described


@pytest.mark.differs(
    "Step Functions",
    "Task, aws-sdk",
    "A parameter that the API does not have ends the execution with States.Runtime.",
    "AWS refuses the machine when it is made; the emulator knows the API when the task runs.",
)
def test_a_parameter_that_the_api_does_not_have_is_an_error(emulator: Any) -> None:
    """AWS refuses such a machine: The field "X" is not supported by Step Functions.

    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    machine = one(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
            "Parameters": {"Prefix": "x"},
        }
    )

    ended = run(emulator, machine)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert 'The field "Prefix" is not supported' in ended["cause"]
