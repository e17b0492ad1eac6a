"""The Auto Scaling groups: who is in them, how large they are, and replacing an instance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from labswarm.aws.errors import named
from labswarm.clock import Clock
from labswarm.errors import Permanent
from labswarm.lab_hours.demand import Group
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Ledger, change, owned

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

IN_SERVICE = "InService"


@dataclass(frozen=True)
class Member:
    """An instance's place in a group; `state` is its lifecycle state, such as InService."""

    asg: str
    state: str

    @property
    def leaving(self) -> bool:
        """Whether it no longer counts for the group's capacity."""
        return self.state.startswith("Terminat")


@dataclass(frozen=True)
class Size:
    """How many instances a group is to have, and may have."""

    desired: int
    most: int


@dataclass(frozen=True)
class Roster:
    """A group's desired capacity, and the lifecycle state of every instance that it has."""

    desired: int
    states: Mapping[str, str]


class Groups(Protocol):
    """Auto Scaling groups."""

    def member(self, instance_id: str) -> Member | None:
        """The instance's place in its group; None when it is in none."""

    def size(self, asg: str) -> Size:
        """The group's size. Raises Permanent when there is no such group."""

    def resize(self, asg: str, desired: int) -> None:
        """Have the group hold so many instances."""

    def terminate(self, instance_id: str) -> None:
        """Begin the instance's termination and have its group replace it at once."""


class AutoScalingGroups:
    """Implements Groups."""

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
        raise Permanent(f"there is no group {asg}")

    def roster(self, asg: str) -> Roster:
        """The group with every instance. Raises Permanent when there is no such group."""
        # The pages of this answer are of groups: each comes with all its instances.
        with named():
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            states = {i["InstanceId"]: i["LifecycleState"] for i in group["Instances"]}
            return Roster(group["DesiredCapacity"], states)
        raise Permanent(f"there is no group {asg}")

    def view(self, asg: str) -> Group:
        """The group as lab hours decide about it. Raises Permanent when there is no such group.

        It is held by hand while AlarmNotification is suspended, by which AWS means that nothing
        scales it: .../autoscaling/ec2/userguide/as-suspend-resume-processes.html.
        """
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
            )
        raise Permanent(f"there is no group {asg}")

    def resize(self, asg: str, desired: int) -> None:
        with named():
            self._client.set_desired_capacity(AutoScalingGroupName=asg, DesiredCapacity=desired)

    def terminate(self, instance_id: str) -> None:
        # Without decrement: the group launches another without waiting for this one's end.
        with named():
            self._client.terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
            )

    def shrink(self, instance_id: str) -> None:
        """Begin the instance's termination, and have its group be one smaller."""
        with named():
            self._client.terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
            )


def template_of(group: Mapping[str, Any]) -> Mapping[str, Any]:
    """The launch template that a described group launches from, and in which version; empty where
    there is none."""
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    found: Mapping[str, Any] = policy.get("LaunchTemplateSpecification") or group.get(
        "LaunchTemplate", {}
    )
    return found


def version_of(instance: Mapping[str, Any], template: Mapping[str, Any]) -> int:
    """The version of its group's launch template that an instance was made of; 0 where it was made
    of another one."""
    own = instance.get("LaunchTemplate", {})
    number = str(own.get("Version", ""))
    same = own.get("LaunchTemplateId") == template.get("LaunchTemplateId")
    return int(number) if same and number.isdecimal() else 0


def _versions(group: Mapping[str, Any]) -> Mapping[str, int]:
    template = template_of(group)
    return {one["InstanceId"]: version_of(one, template) for one in group["Instances"]}


def replace_instance(groups: Groups, instance_id: str) -> bool:
    """Have the group replace an instance; whether that was left to do. Idempotent."""
    member = groups.member(instance_id)
    if member is None or member.leaving:
        return False
    groups.terminate(instance_id)
    return True


def add_one(
    ledger: Ledger, groups: Groups, clock: Clock, subject: tuple[str, Transition, str]
) -> int:
    """Have a claim's group hold one instance more, within its bound; returns its capacity.

    `subject` is instance id, transition and owner. The capacity is written down before it is asked
    for, so that asking again does not add another.
    """
    instance_id, transition, owner = subject
    held = owned(ledger.read(instance_id, transition), owner)
    size = groups.size(held.asg)
    wanted = min(size.desired + 1, size.most)

    def rule(existing: Claim | None) -> Claim:
        claim = owned(existing, owner)
        if claim.capacity is not None:
            return claim
        return replace(claim.entered("add-node", int(clock.now())), capacity=wanted)

    capacity = change(ledger, instance_id, transition, rule).capacity
    if capacity is not None and capacity > size.desired:
        groups.resize(held.asg, capacity)
    return wanted if capacity is None else capacity
