"""JSONata: expressions, variables and their scopes, in every state."""

from typing import Any

import pytest
from tests.support.state_machines import branch, one, output, run

pytestmark = pytest.mark.emulator

PASS: dict[str, Any] = {"Type": "Pass"}


def jsonata(state: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    """A machine that is all in JSONata."""
    return {"QueryLanguage": "JSONata", **one(state, **more)}


def gives(expression: str) -> dict[str, Any]:
    return {**PASS, "Output": f"{{% {expression} %}}", "End": True}


VALUES: dict[str, tuple[str, Any]] = {
    "a path": ("$states.input.a.b", 1),
    "null": ("$states.input.none", None),
    "text with quotes": ("'say ' & $states.input.said", 'say "a\\b"'),
    "a filter that finds one": ("$states.input.list[n=1].n", 1),
    "a filter that finds more": ("$states.input.list[n>0].n", [1, 2]),
    "an object": ('{"sum": $sum($states.input.list.n)}', {"sum": 3}),
    "the context": ("$states.context.State.Name", "First"),
    "the execution's input": ("$states.context.Execution.Input.a.b", 1),
    "partition": ("$partition([1,2,3,4], 3)", [[1, 2, 3], [4]]),
    "range": ("$range(0, 10, 5)", [0, 5, 10]),
    "hash": ("$hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    "uuid": ("$length($uuid())", 36),
    "parse": ("$parse('{\"a\": [1]}').a", [1]),
    "random": ("$random() < 1", True),
    "a function of JSONata": ("$uppercase('a')", "A"),
    "a function of one's own": ("($twice := function($x){$x * 2}; $twice(4))", 8),
    "a fraction": ("3 / 2", 1.5),
    "a whole number": ("4 / 2", 2),
}
GIVEN = {
    "a": {"b": 1},
    "none": None,
    "said": '"a\\b"',
    "list": [{"n": 1}, {"n": 2}],
}


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "Output: any JSON, with expressions in it; AWS's own functions in addition to JSONata's.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
def test_expressions_give_values(emulator: Any) -> None:
    made = {name: f"{{% {expression} %}}" for name, (expression, _) in VALUES.items()}
    machine = jsonata({**PASS, "Output": {"all": [made], "plain": "no {% expression"}})

    assert output(emulator, machine, GIVEN) == {
        "all": [{name: value for name, (_, value) in VALUES.items()}],
        "plain": "no {% expression",
    }


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "States.QueryEvaluationError: nothing there, a type error, a result that is no JSON.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("$states.input.absent", "returned nothing (undefined)"),
        ("$unassigned", "returned nothing (undefined)"),
        ("1 + 'a'", "threw an error during evaluation"),
        ("$hash('a', 'SHA-2')", "threw an error during evaluation"),
        ("function($x){$x}", "returned an unsupported result type"),
    ],
)
def test_an_expression_without_a_value_fails(emulator: Any, expression: str, said: str) -> None:
    ended = run(emulator, jsonata({**PASS, "Output": f"{{% {expression} %}}"}))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert said in ended["cause"]


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "Arguments make a task's call, $states.result is its result, and Output what comes out.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
def test_a_task_has_arguments_and_an_output(emulator: Any) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:createQueue",
        "Arguments": {"QueueName": "{% 'contract-' & $states.input.name %}"},
        "Assign": {"url": "{% $states.result.QueueUrl %}"},
        "Output": {"made": "{% $states.result.QueueUrl %}", "for": "{% $states.input.name %}"},
        "TimeoutSeconds": "{% 60 %}",
    }

    made = output(
        emulator,
        jsonata({**task, "Next": "Last"}, Last=gives("[$states.input.made = $url, $url]")),
        {"name": "jsonata"},
    )

    assert made[0] is True
    assert made[1].endswith("/contract-jsonata")


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "$states.errorOutput in a Catch, whose Assign and Output then apply.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
def test_a_catch_assigns_and_makes_the_output(emulator: Any) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Arguments": {"Name": "/absent"},
        "Catch": [
            {
                "ErrorEquals": ["Ssm.ParameterNotFoundException"],
                "Assign": {"error": "{% $states.errorOutput.Error %}"},
                "Output": "{% $states.input.kept %}",
                "Next": "Last",
            }
        ],
        "Next": "Last",
    }

    made = output(emulator, jsonata(task, Last=gives("[$states.input, $error]")), {"kept": 1})

    assert made == [1, "Ssm.ParameterNotFoundException"]


@pytest.mark.aws(
    "Step Functions",
    "Variables",
    "All of an Assign is computed with the values from before it.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html",
)
def test_an_assign_sees_the_values_before_it(emulator: Any) -> None:
    first = {**PASS, "Assign": {"x": 3, "a": "{% $states.input.a %}"}, "Next": "Second"}
    second = {**PASS, "Assign": {"x": 5, "nextX": "{% $x %}"}, "Next": "Last"}

    made = output(emulator, jsonata(first, Second=second, Last=gives("[$x, $nextX, $a]")), {"a": 0})

    assert made == [5, 3, 0]


