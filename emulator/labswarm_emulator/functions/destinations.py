"""The places that receive an asynchronous invocation's end: its destination and dead letters.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.models import LambdaFunction

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.functions.worker import Outcome

SUCCESS = "Success"
ERROR_CHARACTERS = 1024
"""The most characters of an error that a dead letter has."""
THROTTLED = "Rate Exceeded."


@dataclass(frozen=True)
class Ending:
    """How an event ended: `condition` is Success, RetriesExhausted or EventAgeExceeded."""

    condition: str
    request_id: str
    payload: bytes
    attempts: int
    last: Outcome | None
    """The last attempt's; None when there was none."""


class UnknownDestination(ValueError):
    """A destination of a service that the emulator does not deliver to."""


class Destinations:
    """Reports endings; a report that fails is dropped, as on AWS."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def deliver(self, function: LambdaFunction, config: Mapping[str, Any], ending: Ending) -> None:
        """Send the invocation's record to its destination, a failed one's event to its queue."""
        failed = ending.condition != SUCCESS
        which = "OnFailure" if failed else "OnSuccess"
        configured = (config.get("DestinationConfig") or {}).get(which) or {}
        arns = {
            "destination": configured.get("Destination"),
            "dead letter": function.dead_letter_arn if failed else None,
        }
        for what, arn in arns.items():
            if not arn:
                continue
            send = self._send_record if what == "destination" else self._send_event
            try:
                send(arn, function, ending)
            except (BotoCoreError, ClientError, UnknownDestination) as error:
                self._write("dropped", function, ending, arn=arn, error=str(error))
            else:
                self._write(what, function, ending, arn=arn)
        if failed and not any(arns.values()):
            self._write("dropped", function, ending)

    def _send_record(self, arn: str, function: LambdaFunction, ending: Ending) -> None:
        record = json.dumps(_record(function, ending))
        match arn.split(":")[2]:
            case "sqs":
                self._queue(arn, record)
            case "sns":
                self._emulator.client("sns").publish(TopicArn=arn, Message=record)
            case "lambda":
                self._emulator.client("lambda").invoke(
                    FunctionName=arn, InvocationType="Event", Payload=record
                )
            case "events":
                self._put_event(arn, record, function, ending)
            case service:
                raise UnknownDestination(f"the emulator has no destination of {service}")

    def _send_event(self, arn: str, function: LambdaFunction, ending: Ending) -> None:  # noqa: ARG002
        """The unchanged event; the error is in the message's attributes."""
        # A function error is an answer of Lambda's; a throttle is none.
        status = "429" if ending.last is None else "200"
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": ending.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": status},
            "ErrorMessage": {"DataType": "String", "StringValue": _message(ending)},
        }
        body = ending.payload.decode()
        if arn.split(":")[2] == "sns":
            sns = self._emulator.client("sns")
            sns.publish(TopicArn=arn, Message=body, MessageAttributes=attributes)
        else:
            self._queue(arn, body, MessageAttributes=attributes)

    def _queue(self, arn: str, body: str, **more: Any) -> None:
        sqs = self._emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def _put_event(self, arn: str, record: str, function: LambdaFunction, ending: Ending) -> None:
        result = "Success" if ending.condition == SUCCESS else "Failure"
        self._emulator.client("events").put_events(
            Entries=[
                {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {result}",
                    "Detail": record,
                    "Resources": [arn, f"{function.function_arn}:$LATEST"],
                    "EventBusName": arn.rpartition("/")[2],
                }
            ]
        )

    def _write(self, what: str, function: LambdaFunction, ending: Ending, **fields: object) -> None:
        self._emulator.record.write(
            "functions",
            what,
            function=function.function_name,
            request_id=ending.request_id,
            condition=ending.condition,
            **fields,
        )


def _record(function: LambdaFunction, ending: Ending) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": ending.request_id,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": ending.condition,
            "approximateInvokeCount": ending.attempts,
        },
        "requestPayload": json.loads(ending.payload),
    }
    if ending.last is not None:
        failed = {"functionError": "Unhandled"} if ending.last.failed else {}
        record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", **failed}
        record["responsePayload"] = json.loads(ending.last.payload)
    return record


def _message(ending: Ending) -> str:
    if ending.last is None:
        return THROTTLED
    answer = json.loads(ending.last.payload)
    said = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
    return str(said)[:ERROR_CHARACTERS] or "no message"
