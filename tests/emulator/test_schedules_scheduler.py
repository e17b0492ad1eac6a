"""EventBridge Scheduler on the emulator calls its targets as AWS's does."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support import lambda_functions
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/scheduler"
OFF = {"Mode": "OFF"}
SENDER = """
import json, os, boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


@dataclass
class Queue:
    """A queue that is a schedule's target, or its dead-letter queue."""

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
        return list(got.get("Messages", []))

    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.messages()]


@pytest.fixture
def queue(emulator: RunningEmulator, name: str) -> Queue:
    return Queue(emulator, name, emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def schedule(emulator: RunningEmulator, name: str) -> Iterator[Callable[..., str]]:
    """Makes the test's one schedule; its ARN."""
    scheduler = emulator.client("scheduler")

    def make(expression: str, target: dict[str, Any], **more: Any) -> str:
        made = scheduler.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            Target={"RoleArn": ROLE, **target},
            **{"FlexibleTimeWindow": OFF, **more},
        )
        return str(made["ScheduleArn"])

    yield make
    if scheduler.list_schedules(NamePrefix=name)["Schedules"]:
        scheduler.delete_schedule(Name=name)


def refused(said: str) -> Any:
    return pytest.raises(ClientError, match=rf"\(ValidationException\).*{said}")


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A rate fires at once and then again and again, with the schedule's Input.",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
)
def test_a_rate_fires_at_once_and_again(queue: Queue, schedule: Callable[..., str]) -> None:
    arn = schedule("rate(1 minute)", {"Arn": queue.arn, "Input": "any text"})
    assert eventually(queue.bodies) == ["any text"]
    eventually(lambda: len(queue.bodies()) > 1)
    first, second, *_ = queue.emulator.recorded("scheduler", schedule=arn, what="due")
    minute_s = queue.emulator.settings.time_scale * 60
    assert second["at"] != first["at"] or minute_s < 1


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A one-time schedule fires once at its time in its time zone; with DELETE it is deleted then.",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-delete.html",
)
def test_a_time_comes_once_in_its_zone(
    emulator: RunningEmulator, queue: Queue, schedule: Callable[..., str], name: str
) -> None:
    # Ten hours behind UTC, the whole year.
    at = datetime.now(UTC) + timedelta(seconds=2) - timedelta(hours=10)
    schedule(
        f"at({at:%Y-%m-%dT%H:%M:%S})",
        {"Arn": queue.arn, "Input": "now"},
        ScheduleExpressionTimezone="Pacific/Honolulu",
        ActionAfterCompletion="DELETE",
    )
    assert eventually(queue.bodies) == ["now"]
    eventually(
        lambda: not emulator.client("scheduler").list_schedules(NamePrefix=name)["Schedules"]
    )
    assert queue.bodies() == ["now"]


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A schedule that is disabled, over, or not begun does not fire; the next one does.",
    "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html",
)
@pytest.mark.parametrize(
    "setting",
    [
        {"State": "DISABLED"},
        {"EndDate": datetime.now(UTC) - timedelta(hours=1)},
        {"StartDate": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids=["disabled", "over", "not begun"],
)
def test_a_schedule_that_is_not_on_does_not_fire(
    emulator: RunningEmulator,
    queue: Queue,
    schedule: Callable[..., str],
    name: str,
    setting: dict[str, Any],
) -> None:
    arn = schedule("rate(1 minute)", {"Arn": queue.arn, "Input": "no"}, **setting)
    scheduler = emulator.client("scheduler")
    other = scheduler.create_schedule(
        Name=f"{name}-other",
        ScheduleExpression="rate(1 minute)",
        Target={"RoleArn": ROLE, "Arn": queue.arn, "Input": "yes"},
        FlexibleTimeWindow=OFF,
    )["ScheduleArn"]
    try:
        eventually(lambda: len(emulator.recorded("scheduler", schedule=other, what="due")) > 1)
    finally:
        scheduler.delete_schedule(Name=f"{name}-other")
    assert not emulator.recorded("scheduler", schedule=arn)
    assert set(queue.bodies()) == {"yes"}


@pytest.mark.aws(
    "Scheduler",
    "targets",
    "A function gets the Input with the context attributes in it.",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html",
)
def test_a_function_gets_the_context_it_asks_for(
    emulator: RunningEmulator, queue: Queue, schedule: Callable[..., str]
) -> None:
    function = lambda_functions.create(
        emulator, SENDER, Environment={"Variables": {"QUEUE": queue.url}}
    )
    asked = {
        "schedule": "<aws.scheduler.schedule-arn>",
        "at": "<aws.scheduler.scheduled-time>",
        "execution": "<aws.scheduler.execution-id>",
        "attempt": "<aws.scheduler.attempt-number>",
    }
    arn = schedule("rate(1 hour)", {"Arn": function, "Input": json.dumps(asked)})
    (body,) = eventually(queue.bodies)
    (due,) = emulator.recorded("scheduler", schedule=arn, what="due")
    assert json.loads(body) == {
        "schedule": arn,
        "at": due["at"],
        "execution": due["execution"],
        "attempt": "1",
    }


@pytest.mark.aws(
    "Scheduler",
    "targets",
    "A state machine is started; without Input it gets the default notification.",
    "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html",
)
def test_a_machine_is_started_with_the_default_notification(
    emulator: RunningEmulator, schedule: Callable[..., str], name: str
) -> None:
    states = emulator.client("stepfunctions")
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    arn = schedule("rate(1 hour)", {"Arn": machine})
    (execution,) = eventually(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    described = states.describe_execution(executionArn=execution["executionArn"])
    given = json.loads(described["input"])
    assert (given["source"], given["detail-type"]) == ("aws.scheduler", "Scheduled Event")
    assert (given["resources"], given["detail"]) == ([arn], "{}")


@pytest.mark.aws(
    "Scheduler",
    "dead letters",
    "An undeliverable event goes to the dead-letter queue with attributes that give the reason.",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html",
)
def test_a_target_that_is_gone_leaves_a_dead_letter(
    emulator: RunningEmulator, queue: Queue, schedule: Callable[..., str], name: str
) -> None:
    gone = f"arn:aws:lambda:{ACCOUNT}:function:{name}"
    arn = schedule(
        "rate(1 hour)", {"Arn": gone, "Input": "{}", "DeadLetterConfig": {"Arn": queue.arn}}
    )
    (message,) = eventually(queue.messages)
    why = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    (due,) = emulator.recorded("scheduler", schedule=arn, what="due")
    assert message["Body"] == "{}"
    assert "not found" in why.pop("ERROR_MESSAGE").lower()
    assert why == {
        "SCHEDULE_ARN": arn,
        "SCHEDULED_TIME": due["at"],
        "EXECUTION_ID": due["execution"],
        "IS_PAYLOAD_TRUNCATED": "false",
        "TARGET_ARN": gone,
        "ERROR_CODE": "ResourceNotFoundException",
        "RETRY_ATTEMPTS": "0",
    }


@pytest.mark.aws(
    "Scheduler",
    "retries",
    "A failing target is called again until MaximumRetryAttempts or MaximumEventAgeInSeconds.",
    "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html",
)
@pytest.mark.parametrize(
    ("policy", "exhausted"),
    [
        ({"MaximumRetryAttempts": 2}, "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 60}, "MaximumEventAgeInSeconds"),
    ],
)
def test_a_failing_target_is_tried_again_within_its_policy(
    emulator: RunningEmulator,
    queue: Queue,
    schedule: Callable[..., str],
    name: str,
    policy: dict[str, int],
    exhausted: str,
) -> None:
    # A FIFO queue takes no message without a group, each time.
    emulator.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})
    schedule(
        "rate(1 hour)",
        {
            "Arn": f"{queue.arn}.fifo",
            "Input": "attempt <aws.scheduler.attempt-number>",
            "RetryPolicy": policy,
            "DeadLetterConfig": {"Arn": queue.arn},
        },
    )
    (message,) = eventually(queue.messages)
    why = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert why["EXHAUSTED_RETRY_CONDITION"] == exhausted
    retries = int(why["RETRY_ATTEMPTS"])
    # The pauses are 1, 2, 4, ... seconds, by half shorter at most: a minute has 6 or 7 of them.
    assert retries == 2 if exhausted == "MaximumRetryAttempts" else 1 <= retries <= 7
    assert message["Body"] == f"attempt {retries + 1}"


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A flexible time window has the target called at some moment of it.",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html",
)
def test_a_flexible_window_spreads_the_calls(
    emulator: RunningEmulator, queue: Queue, schedule: Callable[..., str]
) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1}
    arn = schedule("rate(1 hour)", {"Arn": queue.arn, "Input": "in"}, FlexibleTimeWindow=window)
    eventually(queue.bodies)
    (due,) = emulator.recorded("scheduler", schedule=arn, what="due")
    (delivered,) = eventually(
        lambda: emulator.recorded("events", event=due["execution"], what="delivered")
    )
    written = datetime.fromisoformat(due["at"]).timestamp()
    # The minute is three seconds here; under any load it is not called before it is due.
    assert written - 1 <= delivered["at"] <= time.time()


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A schedule that could not run is refused: ValidationException, and none is made.",
    "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html",
)
@pytest.mark.parametrize(
    ("expression", "target", "more", "said"),
    [
        ("rate(0 minutes)", {}, {}, "Invalid Schedule Expression"),
        ("cron(0 8 * * * *)", {}, {}, "Invalid Schedule Expression"),
        ("at(2026-13-01T00:00:00)", {}, {}, "Invalid Schedule Expression"),
        ("rate(1 hour)", {}, {"ScheduleExpressionTimezone": "Mars/One"}, "Timezone Mars/One"),
        ("rate(1 hour)", {}, {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "flexible time window"),
        ("rate(1 hour)", {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}, {}, "from 60 to"),
        ("rate(1 hour)", {"RetryPolicy": {"MaximumRetryAttempts": 186}}, {}, "from 0 to 185"),
        (
            "rate(1 hour)",
            {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:a.fifo"}},
            {},
            "FIFO",
        ),
        (
            "rate(1 hour)",
            {"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:a", "Input": "text"},
            {},
            "well-formed JSON",
        ),
    ],
)
def test_a_schedule_that_could_not_run_is_refused(
    emulator: RunningEmulator,
    queue: Queue,
    schedule: Callable[..., str],
    name: str,
    expression: str,
    target: dict[str, Any],
    more: dict[str, Any],
    said: str,
) -> None:
    with refused(said):
        schedule(expression, {"Arn": queue.arn, **target}, **more)
    assert emulator.client("scheduler").list_schedules(NamePrefix=name)["Schedules"] == []


@pytest.mark.absent(
    "Scheduler",
    "universal targets",
    "CreateSchedule answers ValidationException for any target but a function, machine or queue.",
)
def test_a_universal_target_is_refused(schedule: Callable[..., str]) -> None:
    with refused("functions, state machines and queues"):
        schedule("rate(1 hour)", {"Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"})


@pytest.mark.absent(
    "Scheduler",
    "KmsKeyArn",
    "CreateSchedule answers ValidationException: no schedule is encrypted with a key of yours.",
)
def test_a_key_for_a_schedule_is_refused(queue: Queue, schedule: Callable[..., str]) -> None:
    key = f"arn:aws:kms:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
    with refused("encrypts no schedule"):
        schedule("rate(1 hour)", {"Arn": queue.arn}, KmsKeyArn=key)


@pytest.mark.aws(
    "Scheduler",
    "CreateSchedule",
    "A name is taken once in its group, and the group has to be there.",
    "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html",
)
def test_a_name_is_taken_once_and_its_group_has_to_be_there(
    queue: Queue, schedule: Callable[..., str]
) -> None:
    schedule("rate(1 hour)", {"Arn": queue.arn}, State="DISABLED")
    with pytest.raises(ClientError, match=r"\(ConflictException\)"):
        schedule("rate(1 hour)", {"Arn": queue.arn})
    with pytest.raises(ClientError, match=r"\(ResourceNotFoundException\)"):
        schedule("rate(1 hour)", {"Arn": queue.arn}, GroupName="none")