@pytest.mark.aws(
    "Step Functions",
    "Variables",
    "A branch sees the variables around it, and its own assignments end with it.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html",
)
def test_an_inner_scope_sees_the_outer_one_and_ends(emulator: Any) -> None:
    inner = {
        "StartAt": "Inner",
        "States": {
            "Inner": {**PASS, "Assign": {"own": "{% $outer + 1 %}"}, "Next": "Use"},
            "Use": gives("$own"),
        },
    }
    first = {**PASS, "Assign": {"outer": 1}, "Next": "Both"}
    both = {
        "Type": "Parallel",
        "Branches": [inner],
        "Assign": {"got": "{% $states.result[0] %}"},
        "Next": "Last",
    }

    assert output(emulator, jsonata(first, Both=both, Last=gives("$got"))) == 2
    ended = run(emulator, jsonata(first, Both=both, Last=gives("$own")))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")


@pytest.mark.aws(
    "Step Functions",
    "Variables",
    "An inner scope cannot assign a variable of the outer one.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html",
)
def test_an_inner_scope_cannot_assign_an_outer_variable(emulator: Any) -> None:
    first = {**PASS, "Assign": {"x": 1}, "Next": "Both"}
    both = {"Type": "Parallel", "Branches": [branch("In", {**PASS, "Assign": {"x": 2}})]}

    assert run(emulator, jsonata(first, Both={**both, "End": True}))["status"] == "FAILED"


@pytest.mark.aws(
    "Step Functions",
    "Variables",
    "In JSONPath: assigned by Parameters' rules, read as $name, in intrinsic calls too.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html",
)
def test_variables_are_there_in_jsonpath_too(emulator: Any) -> None:
    first = {**PASS, "Assign": {"x.$": "$.a", "y": {"z": [7]}}, "Next": "Last"}
    made = {"x.$": "$x", "z.$": "$y.z[0]", "said.$": "States.Format('{}', $x)"}
    last = {**PASS, "Parameters": made, "End": True}

    assert output(emulator, one(first, Last=last), {"a": 1}) == {"x": 1, "z": 7, "said": "1"}
    ended = run(emulator, one({**PASS, "Parameters": {"x.$": "$unassigned"}}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "A Choice's Condition is a boolean; the rule that matches has its own Assign and Output.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
@pytest.mark.parametrize(
    ("given", "expected"), [({"n": 5}, ["much", 10]), ({"n": 0}, ["none", {"n": 0}])]
)
def test_a_condition_decides(emulator: Any, given: Any, expected: Any) -> None:
    rule = {
        "Condition": "{% $states.input.n > 1 %}",
        "Assign": {"how": "much"},
        "Output": "{% $states.input.n * 2 %}",
        "Next": "Much",
    }
    choice = {"Type": "Choice", "Choices": [rule], "Default": "Little", "Assign": {"how": "none"}}
    last = gives("[$how, $states.input]")

    assert output(emulator, jsonata(choice, Much=last, Little=last), given) == expected


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "A Condition that is no boolean is States.QueryEvaluationError; none that is true, no match.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
)
@pytest.mark.parametrize(
    ("condition", "error"),
    [("'yes'", "States.QueryEvaluationError"), ("false", "States.NoChoiceMatched")],
)
def test_a_condition_that_decides_nothing_fails(emulator: Any, condition: str, error: str) -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": f"{{% {condition} %}}", "Next": "Last"}]}

    assert run(emulator, jsonata(choice, Last=gives("1")))["error"] == error


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "A Map's Items and ItemSelector, a Wait's Seconds and Timestamp, a Fail's Error and Cause.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
def test_the_other_states_take_expressions(emulator: Any) -> None:
    item = "$states.context.Map.Item"
    each = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemSelector": {"v": f"{{% {item}.Value * 10 + {item}.Index %}}"},
        "ItemProcessor": branch("Each", {**PASS, "Output": "{% $states.input.v %}"}),
        "Next": "Wait",
    }
    wait = {"Type": "Wait", "Seconds": "{% 1 + 1 %}", "Next": "Until"}
    until = {"Type": "Wait", "Timestamp": "{% $now() %}", "Next": "Fail"}
    fail = {"Type": "Fail", "Error": "{% 'E' & $states.input[1] %}", "Cause": "{% $string(1) %}"}

    ended = run(emulator, jsonata(each, Wait=wait, Until=until, Fail=fail), {"items": [1, 2]})

    assert (ended["error"], ended["cause"]) == ("E21", "1")


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "Items that are no array are States.QueryEvaluationError.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
)
def test_items_have_to_be_an_array(emulator: Any) -> None:
    state = {"Type": "Map", "Items": "{% $states.input %}", "ItemProcessor": branch("Each", PASS)}

    assert run(emulator, jsonata(state), {"a": 1})["error"] == "States.QueryEvaluationError"


@pytest.mark.aws(
    "Step Functions",
    "JSONata",
    "One state of a JSONPath machine may be in JSONata.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
)
def test_one_state_may_be_in_jsonata(emulator: Any) -> None:
    state = {**PASS, "QueryLanguage": "JSONata", "Output": "{% $states.input.a %}", "Next": "Last"}

    machine = one(state, Last={**PASS, "Parameters": {"got.$": "$"}, "End": True})

    assert output(emulator, machine, {"a": 3}) == {"got": 3}
