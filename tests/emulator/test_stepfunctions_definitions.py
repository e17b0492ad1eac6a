"""CreateStateMachine refuses definitions that AWS refuses, and those that the emulator does not
support.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.state_machines import ROLE, branch, create, one

from labswarm_emulator.stepfunctions.definitions import problems

PASS: dict[str, Any] = {"Type": "Pass"}
LAST = {"Last": {"Type": "Succeed"}}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f"}
MAP = {"Type": "Map", "ItemProcessor": branch("Each", PASS)}
WAIT = {"Type": "Wait", "Seconds": 1}


def choice(*rules: dict[str, Any]) -> dict[str, Any]:
    return one({"Type": "Choice", "Choices": [{**rule, "Next": "Last"} for rule in rules]}, **LAST)


def retrying(**retrier: Any) -> dict[str, Any]:
    return one({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"], **retrier}]})


def found(machine: Any) -> list[str]:
    text = machine if isinstance(machine, str) else json.dumps(machine)
    return [str(problem) for problem in problems(text)]


SCHEMA = "SCHEMA_VALIDATION_FAILED"
REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": ("not a definition", "INVALID_JSON_DESCRIPTION"),
    "no object": ("[]", f"{SCHEMA}: Definition must be a valid JSON object"),
    "nothing": ({}, f"{SCHEMA}: These fields are required: [States, StartAt] at /"),
    "no StartAt": (
        {"States": {"A": {**PASS, "End": True}}},
        f"{SCHEMA}: These fields are required: [StartAt] at /",
    ),
    "no states": ({"StartAt": "A", "States": {}}, f"{SCHEMA}: Value cannot be empty at /States"),
    "a field of no machine": ({**one(PASS), "Timeout": 3}, "Field 'Timeout' is not supported"),
    "a timeout of 0": ({**one(PASS), "TimeoutSeconds": 0}, "at /TimeoutSeconds"),
    "an unknown start": ({**one(PASS), "StartAt": "Nowhere"}, "MISSING_TRANSITION_TARGET"),
    "a next state that is not there": (
        one({**PASS, "Next": "Nowhere"}, **LAST),
        "MISSING_TRANSITION_TARGET: Missing transition target: Nowhere at /States/First/Next",
    ),
    "a state that nothing leads to": (
        one(PASS, **LAST),
        "MISSING_TRANSITION_TARGET: State 'Last' is not reachable. at /States/Last",
    ),
    "a catch that leads out of its branch": (
        one(
            {
                "Type": "Parallel",
                "Branches": [
                    branch("In", {**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "Last"}]})
                ],
                "Next": "Last",
            },
            **LAST,
        ),
        "MISSING_TRANSITION_TARGET: Missing transition target: Last",
    ),
    "a circle": (
        one({**PASS, "Next": "Second"}, Second={**PASS, "Next": "First"}),
        "MISSING_END_STATE",
    ),
    "one name twice": (
        one({"Type": "Parallel", "Branches": [branch("First", PASS)]}),
        "DUPLICATE_STATE_NAME",
    ),
    "a long name": (
        {"StartAt": "x" * 81, "States": {"x" * 81: {**PASS, "End": True}}},
        "INVALID_STATE_NAME",
    ),
    "no type": (one({"Type": "Sleep"}), "The field 'Type' should have one of these values: [Task,"),
    "neither Next nor End": (
        {"StartAt": "A", "States": {"A": PASS}},
        "Exactly one of these fields is required: [Next, End] at /States/A",
    ),
    "Next and End": (one({**PASS, "Next": "Last", "End": True}, **LAST), "[Next, End]"),
    "End that is false": (one({**PASS, "End": False}), "Value has to be true"),
    "End of a Succeed": (one({"Type": "Succeed", "End": True}), "Field 'End' is not supported"),
    "a field of another type": (one({**PASS, "Seconds": 1}), "Field 'Seconds' is not supported"),
    "JSONata's field in JSONPath": (one({**PASS, "Output": 1}), "Field 'Output' is not supported"),
    "JSONPath's field in JSONata": (
        one({**PASS, "QueryLanguage": "JSONata", "Parameters": {}}),
        "Field 'Parameters' is not supported",
    ),
    "JSONPath in a JSONata machine": (
        {"QueryLanguage": "JSONata", **one({**PASS, "QueryLanguage": "JSONPath"})},
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
    ),
    "an expression with an error": (
        one({**PASS, "QueryLanguage": "JSONata", "Output": "{% 1 + %}"}),
        "The JSONata expression",
    ),
    "no Resource": (one({"Type": "Task"}), "These fields are required: [Resource]"),
    "no service": (
        one({**TASK, "Resource": "arn:aws:states:::dynamodb:query"}),
        "The resource provided arn:aws:states:::dynamodb:query is not recognized.",
    ),
    "a heartbeat above the timeout": (
        one({**TASK, "TimeoutSeconds": 5, "HeartbeatSeconds": 5}),
        "at /States/First/HeartbeatSeconds",
    ),
    "two timeouts": (
        one({**TASK, "TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"}),
        "'TimeoutSeconds' and 'TimeoutSecondsPath' exclude each other",
    ),
    "a Retry of a Pass": (one({**PASS, "Retry": []}), "Field 'Retry' is not supported"),
    "States.ALL with another": (
        retrying(ErrorEquals=["States.ALL", "E"]),
        "States.ALL has to be alone, and the last one",
    ),
    "States.ALL before another": (
        one({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]}),
        "States.ALL has to be alone, and the last one",
    ),
    "no error names": (retrying(ErrorEquals=[]), "Value cannot be empty"),
    "an interval of 0": (retrying(IntervalSeconds=0), "Retry[0]/IntervalSeconds"),
    "a negative number of attempts": (retrying(MaxAttempts=-1), "Retry[0]/MaxAttempts"),
    "a backoff below 1": (retrying(BackoffRate=0.9), "Retry[0]/BackoffRate"),
    "a longest delay below the first": (
        retrying(IntervalSeconds=5, MaxDelaySeconds=5),
        "Retry[0]/MaxDelaySeconds",
    ),
    "an unknown jitter": (retrying(JitterStrategy="HALF"), "Retry[0]/JitterStrategy"),
    "a catch without a next state": (
        one({**TASK, "Catch": [{"ErrorEquals": ["E"]}]}),
        "Catch[0]",
    ),
    "no choices": (choice(), "Value cannot be empty at /States/First/Choices"),
    "a choice without a next state": (
        one(
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.a", "IsNull": True}],
                "Default": "Last",
            },
            **LAST,
        ),
        "These fields are required: [Next]",
    ),
    "an unknown operator": (
        choice({"Variable": "$.a", "StringLike": "b"}),
        "Field 'StringLike' is not supported",
    ),
    "two operators": (
        choice({"Variable": "$.a", "IsNull": True, "IsPresent": True}),
        "A rule has to have Variable and one comparison operator",
    ),
    "an operator without a variable": (choice({"IsNull": True}), "A rule has to have Variable"),
    "And of nothing": (choice({"And": []}), "A rule has to be one of [And, Or, Not]"),
    "no branches": (
        one({"Type": "Parallel", "Branches": []}),
        "Value cannot be empty at /States/First/Branches",
    ),
    "no processor": (one({"Type": "Map"}), "[ItemProcessor, Iterator]"),
    "two waits": (one({**WAIT, "SecondsPath": "$.s"}), "[Seconds, SecondsPath, Timestamp"),
    "a negative wait": (one({"Type": "Wait", "Seconds": -1}), "at /States/First/Seconds"),
    "a wait until no time": (
        one({"Type": "Wait", "Timestamp": "2016-12-05 21:29:29Z"}),
        f"{SCHEMA}: String does not match RFC3339 timestamp at /States/First/Timestamp",
    ),
    "a parameter that is no path": (
        one({**PASS, "Parameters": {"a": [{"parsed.$": "nothing"}]}}),
        "The value for the field 'parsed.$' must be a valid JSONPath or a valid intrinsic function",
    ),
    "a call of no function": (
        one({**PASS, "Parameters": {"parsed.$": "States.Nothing($.a)"}}),
        "The value for the field 'parsed.$' must be a valid JSONPath or a valid intrinsic function",
    ),
    "a cause that is no text": (
        one({"Type": "Fail", "CausePath": "States.ArrayLength($.a)"}),
        "The value for the field 'CausePath'",
    ),
    "a result to more than one place": (
        one({**PASS, "ResultPath": "$.a[*].b"}),
        "Value is not a Reference Path at /States/First/ResultPath",
    ),
    "a result into the context": (one({**PASS, "ResultPath": "$$.a"}), "not a Reference Path"),
}


@pytest.mark.aws(
    "Step Functions",
    "CreateStateMachine",
    "A definition that does not follow the language is refused, with AWS's code and the place.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html",
)
@pytest.mark.parametrize("name", REFUSED)
def test_a_definition_is_refused(name: str) -> None:
    machine, expected = REFUSED[name]

    problems = found(machine)

    assert any(expected in problem for problem in problems), problems


@pytest.mark.aws(
    "Step Functions",
    "CreateStateMachine",
    "A definition that follows the language is taken.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html",
)
@pytest.mark.parametrize(
    "machine",
    [
        one(PASS),
        one({**PASS, "Next": "Last"}, **LAST),
        one(MAP),
        one({**TASK, "Credentials": None} | {"HeartbeatSeconds": 5, "TimeoutSeconds": 6}),
        retrying(MaxDelaySeconds=2, JitterStrategy="FULL", BackoffRate=1, Comment="c"),
        choice({"And": [{"Not": {"Variable": "$.a[0].b", "IsPresent": True}}], "Comment": "c"}),
        {"Comment": "c", "Version": "1.0", "TimeoutSeconds": 60, **one(WAIT)},
    ],
)
def test_a_sound_definition_has_no_problem(machine: dict[str, Any]) -> None:
    machine = copy.deepcopy(machine)
    machine["States"]["First"].pop("Credentials", None)

    assert found(machine) == []


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "CreateStateMachine",
    "InvalidDefinition; and there is no machine.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html",
)
def test_a_refused_machine_is_not_there(emulator: Any, name: str) -> None:
    states = emulator.client("stepfunctions")
    broken = json.dumps(one({**PASS, "Next": "Nowhere"}))

    code, message = refusal(states.create_state_machine, name=name, definition=broken, roleArn=ROLE)

    assert code == "InvalidDefinition"
    assert message.startswith("Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: ")
    machines = states.list_state_machines(maxResults=1000)["stateMachines"]
    assert name not in [machine["name"] for machine in machines]


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "UpdateStateMachine",
    "InvalidDefinition; and the machine stays what it is.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html",
)
def test_a_refused_update_changes_nothing(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    machine = create(emulator, one(PASS))

    code, _ = refusal(states.update_state_machine, stateMachineArn=machine, definition="{}")

    assert code == "InvalidDefinition"
    problems = states.describe_state_machine(stateMachineArn=machine)
    assert json.loads(problems["definition"]) == one(PASS)


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "CreateStateMachine",
    "The same name and definition again is the same machine; another definition is refused.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html",
)
def test_a_name_is_of_one_machine(emulator: Any, name: str) -> None:
    make = emulator.client("stepfunctions").create_state_machine
    given = {"name": name, "definition": json.dumps(one(PASS)), "roleArn": ROLE}

    first = make(**given)
    again = make(**given)
    code, message = refusal(make, **{**given, "definition": json.dumps(one(WAIT))})

    assert again["stateMachineArn"] == first["stateMachineArn"]
    assert code == "StateMachineAlreadyExists"
    assert first["stateMachineArn"] in message


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "ValidateStateMachineDefinition",
    "OK, or FAIL with a diagnostic for each problem: its severity, code, message and place.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html",
)
def test_a_definition_can_be_validated_beforehand(emulator: Any) -> None:
    validate = emulator.client("stepfunctions").validate_state_machine_definition
    broken = one({**PASS, "Next": "Nowhere", "Seconds": 1})

    sound = validate(definition=json.dumps(one(PASS)))
    problems = validate(definition=json.dumps(broken))
    first = validate(definition=json.dumps(broken), maxResults=1)

    assert (sound["result"], sound["diagnostics"]) == ("OK", [])
    assert problems["result"] == "FAIL"
    assert {each["code"] for each in problems["diagnostics"]} == {
        SCHEMA,
        "MISSING_TRANSITION_TARGET",
        "MISSING_END_STATE",
    }
    assert all(each["severity"] == "ERROR" for each in problems["diagnostics"])
    assert (len(first["diagnostics"]), first["truncated"]) == (1, True)


ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:work"
DISTRIBUTED = {
    **MAP,
    "ItemProcessor": {
        **MAP["ItemProcessor"],  # type: ignore[dict-item]
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    },
}


@pytest.mark.absent(
    "Step Functions",
    "Map, distributed",
    "InvalidDefinition, for its mode and for each field that only it has.",
)
@pytest.mark.parametrize(
    "state",
    [
        DISTRIBUTED,
        {**MAP, "ItemReader": {}},
        {**MAP, "ItemBatcher": {"MaxItemsPerBatch": 10}},
        {**MAP, "ResultWriter": {}},
        {**MAP, "Label": "a"},
        {**MAP, "ToleratedFailureCount": 1},
        {**MAP, "ToleratedFailurePercentage": 10},
    ],
)
def test_there_is_no_distributed_map(state: dict[str, Any]) -> None:
    assert any("not available here" in problem for problem in found(one(state)))


@pytest.mark.absent(
    "Step Functions",
    "Task, activities, .sync, HTTP and other optimized integrations",
    "InvalidDefinition: the resource is not recognized, or not available in this region.",
)
@pytest.mark.parametrize(
    "resource",
    [
        ACTIVITY,
        "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::http:invoke",
        "arn:aws:states:::ecs:runTask",
        "arn:aws:states:::batch:submitJob",
    ],
)
def test_there_are_no_such_tasks(resource: str) -> None:
    problems = found(one({**TASK, "Resource": resource}))

    assert any("available in this region" in problem for problem in problems), problems


@pytest.mark.absent(
    "Step Functions",
    "Task, Credentials",
    "InvalidDefinition: the emulator has no roles.",
)
def test_a_task_has_no_role_of_its_own() -> None:
    problems = found(one({**TASK, "Credentials": {"RoleArn": ROLE}}))

    assert any("Field 'Credentials' is not available here" in problem for problem in problems)


@pytest.mark.emulator
@pytest.mark.absent(
    "Step Functions",
    "Express machines, StartSyncExecution",
    "StateMachineTypeNotSupported.",
)
def test_there_are_no_express_machines(emulator: Any, name: str) -> None:
    states = emulator.client("stepfunctions")
    definition = json.dumps(one(PASS))

    code, _ = refusal(
        states.create_state_machine,
        name=name,
        definition=definition,
        roleArn=ROLE,
        type="EXPRESS",
    )
    validated = states.validate_state_machine_definition(definition=definition, type="EXPRESS")

    assert code == "StateMachineTypeNotSupported"
    assert validated["result"] == "FAIL"
