"""Auto Scaling's events for EventBridge.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
"""

import json
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.events.models import events_backends

from labswarm_emulator.autoscaling.activities import Activity
from labswarm_emulator.autoscaling.hooks import Action

GROUP, EC2 = "AutoScalingGroup", "EC2"
"""The places an instance comes from and goes to; a warm pool would be the third."""


def action_detail(action: Action) -> dict[str, str]:
    """The event of an instance that waits for a hook."""
    launching = action.launching
    detail = {
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": action.group.name,
        "LifecycleHookName": action.hook.name,
        "EC2InstanceId": action.instance_id,
        "LifecycleTransition": str(action.hook.lifecycle_transition),
        "Origin": EC2 if launching else GROUP,
        "Destination": GROUP if launching else EC2,
    }
    metadata = action.hook.notification_metadata
    return {**detail, "NotificationMetadata": metadata} if metadata else detail


def lifecycle_action(action: Action) -> None:
    """An instance waits for a hook."""
    kind = "launch" if action.launching else "terminate"
    group = action.group
    _put(group, f"EC2 Instance-{kind} Lifecycle Action", action_detail(action), [group.arn])


def launched(activity: Activity) -> None:
    """An instance is in service."""
    _send(activity, "EC2 Instance Launch Successful", EC2, GROUP)


def not_launched(activity: Activity) -> None:
    """EC2 refused an instance, or one's launch was given up."""
    _send(activity, "EC2 Instance Launch Unsuccessful", EC2, GROUP)


def terminated(activity: Activity) -> None:
    """An instance of the group is no more."""
    _send(activity, "EC2 Instance Terminate Successful", GROUP, EC2)


def not_terminated(activity: Activity) -> None:
    """EC2 did not end an instance."""
    _send(activity, "EC2 Instance Terminate Unsuccessful", GROUP, EC2)


def _send(activity: Activity, kind: str, origin: str, destination: str) -> None:
    group, instance = activity.group, activity.instance
    ended = activity.ended or datetime.now(UTC)
    detail: dict[str, Any] = {
        # A successful activity is still in progress by its event.
        "StatusCode": activity.status if activity.message else "InProgress",
        "StatusMessage": activity.message,
        "Description": activity.description,
        "Cause": activity.cause,
        "AutoScalingGroupName": group.name,
        "ActivityId": activity.activity_id,
        "RequestId": activity.activity_id,
        "StartTime": _time(activity.began),
        "EndTime": _time(ended),
        "Details": activity.details,
        "Origin": origin,
        "Destination": destination,
    }
    resources = [group.arn]
    if instance is not None:
        detail["EC2InstanceId"] = instance.instance_id
        arn = f"arn:aws:ec2:{group.region}:{group.account_id}:instance/{instance.instance_id}"
        resources.append(arn)
    _put(group, kind, detail, resources)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
