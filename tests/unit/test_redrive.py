"""`labswarm redrive`: dead letters are sent again, oldest first; stale ones are dropped."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws
from tests.support.app_twins import INSTANCE, event

from labswarm.lifecycle.events import LifecycleEvent, parse
from labswarm_operator import account, cli
from labswarm_operator import redrive as redriving
from labswarm_operator.redrive import QUEUE, Outcome, lines, redrive
from labswarm_operator.refusal import Refusal

ACCOUNT = "eu-west-1:123456789012"
LAUNCH_MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:labswarm-node-launch"
LAST_RESORT = f"arn:aws:lambda:{ACCOUNT}:function:labswarm-last-resort"
RULE = f"arn:aws:events:{ACCOUNT}:rule/labswarm-NodeLaunchLaunchHook"
LAUNCH = cast(LifecycleEvent, parse(event("launch")))
NOW = LAUNCH.at + 60
TIMEOUT_S = 600


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "operation")


@dataclass
class Account:
    """An account's clients: its queues are moto's; starts and calls are written down."""

    started: list[dict[str, str]] = field(default_factory=list)
    called: list[dict[str, str]] = field(default_factory=list)
    refusal: str = ""

    def __call__(self, service: str) -> Any:
        return boto3.client("sqs", "eu-west-1") if service == "sqs" else self

    def start_execution(self, **given: str) -> None:
        if self.refusal:
            raise refused(self.refusal)
        if given["name"] in [one["name"] for one in self.started]:
            raise refused("ExecutionAlreadyExists")
        self.started.append(given)

    def invoke(self, **given: str) -> None:
        self.called.append(given)

    def describe_lifecycle_hooks(self, **given: Any) -> dict[str, Any]:
        assert given["AutoScalingGroupName"] == "labswarm-lab-workers"
        known = (
            [{"HeartbeatTimeout": TIMEOUT_S}] if given["LifecycleHookNames"] == ["launch"] else []
        )
        return {"LifecycleHooks": known}

    def left(self) -> int:
        found = self("sqs").get_queue_attributes(
            QueueUrl=url(), AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(redriving, "_WAIT_S", 0)
    with mock_aws():
        boto3.client("sqs", "eu-west-1").create_queue(QueueName=QUEUE)
        yield Account()


def url() -> str:
    return str(boto3.client("sqs", "eu-west-1").get_queue_url(QueueName=QUEUE)["QueueUrl"])


def buried(body: Any, target: str = LAUNCH_MACHINE) -> None:
    """EventBridge's message to a rule's dead-letter queue."""
    given = {"RULE_ARN": RULE, "TARGET_ARN": target, "ERROR_CODE": "ThrottlingException"}
    attributes: Any = {n: {"DataType": "String", "StringValue": v} for n, v in given.items() if v}
    boto3.client("sqs", "eu-west-1").send_message(
        QueueUrl=url(),
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes=attributes if target else {},
    )


def failed(payload: Any, function: str = LAST_RESORT) -> None:
    """Lambda's message to a function's destination on failure."""
    record = {
        "version": "1.0",
        "timestamp": "2026-11-03T13:46:12.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": f"{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Transient"},
    }
    boto3.client("sqs", "eu-west-1").send_message(QueueUrl=url(), MessageBody=json.dumps(record))


def redriven(there: Account, now: float = NOW, *, dry_run: bool = False) -> list[Outcome]:
    return list(redrive(there, QUEUE, now, dry_run=dry_run))


def done(outcomes: list[Outcome]) -> list[str]:
    return [outcome.done for outcome in outcomes]


def test_a_rules_event_starts_its_machine_with_the_input_of_the_rule(
    there: Account,
) -> None:
    buried(event("launch"))

    (outcome,) = redriven(there)

    assert (outcome.done, outcome.why) == ("sent", "it failed: ThrottlingException")
    assert outcome.event == f"EC2 Instance-launch Lifecycle Action {INSTANCE}"
    (started,) = there.started
    assert started["stateMachineArn"] == LAUNCH_MACHINE
    assert json.loads(started["input"]) == event("launch")
    assert there.left() == 0


def test_a_functions_event_calls_the_function_again(there: Account) -> None:
    failed(event("execution_failed"))

    assert done(redriven(there, now=0)) == ["sent"]
    (called,) = there.called
    assert (called["FunctionName"], called["InvocationType"]) == (LAST_RESORT, "Event")
    assert json.loads(called["Payload"]) == event("execution_failed")
    assert there.left() == 0


def test_the_oldest_goes_first(there: Account) -> None:
    for number in range(12):
        buried({**event("launch"), "id": str(number)})

    assert done(redriven(there)) == ["sent"] * 12
    ids = [int(json.loads(started["input"])["id"]) for started in there.started]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("sample", "age_s", "outcome"),
    [
        ("launch", TIMEOUT_S - 1, "sent"),
        ("launch", TIMEOUT_S, "dropped"),
        ("spot_interruption", 119, "sent"),
        ("spot_interruption", 120, "dropped"),
        ("rebalance_recommendation", 120, "dropped"),
        ("test_notification", 0, "kept"),
    ],
)
def test_an_event_that_is_too_old_is_dropped_with_a_line(
    there: Account, sample: str, age_s: float, outcome: str
) -> None:
    buried(event(sample), target="" if outcome == "kept" else LAUNCH_MACHINE)

    assert done(redriven(there, now=LAUNCH.at + age_s)) == [outcome]
    assert len(there.started) == (outcome == "sent")
    assert there.left() == (outcome == "kept")


@pytest.mark.parametrize(
    ("sample", "fresh_s"), [("minute", 60), ("seats_short", 60), ("execution_failed", 48 * 3600)]
)
def test_an_event_without_a_hook_has_a_time_of_its_own(
    there: Account, sample: str, fresh_s: float
) -> None:
    buried(event(sample), target=LAST_RESORT)
    (looked,) = redriven(there, now=0, dry_run=True)
    at = boto3.client("sqs", "eu-west-1").receive_message(
        QueueUrl=url(), AttributeNames=["SentTimestamp"], VisibilityTimeout=0
    )["Messages"][0]["Attributes"]["SentTimestamp"]
    sent_at = int(at) / 1000

    assert looked.done == "sent"
    assert done(redriven(there, now=sent_at + fresh_s - 1, dry_run=True)) == ["sent"]
    assert done(redriven(there, now=sent_at + fresh_s)) == ["dropped"]
    assert there.called == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"LifecycleHookName": "gone"}, "has no hook 'gone'"),
        ({"EC2InstanceId": "i-XYZ"}, "malformed: detail.EC2InstanceId"),
        ({"AutoScalingGroupName": "web"}, "the group 'web' is not ours"),
    ],
)
def test_an_event_that_no_machine_would_take_is_dropped_with_the_reason(
    there: Account, change: dict[str, str], why: str
) -> None:
    bad = event("launch")
    bad["detail"].update(change)
    buried(bad)

    (outcome,) = redriven(there)

    assert outcome.done == "dropped"
    assert why in outcome.why


@pytest.mark.parametrize("body", ["no JSON", "[]", "{}", '{"requestContext": 1}'])
def test_a_letter_that_names_nobody_is_kept(there: Account, body: str) -> None:
    buried(body, target="")

    (outcome,) = redriven(there)

    assert outcome.why == "it names no state machine or function; read it by hand"
    assert there.left() == 1


def test_an_event_that_cannot_be_sent_is_kept_and_sent_the_next_time(there: Account) -> None:
    buried(event("launch"))
    there.refusal = "ThrottlingException"
    (outcome,) = redriven(there)
    assert (outcome.done, there.left()) == ("kept", 1)
    assert "ThrottlingException" in outcome.why

    there.refusal = ""
    assert done(redriven(there)) == ["sent"]


def test_an_event_sent_before_a_crash_is_not_sent_twice(there: Account) -> None:
    buried(event("launch"))
    message = boto3.client("sqs", "eu-west-1").receive_message(QueueUrl=url(), VisibilityTimeout=0)[
        "Messages"
    ][0]
    there.started.append({"name": f"redrive-{message['MessageId']}"})

    assert done(redriven(there)) == ["sent"]
    assert (len(there.started), there.left()) == (1, 0)


def test_a_dry_run_changes_nothing_and_lists_each_change(there: Account) -> None:
    buried(event("launch"))
    buried(event("spot_interruption"))

    for _ in range(2):
        outcomes = redriven(there, now=LAUNCH.at + 300, dry_run=True)
        assert sorted(line.split(":")[0] for line in lines(outcomes, dry_run=True)) == [
            "would be dropped",
            "would be sent",
        ]
    assert (there.started, there.called, there.left()) == ([], [], 2)


def test_a_queue_that_is_not_there_is_named(there: Account) -> None:
    with pytest.raises(Refusal, match="There is no queue 'other'"):
        redrive(there, "other", NOW, dry_run=False)


def test_a_line_says_that_the_queue_is_empty() -> None:
    assert list(lines([], dry_run=False)) == ["The queue is empty."]


def test_the_command_prints_json_and_ends_with_1_when_something_is_kept(
    there: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "clients", lambda name, aws: there)
    buried(event("minute"), target="")

    ended = CliRunner().invoke(cli.labswarm, ["redrive", "--json", "--aws"])

    (outcome,) = json.loads(ended.output)
    assert (ended.exit_code, outcome["done"]) == (1, "kept")
    assert set(outcome) == {"id", "at", "event", "target", "done", "why"}
    ended = CliRunner().invoke(cli.labswarm, ["redrive", "--queue", "other", "--aws"])
    assert ended.exit_code == 2
