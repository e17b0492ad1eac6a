"""Calling a target: again when that fails for a while, to its dead-letter queue at the end.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
"""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labswarm_emulator.emulator import Emulator

ATTEMPTS, AGE_S = 185, 86_400
"""RetryPolicy's defaults: how often, and for how long, a delivery is tried again."""
LONGEST_PAUSE_S = 60.0
DENIED = "AccessDeniedException"
GONE = (
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
)
LASTING = (DENIED, *GONE)
"""Errors that another attempt does not change: the event goes to the dead-letter queue at once."""
THROTTLED = ("ThrottlingException", "TooManyRequestsException", "RequestThrottled")
CLIENT_ERROR = "SDK_CLIENT_ERROR"


@dataclass(frozen=True)
class Invocation:
    """One call of a rule's or a schedule's target."""

    target: Mapping[str, Any]
    """The Arn, and RetryPolicy, DeadLetterConfig and SqsParameters if there are any."""
    body: Callable[[int], str]
    """The text for the target, by the number of the attempt, from 1."""
    event: str
    """The event's id, or the execution's of a schedule: its name in the record."""
    attributes: Mapping[str, str]
    """The origin in its dead letter."""
    since: float
    """Seconds since the epoch from which its age counts."""
    code: Callable[[str], str] = str
    """A dead letter's code for an error of the target's service."""
    letter: str | None = None
    """The dead letter's text, when it is not the target's: of a rule it is the event as it came."""


def rule_code(code: str) -> str:
    """How a rule's dead letters name an error."""
    if code in GONE:
        return "NO_RESOURCE"
    if code in THROTTLED:
        return "THROTTLING"
    return {DENIED: "NO_PERMISSIONS", CLIENT_ERROR: CLIENT_ERROR}.get(code, "ERROR_FROM_TARGET")


class Delivery:
    """Calls targets; safe to use from many threads."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._clients = {service: emulator.client(service) for service in ("lambda", "sqs")}
        self._clients["states"] = emulator.client("stepfunctions")

    def deliver(self, invocation: Invocation) -> None:
        """Call the target, within its RetryPolicy (blocking)."""
        policy = invocation.target.get("RetryPolicy", {})
        attempts = int(policy.get("MaximumRetryAttempts", ATTEMPTS))
        age_s = self._emulator.clock.real(float(policy.get("MaximumEventAgeInSeconds", AGE_S)))
        retries = 0
        while True:
            body = invocation.body(retries + 1)
            try:
                self._call(invocation.target, body)
            except ClientError as error:
                code, message = error.response["Error"]["Code"], str(error)
            except BotoCoreError as error:
                code, message = CLIENT_ERROR, str(error)
            else:
                self._write("delivered", invocation, retries=retries)
                return
            self._write("failed", invocation, error=code, retries=retries)
            if code in LASTING:
                exhausted = None
            elif retries >= attempts:
                exhausted = "MaximumRetryAttempts"
            elif self._emulator.clock.now() - invocation.since >= age_s:
                exhausted = "MaximumEventAgeInSeconds"
            else:
                # Exponential back-off with jitter.
                pause_s = min(LONGEST_PAUSE_S, 2.0**retries)
                self._emulator.clock.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311
                retries += 1
                continue
            break
        why = {
            **invocation.attributes,
            "TARGET_ARN": invocation.target["Arn"],
            "ERROR_CODE": invocation.code(code),
            "ERROR_MESSAGE": message,
            "RETRY_ATTEMPTS": str(retries),
        }
        if exhausted:
            why["EXHAUSTED_RETRY_CONDITION"] = exhausted
        self._bury(invocation, body, why)

    def _call(self, target: Mapping[str, Any], body: str) -> None:
        arn = target["Arn"]
        service = arn.split(":")[2]
        if service == "lambda":
            self._clients[service].invoke(FunctionName=arn, InvocationType="Event", Payload=body)
        elif service == "states":
            # A rule names its executions at random: an event that comes twice starts two. AWS's
            # names are two ids long, and with the machine's in it an ARN is close to 150.
            name = f"{uuid.uuid4()}_{uuid.uuid4()}"
            self._clients[service].start_execution(stateMachineArn=arn, name=name, input=body)
        else:
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            self._send(arn, body, **({"MessageGroupId": group} if group else {}))

    def _bury(self, invocation: Invocation, body: str, why: Mapping[str, str]) -> None:
        """Send what could not be delivered to the target's dead-letter queue, or drop it."""
        queue = invocation.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            self._write("dropped", invocation, why=why)
            return
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in why.items()
        }
        try:
            self._send(queue, invocation.letter or body, MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            self._write("dropped", invocation, why=why, queue_error=str(error))
        else:
            self._write("dead letter", invocation, why=why)

    def _send(self, queue_arn: str, body: str, **more: Any) -> None:
        sqs = self._clients["sqs"]
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def _write(self, what: str, invocation: Invocation, **fields: object) -> None:
        arn = invocation.target["Arn"]
        self._emulator.record.write("events", what, event=invocation.event, target=arn, **fields)


SERVICES = ("lambda", "sqs", "states")
"""The targets that are delivered here, as their ARNs name the service."""
