"""A hook's own notification target, a queue or a topic, and the test notification it is sent first.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup

from labswarm_emulator.autoscaling.hooks import Action
from labswarm_emulator.autoscaling.notices import action_detail
from labswarm_emulator.emulator import Emulator

SERVICE = "AWS Auto Scaling"
TEST = "autoscaling:TEST_NOTIFICATION"


def send_test(
    emulator: Emulator, group_name: str, group_arn: str | None, account: str, target: str
) -> None:
    """Send the target a test notification. Raises ValidationError if it cannot be sent."""
    message = {
        "AccountId": account,
        "RequestId": str(uuid.uuid4()),
        "AutoScalingGroupARN": group_arn,
        "AutoScalingGroupName": group_name,
        "Service": SERVICE,
        "Event": TEST,
        "Time": _now(),
    }
    try:
        _send(emulator, target, message)
    except (BotoCoreError, ClientError) as error:
        raise ValidationError(
            f"Unable to publish test message to notification target {target} using IAM role. "
            "Please check your target and role configuration and try to put lifecycle hook again."
        ) from error


def notify(emulator: Emulator, action: Action) -> None:
    """Notify the hook's target, if it has one, that an instance waits; record a failure."""
    group: FakeAutoScalingGroup = action.group
    target = action.hook.notification_target_arn
    if not target:
        return
    message = {
        **action_detail(action),
        "AccountId": group.account_id,
        "RequestId": str(uuid.uuid4()),
        "Service": SERVICE,
        "Time": _now(),
    }
    try:
        _send(emulator, target, message)
    except (BotoCoreError, ClientError) as error:
        emulator.record.write(
            "autoscaling", "not notified", target=target, group=group.name, why=str(error)
        )


def _send(emulator: Emulator, target: str, message: dict[str, Any]) -> None:
    text = json.dumps(message)
    if target.split(":")[2] == "sns":
        emulator.client("sns").publish(TopicArn=target, Message=text)
    else:
        sqs = emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=target.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=text)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
