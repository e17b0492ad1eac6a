"""Asynchronous invocations: their age, their throttles, and the places that receive their ends."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.lambda_functions import SOURCE, create
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"


@dataclass
class Queue:
    """A queue that receives the end of invocations."""

    emulator: RunningEmulator
    arn: str
    url: str

    def messages(self) -> list[dict[str, Any]]:
        got = self.emulator.client("sqs").receive_message(
            QueueUrl=self.url, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        found: list[dict[str, Any]] = got.get("Messages", [])
        return found


@pytest.fixture
def queue(emulator: RunningEmulator, name: str) -> Queue:
    url = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return Queue(emulator, f"arn:aws:sqs:{ACCOUNT}:{name}", url)


def send(emulator: RunningEmulator, function: str, event: Any) -> str:
    """Invoke asynchronously; the function's name."""
    accepted = emulator.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(event)
    )
    assert accepted["StatusCode"] == 202
    return function.rpartition(":")[2]


def configured(emulator: RunningEmulator, function: str, **config: Any) -> None:
    emulator.client("lambda").put_function_event_invoke_config(FunctionName=function, **config)


FAILS = {"do": "fail", "type": "Permanent", "message": "no"}
"""The failing inputs of SOURCE's function."""


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An event that fails every attempt is sent to OnFailure with its payload, answer and attempts.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
)
def test_a_failed_event_is_sent_to_its_destination(emulator: RunningEmulator, queue: Queue) -> None:
    function = create(emulator, SOURCE)
    configured(
        emulator,
        function,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    name = send(emulator, function, FAILS)
    (message,) = eventually(queue.messages, within_s=30)
    record = json.loads(message["Body"])
    ends = emulator.recorded("functions", what="failed", function=name)
    assert record["requestContext"] == {
        "requestId": ends[0]["request_id"],
        "functionArn": f"{function}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 2,
    }
    assert record["requestPayload"] == FAILS
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no"
    assert {end["request_id"] for end in ends} == {ends[0]["request_id"]}  # it is one request


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An event that was answered is sent to OnSuccess: a queue, a topic, a function or a bus.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
)
@pytest.mark.parametrize("kind", ["queue", "topic", "function", "bus"])
def test_an_answered_event_is_sent_to_its_destination(
    emulator: RunningEmulator, queue: Queue, name: str, kind: str
) -> None:
    if kind == "queue":
        destination = queue.arn
    elif kind == "topic":
        sns = emulator.client("sns")
        destination = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(
            TopicArn=destination,
            Protocol="sqs",
            Endpoint=queue.arn,
            Attributes={"RawMessageDelivery": "true"},
        )
    elif kind == "function":
        source = (
            "import json, os, boto3\n"
            "def handler(event, context):\n"
            "    boto3.client('sqs').send_message(\n"
            "        QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps(event))\n"
        )
        destination = create(emulator, source, Environment={"Variables": {"QUEUE": queue.url}})
    else:
        destination = f"arn:aws:events:{ACCOUNT}:event-bus/default"
        events = emulator.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["lambda"]}))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue.arn}])
    function = create(emulator, SOURCE)
    configured(emulator, function, DestinationConfig={"OnSuccess": {"Destination": destination}})
    try:
        send(emulator, function, {"do": "return", "size": 3})
        (message,) = eventually(queue.messages, within_s=30)
    finally:
        if kind == "bus":
            events.remove_targets(Rule=name, Ids=["queue"])
            events.delete_rule(Name=name)
    record = json.loads(message["Body"])
    if kind == "bus":
        assert record["detail-type"] == "Lambda Function Invocation Result - Success"
        assert record["resources"] == [destination, f"{function}:$LATEST"]
        record = record["detail"]
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["functionArn"] == f"{function}:$LATEST"
    assert record["responsePayload"] == "xxx"


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A dead letter is the unchanged event; its attributes give the reason.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
)
def test_an_event_that_failed_is_a_dead_letter(emulator: RunningEmulator, queue: Queue) -> None:
    function = create(emulator, SOURCE, DeadLetterConfig={"TargetArn": queue.arn})
    configured(emulator, function, MaximumRetryAttempts=0)
    found = emulator.client("lambda").get_function_configuration(FunctionName=function)
    assert found["DeadLetterConfig"] == {"TargetArn": queue.arn}
    name = send(emulator, function, FAILS)
    (message,) = eventually(queue.messages, within_s=30)
    assert json.loads(message["Body"]) == FAILS
    (end,) = emulator.recorded("functions", what="failed", function=name)
    said = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert said == {"RequestID": end["request_id"], "ErrorCode": "200", "ErrorMessage": "no"}


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A throttled event is tried again after waits that double, which count as no attempts.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
)
def test_a_throttled_event_waits_for_its_turn(emulator: RunningEmulator) -> None:
    function = create(emulator, SOURCE)
    lambda_ = emulator.client("lambda")
    lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    configured(emulator, function, MaximumRetryAttempts=0)
    name = send(emulator, function, {"do": "sleep", "seconds": 2})
    send(emulator, function, {"do": "sleep", "seconds": 0})
    eventually(
        lambda: len(emulator.recorded("functions", what="answered", function=name)) == 2,
        within_s=60,
    )
    throttled = emulator.recorded("functions", what="throttled", function=name)
    waits = [b["at"] - a["at"] for a, b in itertools.pairwise(throttled)]
    second = emulator.settings.time_scale
    assert len(waits) >= 2
    assert all(wait >= 0.99 * second * 2**n for n, wait in enumerate(waits))


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An event is not tried beyond MaximumEventAgeInSeconds: EventAgeExceeded.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html",
)
def test_an_event_is_given_up_when_it_is_too_old(emulator: RunningEmulator, queue: Queue) -> None:
    function = create(emulator, SOURCE)
    configured(
        emulator,
        function,
        MaximumEventAgeInSeconds=90,  # the third attempt would come after 180
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    name = send(emulator, function, FAILS)
    (message,) = eventually(queue.messages, within_s=30)
    context = json.loads(message["Body"])["requestContext"]
    attempts = len(emulator.recorded("functions", what="failed", function=name))
    assert context["condition"] == "EventAgeExceeded"
    assert context["approximateInvokeCount"] == attempts < 3


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A function with a reserved concurrency of 0 is off: its events go to OnFailure at once.",
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
)
def test_the_events_of_a_function_that_is_off_are_not_kept(
    emulator: RunningEmulator, queue: Queue
) -> None:
    function = create(emulator, SOURCE, DeadLetterConfig={"TargetArn": queue.arn})
    emulator.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )
    name = send(emulator, function, {"do": "who"})
    (message,) = eventually(queue.messages)
    assert json.loads(message["Body"]) == {"do": "who"}
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert not emulator.recorded("functions", what="answered", function=name)


@pytest.fixture
def configs(emulator: RunningEmulator) -> Callable[..., Any]:
    """The configuration of a function's asynchronous invocations."""
    lambda_ = emulator.client("lambda")
    keys = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")

    def look(function: str) -> dict[str, Any]:
        found = lambda_.get_function_event_invoke_config(FunctionName=function)
        return {key: found[key] for key in keys if key in found}

    return look


@pytest.mark.aws(
    "Lambda",
    "PutFunctionEventInvokeConfig",
    "A put replaces the old configuration; UpdateFunctionEventInvokeConfig keeps the rest.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html",
)
def test_an_asynchronous_configuration_is_replaced_or_updated(
    emulator: RunningEmulator, configs: Callable[..., Any]
) -> None:
    function = create(emulator, SOURCE)
    lambda_ = emulator.client("lambda")
    configured(emulator, function, MaximumRetryAttempts=1)
    configured(emulator, function, MaximumEventAgeInSeconds=60)
    assert configs(function) == {"MaximumEventAgeInSeconds": 60}
    lambda_.update_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0)
    assert configs(function) == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    lambda_.delete_function_event_invoke_config(FunctionName=function)
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        configs(function)
