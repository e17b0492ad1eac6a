"""EventBridge on the emulator matches and delivers as AWS's does."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/events"
HANDLER = """
import json, os, boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


@dataclass
class Queue:
    """A queue that events arrive in."""

    emulator: RunningEmulator
    name: str
    url: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{ACCOUNT}:{self.name}"

    def messages(self) -> list[dict[str, Any]]:
        got = self.emulator.client("sqs").receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = got.get("Messages", [])
        return found

    def bodies(self) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages()]


@pytest.fixture
def queue(emulator: RunningEmulator, name: str) -> Queue:
    return Queue(emulator, name, emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def rule(emulator: RunningEmulator, name: str) -> Iterator[Callable[..., None]]:
    """Makes the test's one rule, on events from the source of the test's own name."""
    events = emulator.client("events")

    def put(target_arn: str, pattern: dict[str, Any] | None = None, **target: Any) -> None:
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name], **(pattern or {})}))
        events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": target_arn, **target}])

    yield put
    events.remove_targets(Rule=name, Ids=["target"])
    events.delete_rule(Name=name)


def put(emulator: RunningEmulator, source: str, detail: dict[str, Any], **more: Any) -> str:
    """Put one event; its id."""
    entry = {"Source": source, "DetailType": "Sample", "Detail": json.dumps(detail), **more}
    answer = emulator.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer
    event_id: str = answer["Entries"][0]["EventId"]
    return event_id


@pytest.mark.aws(
    "EventBridge",
    "PutEvents",
    "A matching event is delivered whole, with its id and its time in UTC.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html",
)
def test_given_a_matching_event_then_its_target_gets_it_whole(
    emulator: RunningEmulator, queue: Queue, rule: Callable[..., None]
) -> None:
    """The event's fields; time is ISO 8601 in UTC.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    rule(queue.arn)
    event_id = put(emulator, queue.name, {"deep": {"number": 1}}, Resources=["arn:x"])
    (event,) = eventually(queue.bodies)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    assert event == {
        "version": "0",
        "id": event_id,
        "detail-type": "Sample",
        "source": queue.name,
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": ["arn:x"],
        "detail": {"deep": {"number": 1}},
    }


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "A rule's targets get the events that match its pattern, and no other.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    ("filters", "matches", "fails"),
    [
        (["labswarm-lab-workers"], "labswarm-lab-workers", "labswarm-lab"),
        ([{"prefix": "labswarm-"}], "labswarm-lab-workers", "other-labswarm-"),
        ([{"suffix": "-workers"}], "labswarm-lab-workers", "labswarm-lab"),
        ([{"anything-but": ["a"]}], "b", "a"),
        ([{"anything-but": {"prefix": "lab"}}], "other", "labswarm"),
        ([{"wildcard": "labswarm-*-workers"}], "labswarm-x-workers", "labswarm-x-hubs"),
        ([{"numeric": [">", 1, "<=", 3]}], 3, 1),
        ([{"exists": True}], "there", None),
    ],
)
def test_given_a_pattern_then_only_matching_events_are_delivered(
    emulator: RunningEmulator,
    queue: Queue,
    rule: Callable[..., None],
    filters: list[Any],
    matches: Any,
    fails: Any,
) -> None:
    """Comparison operators of event patterns.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    rule(queue.arn, {"detail": {"group": filters}})
    refused = put(emulator, queue.name, {"group": fails} if fails is not None else {"other": 1})
    wanted = put(emulator, queue.name, {"group": matches})
    (event,) = eventually(queue.bodies)
    assert event["id"] == wanted
    assert not emulator.recorded("events", event=refused)


@pytest.mark.aws(
    "EventBridge",
    "DisableRule",
    "A disabled rule matches nothing, and a rule with only a schedule no event.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html",
)
def test_given_a_disabled_rule_or_one_with_a_schedule_then_no_event_starts_it(
    emulator: RunningEmulator, queue: Queue, rule: Callable[..., None]
) -> None:
    """Only an enabled rule with a pattern matches events.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    """
    rule(queue.arn)
    events = emulator.client("events")
    events.disable_rule(Name=queue.name)
    timed = f"{queue.name}-timed"
    events.put_rule(Name=timed, ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule=timed, Targets=[{"Id": "queue", "Arn": queue.arn}])
    unseen = put(emulator, queue.name, {"n": 1})
    events.remove_targets(Rule=timed, Ids=["queue"])
    events.delete_rule(Name=timed)
    events.enable_rule(Name=queue.name)
    seen = put(emulator, queue.name, {"n": 2})
    assert [event["id"] for event in eventually(queue.bodies)] == [seen]
    assert not emulator.recorded("events", event=unseen)


