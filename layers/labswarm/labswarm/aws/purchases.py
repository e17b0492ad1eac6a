"""EC2's answers to a group that buys instances, from its scaling activities and its instances."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import named
from labswarm.lab_hours.purchases import Refusal, refusal

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

_PAGE = 100
"""The most activities that AWS returns at once, the newest first."""


class Ec2Purchases:
    """Implements labswarm.lab_hours.purchases.Purchases."""

    def __init__(self, autoscaling: "AutoScalingClient", ec2: "EC2Client") -> None:
        self._autoscaling = autoscaling
        self._ec2 = ec2

    def refusals(self, asg: str, since: float) -> tuple[Refusal, ...]:
        with named():
            found = self._autoscaling.describe_scaling_activities(
                AutoScalingGroupName=asg, MaxRecords=_PAGE
            )
        return tuple(
            sorted(
                Refusal(activity["StartTime"].timestamp(), market)
                for activity in found["Activities"]
                if activity["StatusCode"] == "Failed"
                and activity["StartTime"].timestamp() >= since
                and (market := refusal(activity.get("StatusMessage", "")))
            )
        )

    def on_demand(self, asg: str) -> frozenset[str]:
        # Auto Scaling does not say how an instance was bought. Only spot instances have the field.
        ids: set[str] = set()
        with named():
            for page in self._ec2.get_paginator("describe_instances").paginate(
                Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": [asg]}]
            ):
                for reservation in page["Reservations"]:
                    ids |= {
                        instance["InstanceId"]
                        for instance in reservation["Instances"]
                        if "InstanceLifecycle" not in instance
                    }
        return frozenset(ids)
