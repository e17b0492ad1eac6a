"""What Auto Scaling tells EventBridge.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.events.models import events_backends

from labswarm_lab.plane.autoscaling.hooks import Action

GROUP, EC2 = "AutoScalingGroup", "EC2"
"""The places an instance comes from and goes to; a warm pool would be the third."""


def lifecycle_action(action: Action) -> None:
    """An instance waits for a hook."""
    group, launching = action.group, action.launching
    detail = {
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": group.name,
        "LifecycleHookName": action.hook.name,
        "EC2InstanceId": action.instance_id,
        "LifecycleTransition": action.hook.lifecycle_transition,
        "Origin": EC2 if launching else GROUP,
        "Destination": GROUP if launching else EC2,
    }
    metadata = action.hook.notification_metadata
    if metadata:
        detail["NotificationMetadata"] = metadata
    kind = "launch" if launching else "terminate"
    _put(group, f"EC2 Instance-{kind} Lifecycle Action", detail, [group.arn])


def launched(group: FakeAutoScalingGroup, instance: GroupInstance, cause: str) -> None:
    """An instance is in service."""
    detail = _activity(group, instance, f"Launching a new EC2 instance: {instance.instance_id}")
    detail |= {"Cause": cause, "Origin": EC2, "Destination": GROUP}
    _put(group, "EC2 Instance Launch Successful", detail, _both(group, instance))


def launch_abandoned(
    group: FakeAutoScalingGroup, instance: GroupInstance, cause: str, message: str
) -> None:
    """An instance's launch was given up; `message` says why."""
    detail = _activity(group, instance, f"Launching a new EC2 instance: {instance.instance_id}")
    detail |= {"Cause": cause, "Origin": EC2, "Destination": GROUP}
    detail |= {"StatusCode": "Cancelled", "StatusMessage": message}
    _put(group, "EC2 Instance Launch Unsuccessful", detail, _both(group, instance))


def launch_failed(group: FakeAutoScalingGroup, cause: str, message: str) -> None:
    """EC2 refused an instance to the group."""
    detail = _activity(group, None, "Launching a new EC2 instance")
    detail |= {"Cause": cause, "Origin": EC2, "Destination": GROUP}
    detail |= {"StatusCode": "Failed", "StatusMessage": message}
    _put(group, "EC2 Instance Launch Unsuccessful", detail, [group.arn])


def terminated(group: FakeAutoScalingGroup, instance: GroupInstance, cause: str) -> None:
    """An instance of the group is no more."""
    detail = _activity(group, instance, f"Terminating EC2 instance: {instance.instance_id}")
    detail |= {"Cause": cause, "Origin": GROUP, "Destination": EC2}
    _put(group, "EC2 Instance Terminate Successful", detail, _both(group, instance))


def _activity(
    group: FakeAutoScalingGroup, instance: GroupInstance | None, description: str
) -> dict[str, Any]:
    activity_id = str(uuid.uuid4())
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    detail: dict[str, Any] = {
        "StatusCode": "InProgress",
        "StatusMessage": "",
        "Description": description,
        "AutoScalingGroupName": group.name,
        "ActivityId": activity_id,
        "RequestId": activity_id,
        "StartTime": now,
        "EndTime": now,
        "Details": {},
    }
    if instance is not None:
        detail["EC2InstanceId"] = instance.instance_id
        detail["Details"] = {"Availability Zone": instance.availability_zone}
    return detail


def _both(group: FakeAutoScalingGroup, instance: GroupInstance) -> list[str]:
    ec2 = f"arn:aws:ec2:{group.region}:{group.account_id}:instance/{instance.instance_id}"
    return [group.arn, ec2]


def _put(
    group: FakeAutoScalingGroup, kind: str, detail: dict[str, Any], resources: list[str]
) -> None:
    events_backends[group.account_id][group.region].put_events(
        [
            {
                "Source": "aws.autoscaling",
                "DetailType": kind,
                "Detail": json.dumps(detail),
                "Resources": resources,
            }
        ]
    )
