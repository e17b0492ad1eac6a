"""Calling a rule's target: again when that fails for a while, to its dead-letter queue at the end.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
"""

import random
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labswarm_lab.plane.events.message import text
from labswarm_lab.plane.plane import Plane

ATTEMPTS, AGE_S = 185, 86_400
"""RetryPolicy's defaults: how often, and for how long, a delivery is tried again."""
LONGEST_PAUSE_S = 60.0
LASTING = (
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
)
"""Errors that another attempt does not change: the event goes to the dead-letter queue at once."""


class Delivery:
    """Calls targets; safe to use from many threads."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._clients = {service: plane.client(service) for service in ("lambda", "sqs")}
        self._clients["states"] = plane.client("stepfunctions")

    def deliver(self, rule_arn: str, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Deliver an event to one target, within the target's RetryPolicy (blocking)."""
        policy = target.get("RetryPolicy", {})
        attempts = int(policy.get("MaximumRetryAttempts", ATTEMPTS))
        age_s = self._plane.clock.real(float(policy.get("MaximumEventAgeInSeconds", AGE_S)))
        began = self._plane.clock.now()
        body = text(event, target)
        retries = 0
        while True:
            try:
                self._call(target, body)
            except ClientError as error:
                code, message = error.response["Error"]["Code"], str(error)
            except BotoCoreError as error:
                code, message = "SDK_CLIENT_ERROR", str(error)
            else:
                self._write("delivered", target, event, retries=retries)
                return
            self._write("failed", target, event, error=code, retries=retries)
            if code in LASTING:
                exhausted = None
            elif retries >= attempts:
                exhausted = "MaximumRetryAttempts"
            elif self._plane.clock.now() - began >= age_s:
                exhausted = "MaximumEventAgeInSeconds"
            else:
                # Exponential back-off with jitter.
                pause_s = min(LONGEST_PAUSE_S, 2.0**retries)
                self._plane.clock.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311
                retries += 1
                continue
            break
        why = {
            "RULE_ARN": rule_arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "RETRY_ATTEMPTS": str(retries),
        }
        if exhausted:
            why["EXHAUSTED_RETRY_CONDITION"] = exhausted
        self._bury(target, event, body, why)

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

    def _bury(
        self,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        body: str,
        why: Mapping[str, str],
    ) -> None:
        """Send what could not be delivered to the target's dead-letter queue, or drop it."""
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            self._write("dropped", target, event, why=why)
            return
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in why.items()
        }
        try:
            self._send(queue, body, MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            self._write("dropped", target, event, why=why, queue_error=str(error))
        else:
            self._write("dead letter", target, event, why=why)

    def _send(self, queue_arn: str, body: str, **more: Any) -> None:
        sqs = self._clients["sqs"]
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def _write(
        self, what: str, target: Mapping[str, Any], event: Mapping[str, Any], **fields: object
    ) -> None:
        self._plane.record.write("events", what, event=event["id"], target=target["Arn"], **fields)


SERVICES = ("lambda", "sqs", "states")
"""The targets that are delivered here, as their ARNs name the service."""
