"""Scaling activities: a group's actions on its instances, with causes and results.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance

KEPT = 10_000
"""So many activities of the emulator are remembered, the latest; AWS keeps them for six weeks."""
OVER = ("Successful", "Failed", "Cancelled")


@dataclass
class Activity:
    """One activity of a group, on one of its instances if it got so far as to have one."""

    group: FakeAutoScalingGroup
    description: str
    cause: str
    instance: GroupInstance | None = None
    status: str = "InProgress"
    message: str = ""
    """Why it failed or was cancelled."""
    activity_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None

    def end(self, status: str, message: str = "") -> None:
        """It is over: Successful, Failed or Cancelled."""
        self.status, self.message, self.ended = status, message, datetime.now(UTC)

    @property
    def details(self) -> dict[str, str]:
        """Where the instance is."""
        if self.instance is None:
            return {}
        subnet = getattr(self.instance.instance, "subnet_id", None)
        zone = {"Availability Zone": self.instance.availability_zone}
        return {"Subnet ID": subnet, **zone} if subnet else zone

    def shown(self) -> dict[str, Any]:
        """The activity as DescribeScalingActivities shows it."""
        shown: dict[str, Any] = {
            "ActivityId": self.activity_id,
            "AutoScalingGroupName": self.group.name,
            "AutoScalingGroupARN": self.group.arn,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.began,
            "StatusCode": self.status,
            "Progress": 100 if self.ended else 50,
            "Details": json.dumps(self.details),
        }
        if self.ended:
            shown["EndTime"] = self.ended
        if self.message:
            shown["StatusMessage"] = self.message
        return shown


class Activities:
    """The scaling activities. Callers hold one lock around every call."""

    def __init__(self) -> None:
        self._all: list[Activity] = []
        self._current: dict[str, Activity] = {}  # by the instance's id

    def begin(
        self,
        group: FakeAutoScalingGroup,
        description: str,
        cause: str,
        instance: GroupInstance | None = None,
    ) -> Activity:
        """Begin one; it becomes the one that its instance is in."""
        activity = Activity(group, description, cause, instance)
        self._all.append(activity)
        del self._all[:-KEPT]
        if instance is not None:
            self._current[instance.instance_id] = activity
        return activity

    def of(self, instance: GroupInstance) -> Activity:
        """The activity that an instance is in, or was last."""
        return self._current[instance.instance_id]

    def forget(self, instance: GroupInstance) -> None:
        """The instance is no more of its group."""
        self._current.pop(instance.instance_id, None)

    def listed(self, group_name: str | None, wanted: list[str]) -> list[Activity]:
        """Those of a group, or of these ids; those in progress first, and the latest first."""
        found = [
            activity
            for activity in self._all
            if group_name in (None, activity.group.name)
            and (not wanted or activity.activity_id in wanted)
        ]
        return sorted(found, key=lambda a: (a.ended is None, a.began), reverse=True)


def now() -> str:
    """The time as the causes of activities say it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