@pytest.mark.aws(
    "EventBridge",
    "PutTargets",
    "Input is constant text, InputPath a part of the event, InputTransformer a template.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
)
@pytest.mark.parametrize(
    ("target", "received"),
    [
        ({"Input": '{"constant": true}'}, {"constant": True}),
        ({"InputPath": "$.detail"}, {"who": 'a "b"', "at": {"n": 1}}),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"who": "$.detail.who", "at": "$.detail.at"},
                    "InputTemplate": '{"who": <who>, "said": "<who> was here", "at": <at>}',
                }
            },
            {"who": 'a "b"', "said": 'a "b" was here', "at": {"n": 1}},
        ),
    ],
    ids=["input", "path", "transformer"],
)
def test_given_a_targets_input_then_it_gets_that(
    emulator: RunningEmulator,
    queue: Queue,
    rule: Callable[..., None],
    target: dict[str, Any],
    received: dict[str, Any],
) -> None:
    """Input is constant text, InputPath a part, InputTransformer a template with variables.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    rule(queue.arn, **target)
    put(emulator, queue.name, {"who": 'a "b"', "at": {"n": 1}})
    assert eventually(queue.bodies) == [received]


@pytest.mark.aws(
    "EventBridge",
    "targets",
    "A state machine is started with the event as input, under a random name each time.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html",
)
def test_given_a_state_machine_then_each_delivery_starts_an_execution_with_a_random_name(
    emulator: RunningEmulator, rule: Callable[..., None], name: str
) -> None:
    """The target is started asynchronously with the event as its input.

    https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-cloudwatch-events-s3.html
    """
    states = emulator.client("stepfunctions")
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    arn = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    rule(arn, RoleArn=ROLE)
    put(emulator, name, {"n": 1})
    put(emulator, name, {"n": 1})

    def succeeded() -> list[dict[str, Any]]:
        found = states.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
        return found if len(found) == 2 else []

    first, second = eventually(succeeded)
    assert first["name"] != second["name"]
    described = states.describe_execution(executionArn=first["executionArn"])
    assert json.loads(described["input"])["detail"] == {"n": 1}


@pytest.mark.aws(
    "EventBridge",
    "targets",
    "A function is invoked asynchronously with the event.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html",
)
def test_given_a_function_then_it_is_invoked_with_the_event(
    emulator: RunningEmulator, queue: Queue, rule: Callable[..., None]
) -> None:
    """EventBridge invokes functions asynchronously.

    https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("sample.py", HANDLER)
    role = emulator.client("iam").create_role(RoleName=queue.name, AssumeRolePolicyDocument="{}")
    function = emulator.client("lambda").create_function(
        FunctionName=queue.name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="sample.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
        Environment={"Variables": {"QUEUE": queue.url}},
    )
    rule(function["FunctionArn"])
    event_id = put(emulator, queue.name, {"n": 1})
    (event,) = eventually(queue.bodies)
    assert event["id"] == event_id


@pytest.mark.aws(
    "EventBridge",
    "dead letters",
    "A target that is gone is not tried again: its event is a dead letter that says why.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html",
)
def test_given_a_target_that_is_not_there_then_the_event_goes_to_the_dead_letter_queue(
    emulator: RunningEmulator, queue: Queue, rule: Callable[..., None], name: str
) -> None:
    """Some errors are not retried; the message's attributes name the error.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
    """
    gone = f"arn:aws:lambda:{ACCOUNT}:function:{name}"
    rule(gone, DeadLetterConfig={"Arn": queue.arn})
    event_id = put(emulator, queue.name, {"n": 1})
    (message,) = eventually(queue.messages)
    assert json.loads(message["Body"])["id"] == event_id
    why = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert why["ERROR_CODE"] == "NO_RESOURCE"
    assert "EXHAUSTED_RETRY_CONDITION" not in why
    assert why["TARGET_ARN"] == gone
    assert why["RULE_ARN"] == f"arn:aws:events:{ACCOUNT}:rule/{name}"
    assert why["RETRY_ATTEMPTS"] == "0"


@pytest.mark.aws(
    "EventBridge",
    "retries",
    "A failing target is called again with growing, jittered pauses, within its RetryPolicy.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html",
)
def test_given_a_target_that_keeps_failing_then_it_is_tried_again_within_its_policy(
    emulator: RunningEmulator, queue: Queue, rule: Callable[..., None], name: str
) -> None:
    """MaximumRetryAttempts bounds the retries, with exponential back-off and jitter.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    """
    states = emulator.client("stepfunctions")
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    arn = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    # A path that is not in the event leaves no JSON, which Step Functions refuses each time.
    template = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '{"who": <who>}'}
    rule(
        arn,
        RoleArn=ROLE,
        InputTransformer=template,
        RetryPolicy={"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600},
        DeadLetterConfig={"Arn": queue.arn},
    )
    event_id = put(emulator, queue.name, {"n": 1})
    (message,) = eventually(queue.messages)
    why = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert why["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert why["RETRY_ATTEMPTS"] == "2"
    assert why["ERROR_CODE"] == "ERROR_FROM_TARGET"
    # The letter is the event as it came, and not the target's input.
    assert json.loads(message["Body"])["id"] == event_id
    assert len(emulator.recorded("events", what="failed", event=event_id)) == 3


@pytest.mark.aws(
    "EventBridge",
    "PutEvents",
    "A source that begins with aws. is refused entry by entry.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html",
)
def test_given_an_aws_services_name_as_source_then_the_event_is_refused(
    emulator: RunningEmulator, name: str
) -> None:
    """Sources that begin with aws. are AWS's own; the other entries are taken.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    entry = {"DetailType": "Sample", "Detail": "{}"}
    entries = [{"Source": source, **entry} for source in ("aws.autoscaling", name)]
    answer = emulator.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert "EventId" in answer["Entries"][1]
