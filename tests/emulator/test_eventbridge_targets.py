"""Targets and events that the emulator's EventBridge accepts and refuses."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_emulator.events.message import text

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"
RULE = f"arn:aws:events:{ACCOUNT}:rule/sample"
EVENT = {
    "id": "1",
    "source": "s",
    "time": "2026-11-24T08:00:00Z",
    "detail": {"who": 'a "b"', "list": [{"n": 1}, {"n": 2}], "none": None},
}


@pytest.fixture
def rule(emulator: RunningEmulator, name: str) -> Iterator[Callable[..., Any]]:
    """Gives the test's rule targets; all are taken from it at the end."""
    events = emulator.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))

    def put(*targets: dict[str, Any]) -> Any:
        return events.put_targets(Rule=name, Targets=list(targets))

    yield put
    ids = [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]
    if ids:
        events.remove_targets(Rule=name, Ids=ids)
    events.delete_rule(Name=name)


def queue(name: str) -> str:
    return f"arn:aws:sqs:{ACCOUNT}:{name}"


def refused(code: str, said: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{said}")


@pytest.mark.aws(
    "EventBridge",
    "InputTransformer",
    "A path may be an index or a wildcard; the rule's ARN and name and the event are predefined.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
)
@pytest.mark.parametrize(
    ("paths", "template", "sent"),
    [
        ({"n": "$.detail.list[1].n"}, "<n>", "2"),
        ({"n": "$.detail.list[0]"}, '{"first": <n>}', '{"first": {"n": 1}}'),
        ({"w": "$.detail.who"}, '"who: <w>"', r'"who: a \"b\""'),
        ({}, '"<aws.events.rule-name> <aws.events.rule-arn>"', f'"sample {RULE}"'),
        ({}, "<aws.events.event.ingestion-time>", '"2026-11-24T08:00:00Z"'),
        ({}, "<aws.events.event.json>", json.dumps(EVENT)),
        (
            {},
            "<aws.events.event>",
            json.dumps({key: EVENT[key] for key in ("id", "source", "time")}),
        ),
        ({"n": "$.detail.none"}, '{"none": <n>}', '{"none": null}'),
        ({"n": "$.detail.missing"}, '{"missing": "<n>"}', '{"missing": ""}'),
    ],
)
def test_a_template_is_filled_from_the_event(
    paths: dict[str, str], template: str, sent: str
) -> None:
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    assert text(EVENT, {"InputTransformer": transformer}, RULE) == sent


@pytest.mark.aws(
    "EventBridge",
    "PutTargets",
    "Refused: input that is no JSON, two kinds of input, a machine without a role, odd retries.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html",
)
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"Input": "no JSON"}, "JSON syntax error in input for target t"),
        ({"Input": "{}", "InputPath": "$.detail"}, "Only one of Input, InputPath"),
        ({"Arn": f"arn:aws:states:{ACCOUNT}:stateMachine:m"}, "RoleArn is required"),
        ({"Arn": f"arn:aws:sqs:{ACCOUNT}:q.fifo"}, "SqsParameters must be specified"),
        ({"RetryPolicy": {"MaximumRetryAttempts": 186}}, "less than or equal to 185"),
        ({"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}, "less than or equal to 86400"),
    ],
)
def test_a_target_that_could_not_be_called_is_refused(
    rule: Callable[..., Any], name: str, target: dict[str, Any], said: str
) -> None:
    with refused("ValidationException", said):
        rule({"Id": "t", "Arn": queue(name), **target})


@pytest.mark.aws(
    "EventBridge",
    "PutTargets",
    "A rule has five targets; a sixth is refused with LimitExceededException.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
)
def test_a_rule_has_five_targets(rule: Callable[..., Any], name: str) -> None:
    five = [{"Id": str(n), "Arn": queue(name)} for n in range(5)]
    rule(*five)
    rule(five[0])
    with refused("LimitExceededException", "maximum number allowed"):
        rule({"Id": "sixth", "Arn": queue(name)})


@pytest.mark.absent(
    "EventBridge",
    "other targets",
    "PutTargets answers ValidationException for all but functions, machines, queues, buses, logs.",
)
@pytest.mark.parametrize(
    "arn", [f"arn:aws:sns:{ACCOUNT}:topic", f"arn:aws:ecs:{ACCOUNT}:cluster/c"]
)
def test_a_target_that_the_emulator_does_not_call_is_refused(
    rule: Callable[..., Any], arn: str
) -> None:
    with refused("ValidationException", "This emulator delivers no events to"):
        rule({"Id": "t", "Arn": arn})


@pytest.mark.aws(
    "EventBridge",
    "PutEvents",
    "An entry without source, detail-type or detail, or whose detail is no object, is refused.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html",
)
def test_an_entry_that_is_no_event_is_refused_and_the_others_are_taken(
    emulator: RunningEmulator, name: str
) -> None:
    good = {"Source": name, "DetailType": "Sample", "Detail": "{}"}
    bad = [
        {**good, "Source": ""},
        {**good, "DetailType": ""},
        {**good, "Detail": ""},
        {**good, "Detail": "{"},
        {**good, "Detail": "[1]"},
    ]
    answer = emulator.client("events").put_events(Entries=[*bad, good])
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert codes == [*["InvalidArgument"] * 3, *["MalformedDetail"] * 2, None]
    assert answer["FailedEntryCount"] == 5


@pytest.mark.aws(
    "EventBridge",
    "PutEvents",
    "A request of more than 10 entries, or of more than 256 KB, is refused whole.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html",
)
def test_a_request_has_ten_entries_and_256_kb(emulator: RunningEmulator, name: str) -> None:
    events = emulator.client("events")
    entry = {"Source": name, "DetailType": "Sample", "Detail": "{}"}
    with refused("ValidationException", "less than or equal to 10"):
        events.put_events(Entries=[entry] * 11)
    large = {**entry, "Detail": json.dumps({"text": "x" * 256 * 1024})}
    with refused("ValidationException", "over the limit"):
        events.put_events(Entries=[large])


@pytest.mark.aws(
    "EventBridge",
    "retries",
    "After MaximumEventAgeInSeconds a failing delivery is given up, even if attempts are left.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html",
)
def test_an_event_that_gets_too_old_is_given_up(
    emulator: RunningEmulator, rule: Callable[..., Any], name: str
) -> None:
    sqs, states = emulator.client("sqs"), emulator.client("stepfunctions")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::123456789012:role/events"
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    # A path that is not in the event leaves no JSON, which Step Functions refuses each time.
    rule(
        {
            "Id": "t",
            "Arn": machine,
            "RoleArn": role,
            "InputTransformer": {
                "InputPathsMap": {"n": "$.detail.n"},
                "InputTemplate": '{"n": <n>}',
            },
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60},
            "DeadLetterConfig": {"Arn": queue(name)},
        }
    )
    entry = {"Source": name, "DetailType": "Sample", "Detail": "{}"}
    emulator.client("events").put_events(Entries=[entry])
    (letter,) = eventually(
        lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")
    )
    why = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert why["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert int(why["RETRY_ATTEMPTS"]) < 185
