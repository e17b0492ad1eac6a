"""Instances that leave a group and stay alive: on standby, detached; and those that come to it.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html
"""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.instances import Instance as Ec2Instance

from labswarm_emulator.autoscaling.activities import Activity, now
from labswarm_emulator.autoscaling.groups import REPLACED, Groups
from labswarm_emulator.autoscaling.hooks import LAUNCHING
from labswarm_emulator.autoscaling.launching import GROUP_TAG
from labswarm_emulator.autoscaling.lookup import group_of, instances_of

STANDBY, IN_SERVICE = "Standby", "InService"


def install(groups: Groups) -> None:
    """Replace moto's operations, which run no hooks and replace no instance."""
    membership = Membership(groups)
    Api.enter_standby = lambda api: membership.enter_standby(api)
    Api.exit_standby = lambda api: membership.exit_standby(api)
    Api.detach_instances = lambda api: membership.detach_instances(api)
    Api.attach_instances = lambda api: membership.attach_instances(api)
    Api.set_instance_protection = _set_instance_protection


class Membership:
    """The operations that take instances out of a group, or into it."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def enter_standby(self, api: Api) -> ActionResult:
        group = group_of(api)
        instances = instances_of(api, group)
        _take_out(api, group, instances, (IN_SERVICE,), "place into standby")
        shown = []
        for instance in instances:
            activity = _begin(
                self._groups, group, instance, "Moving", "to Standby", "moved to standby"
            )
            self._groups.enter(instance, "EnteringStandby")
            self._groups.enter(instance, STANDBY)
            shown.append(activity.shown())
            activity.end("Successful")
        self._groups.reconcile(group, f"At {now()} {REPLACED}")
        return ActionResult({"Activities": shown})

    def exit_standby(self, api: Api) -> ActionResult:
        group = group_of(api)
        instances = instances_of(api, group)
        _expect(instances, (STANDBY,))
        _grow(group, len(instances), "exit from standby")
        shown = []
        for instance in instances:
            activity = _begin(
                self._groups, group, instance, "Moving", "out of Standby", "moved out of standby"
            )
            shown.append({**activity.shown(), "StatusCode": "PreInService"})
            self._groups.enter(instance, "Pending")
            self._groups.wait(group, instance, LAUNCHING)
        return ActionResult({"Activities": shown})

    def detach_instances(self, api: Api) -> ActionResult:
        group = group_of(api)
        instances = instances_of(api, group)
        _take_out(api, group, instances, (IN_SERVICE, STANDBY), "detach")
        shown = []
        for instance in instances:
            activity = _begin(self._groups, group, instance, "Detaching", "", "detached")
            self._groups.enter(instance, "Detaching")
            group.ec2_backend.delete_tags([instance.instance_id], {GROUP_TAG: group.name})
            self._groups.enter(instance, "Detached")
            self._groups.release(group, instance)
            shown.append(activity.shown())
            activity.end("Successful")
        self._groups.reconcile(group, f"At {now()} {REPLACED}")
        return ActionResult({"Activities": shown})

    def attach_instances(self, api: Api) -> EmptyResult:
        group, ids = group_of(api), api._get_param("InstanceIds", [])
        found = [_free(api, instance_id) for instance_id in ids]
        _grow(group, len(found), "attach")
        for ec2 in found:
            ec2.autoscaling_group = group
            instance = GroupInstance(
                ec2, protected_from_scale_in=group.new_instances_protected_from_scale_in
            )
            group.ec2_backend.create_tags([ec2.id], {GROUP_TAG: group.name})
            group.instance_states.append(instance)
            _begin(self._groups, group, instance, "Attaching an existing", "", "attached")
            self._groups.enter(instance, "Pending")
            self._groups.wait(group, instance, LAUNCHING)
        return EmptyResult()


def _set_instance_protection(api: Api) -> EmptyResult:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html"""
    instances = instances_of(api, group_of(api))
    _expect(instances, (IN_SERVICE, "EnteringStandby", STANDBY))
    for instance in instances:
        instance.protected_from_scale_in = api._get_bool_param("ProtectedFromScaleIn")
    return EmptyResult()


def _begin(
    groups: Groups,
    group: FakeAutoScalingGroup,
    instance: GroupInstance,
    doing: str,
    whither: str,
    done: str,
) -> Activity:
    instance_id = instance.instance_id
    what = " ".join(word for word in (doing, "EC2 instance", whither) if word)
    cause = f"At {now()} instance {instance_id} was {done} in response to a user request."
    return groups.activities.begin(group, f"{what}: {instance_id}", cause, instance)


def _free(api: Api, instance_id: str) -> Ec2Instance:
    """An instance that runs and is in no group. Raises ValidationError."""
    backend = api.autoscaling_backend
    for group in backend.autoscaling_groups.values():
        if any(instance.instance_id == instance_id for instance in group.instance_states):
            raise ValidationError(f"Instance {instance_id} is already part of a group.")
    for instance in backend.ec2_backend.all_instances():
        if instance.id == instance_id and instance.state == "running":
            return instance
    raise ValidationError(f"Invalid Instances: {instance_id}")


def _take_out(
    api: Api,
    group: FakeAutoScalingGroup,
    instances: list[GroupInstance],
    states: tuple[str, ...],
    what: str,
) -> None:
    """Lower the desired capacity if that is asked for, as far as the minimum lets it."""
    _expect(instances, states)
    if not api._get_bool_param("ShouldDecrementDesiredCapacity", False):
        return
    count = sum(instance.lifecycle_state != STANDBY for instance in instances)
    if group.desired_capacity - count < group.min_size:
        raise _sizes(group, what, count)
    group.desired_capacity -= count


def _expect(instances: list[GroupInstance], states: tuple[str, ...]) -> None:
    for instance in instances:
        if instance.lifecycle_state not in states:
            raise ValidationError(
                f"The instance {instance.instance_id} is not in {' or '.join(states)}."
            )


def _grow(group: FakeAutoScalingGroup, count: int, what: str) -> None:
    if group.desired_capacity + count > group.max_size:
        raise _sizes(group, what, count)
    group.desired_capacity += count


def _sizes(group: FakeAutoScalingGroup, what: str, count: int) -> ValidationError:
    instances = "instance" if count == 1 else "instances"
    return ValidationError(
        f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size={group.max_size}, "
        f"and desired-size={group.desired_capacity}. To {what} {count} {instances}, please update "
        "the AutoScalingGroup sizes appropriately."
    )
