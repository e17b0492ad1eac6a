"""Auto Scaling groups, over EC2 Auto Scaling."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError, Permanent
from labswarm.groups import (
    IN_SERVICE,
    Group,
    Member,
    Mix,
    Roster,
    Size,
    template_of,
    version_of,
)

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


class AutoScalingGroups:
    """Implements labswarm.groups.Groups."""

    def __init__(self, client: "AutoScalingClient") -> None:
        self._client = client

    def member(self, instance_id: str) -> Member | None:
        with named():
            found = self._client.describe_auto_scaling_instances(InstanceIds=[instance_id])
        for instance in found["AutoScalingInstances"]:
            return Member(instance["AutoScalingGroupName"], instance["LifecycleState"])
        return None

    def size(self, asg: str) -> Size:
        with named():
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            return Size(group["DesiredCapacity"], group["MaxSize"])
        raise Permanent(f"there is no group {asg}; apply the cluster's stack")

    def roster(self, asg: str) -> Roster:
        # The pages of this answer are of groups: each comes with all its instances.
        with named():
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            states = {i["InstanceId"]: i["LifecycleState"] for i in group["Instances"]}
            return Roster(group["DesiredCapacity"], states)
        raise Permanent(f"there is no group {asg}; apply the cluster's stack")

    def view(self, asg: str) -> Group:
        # A group is held by hand while AlarmNotification is suspended, so that nothing scales it:
        # .../autoscaling/ec2/userguide/as-suspend-resume-processes.html
        with named():
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            suspended = {process["ProcessName"] for process in group.get("SuspendedProcesses", [])}
            return Group(
                desired=group["DesiredCapacity"],
                least=group["MinSize"],
                most=group["MaxSize"],
                in_service=frozenset(
                    i["InstanceId"] for i in group["Instances"] if i["LifecycleState"] == IN_SERVICE
                ),
                held="AlarmNotification" in suspended,
                versions=_versions(group),
                pending=frozenset(
                    i["InstanceId"]
                    for i in group["Instances"]
                    if i["LifecycleState"].startswith("Pending")
                ),
                mix=_mix(group),
            )
        raise Permanent(f"there is no group {asg}; apply the cluster's stack")

    def resize(self, asg: str, desired: int) -> None:
        with named():
            self._client.set_desired_capacity(AutoScalingGroupName=asg, DesiredCapacity=desired)

    def buy_on_demand(self, asg: str, base: int) -> bool:
        with named():
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            policy = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution")
            if not policy:
                break
            if policy.get("OnDemandBaseCapacity") == base:
                return False
            # The launch template is left out, and so kept: it is required in a new policy only.
            # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_MixedInstancesPolicy.html
            with named():
                self._client.update_auto_scaling_group(
                    AutoScalingGroupName=asg,
                    MixedInstancesPolicy={
                        "InstancesDistribution": {**policy, "OnDemandBaseCapacity": base}
                    },
                )
            return True
        raise Permanent(f"there is no group {asg} with a mixed instances policy")

    def terminate(self, instance_id: str) -> None:
        # Without decrement: the group launches another without waiting for this one's end.
        with named():
            self._client.terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
            )

    def shrink(self, instance_id: str) -> bool:
        try:
            with named():
                self._client.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
                )
        except LabswarmError as error:
            # "Terminating instance without replacement will violate group's min size constraint."
            if code_of(error) == "ValidationError":
                return False
            raise
        return True


def _mix(group: Mapping[str, Any]) -> Mix | None:
    policy = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution")
    if not policy:
        return None
    return Mix(
        base=policy.get("OnDemandBaseCapacity", 0),
        percent=policy.get("OnDemandPercentageAboveBaseCapacity", 100),
    )


def _versions(group: Mapping[str, Any]) -> Mapping[str, int]:
    template = template_of(group)
    return {one["InstanceId"]: version_of(one, template) for one in group["Instances"]}
