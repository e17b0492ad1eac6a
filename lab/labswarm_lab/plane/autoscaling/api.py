"""The operations of Auto Scaling that the plane answers in moto's place, with AWS's refusals.

Where no page is named, the rules and texts are those of the operation's own page under
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    LifecycleHook,
    TerminateInstanceActivity,
)
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult, EmptyResult

from labswarm_lab.plane.autoscaling import launching
from labswarm_lab.plane.autoscaling.groups import Groups, leaving, now
from labswarm_lab.plane.autoscaling.hooks import (
    LAUNCHING,
    TERMINATING,
    NoActiveAction,
    longest_wait_s,
)
from labswarm_lab.plane.plane import Plane

SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 30, 7200
RESULTS = ("CONTINUE", "ABANDON")


def install(plane: Plane) -> None:
    """Replace what moto answers without doing it, and lead every instance through its hooks."""
    LifecycleHook.notification_metadata = None  # moto does not know it
    GroupInstance.launch_template = property(launching.launch_template)
    groups = Groups(plane, launching.run_instances)
    _install_capacity(groups)
    _install_termination(groups)
    _install_actions(groups)
    _install_hooks()
    _install_creation()

    call_action = Api.call_action

    def one_at_a_time(api: Api) -> Any:
        """No answer shows a group half changed."""
        with groups.lock:
            return call_action(api)

    Api.call_action = one_at_a_time


def _install_capacity(groups: Groups) -> None:
    update = FakeAutoScalingGroup.update

    def set_capacity(group: FakeAutoScalingGroup, capacity: int | None) -> None:
        before = getattr(group, "desired_capacity", None) or 0
        group.desired_capacity = group.min_size if capacity is None else capacity
        cause = (
            f"At {now()} a user request explicitly set group desired capacity changing the "
            f"desired capacity from {before} to {group.desired_capacity}."
        )
        groups.reconcile(group, cause)

    def update_within_bounds(group: FakeAutoScalingGroup, **changes: Any) -> None:
        """A new bound moves the desired capacity; a desired capacity out of bounds is refused."""
        least = group.min_size if changes["min_size"] is None else changes["min_size"]
        most = group.max_size if changes["max_size"] is None else changes["max_size"]
        desired = changes["desired_capacity"]
        _check_bounds(least, most, desired)
        if desired is None:
            desired = max(least, min(most, group.desired_capacity))
        # moto drops a policy that the update does not name.
        policy = changes["mixed_instances_policy"] or group.mixed_instances_policy
        replaced = changes["launch_template"] or changes["launch_config_name"]
        changes["mixed_instances_policy"] = None if replaced else policy
        update(group, **{**changes, "desired_capacity": desired})

    def set_desired_capacity(api: Api) -> EmptyResult:
        group = _group(api.autoscaling_backend, api._get_param("AutoScalingGroupName"))
        wanted = api._get_int_param("DesiredCapacity")
        if wanted > group.max_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} "
                "for the AutoScalingGroup."
            )
        if wanted < group.min_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} "
                "for the AutoScalingGroup."
            )
        group.set_desired_capacity(wanted)
        return EmptyResult()

    FakeAutoScalingGroup.set_desired_capacity = set_capacity
    FakeAutoScalingGroup.update = update_within_bounds
    Api.set_desired_capacity = set_desired_capacity


def _install_termination(groups: Groups) -> None:
    delete_group = AutoScalingBackend.delete_auto_scaling_group

    def terminate_instance_in_auto_scaling_group(api: Api) -> ActionResult:
        group, instance = _instance(api.autoscaling_backend, api._get_param("InstanceId"))
        before = group.desired_capacity
        if leaving(instance):
            raise AutoscalingClientError(
                "ScalingActivityInProgress",
                f"Instance {instance.instance_id} is already being terminated.",
            )
        if api._get_bool_param("ShouldDecrementDesiredCapacity", False):
            if before <= group.min_size:
                raise ValidationError(
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating "
                    "instance without replacement will violate group's min size constraint. "
                    "Either set shouldDecrementDesiredCapacity flag to false or lower group's "
                    "min size."
                )
            group.desired_capacity = before - 1
        activity = TerminateInstanceActivity(instance.instance, before)
        groups.terminate(group, instance, activity.cause)
        groups.reconcile(group, activity.cause)
        return ActionResult({"Activity": activity})

    def notify_terminate_instances(backend: AutoScalingBackend, instance_ids: list[str]) -> None:
        with groups.lock:
            for group in list(backend.autoscaling_groups.values()):
                for instance in list(group.instance_states):
                    if instance.instance_id in instance_ids:
                        groups.ended_outside(group, instance)

    def delete_auto_scaling_group(api: Api) -> EmptyResult:
        backend = api.autoscaling_backend
        group = _group(backend, api._get_param("AutoScalingGroupName"))
        if group.instance_states and not api._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending "
                "Spot instance request(s) still in the group.",
            )
        backend.delete_auto_scaling_group(group.name)
        return EmptyResult()

    def force_delete(backend: AutoScalingBackend, group_name: str) -> None:
        """Also CloudFormation's way: hooks do not run for a group deleted with its instances."""
        with groups.lock:
            groups.forget(_group(backend, group_name))
            delete_group(backend, group_name)
            for hook in backend.describe_lifecycle_hooks(group_name):
                backend.delete_lifecycle_hook(group_name, hook.name)

    Api.terminate_instance_in_auto_scaling_group = terminate_instance_in_auto_scaling_group
    Api.delete_auto_scaling_group = delete_auto_scaling_group
    AutoScalingBackend.delete_auto_scaling_group = force_delete
    AutoScalingBackend.notify_terminate_instances = notify_terminate_instances


def _install_actions(groups: Groups) -> None:
    def complete_lifecycle_action(api: Api) -> EmptyResult:
        result = api._get_param("LifecycleActionResult")
        if result not in RESULTS:
            raise ValidationError("LifecycleActionResult has to be CONTINUE or ABANDON")
        group = _group(api.autoscaling_backend, api._get_param("AutoScalingGroupName"))
        hook = api._get_param("LifecycleHookName")
        try:
            groups.complete(group.name, hook, result, **_action(api))
        except NoActiveAction as error:
            raise ValidationError(str(error)) from error
        return EmptyResult()

    def record_lifecycle_action_heartbeat(api: Api) -> EmptyResult:
        group = _group(api.autoscaling_backend, api._get_param("AutoScalingGroupName"))
        try:
            groups.heartbeat(group.name, api._get_param("LifecycleHookName"), **_action(api))
        except NoActiveAction as error:
            raise ValidationError(str(error)) from error
        return EmptyResult()

    Api.complete_lifecycle_action = complete_lifecycle_action
    Api.record_lifecycle_action_heartbeat = record_lifecycle_action_heartbeat


def _install_hooks() -> None:
    def put_lifecycle_hook(api: Api) -> EmptyResult:
        backend = api.autoscaling_backend
        group = _group(backend, api._get_param("AutoScalingGroupName"))
        names = (
            "LifecycleHookName",
            "LifecycleTransition",
            "HeartbeatTimeout",
            "DefaultResult",
            "NotificationMetadata",
            "NotificationTargetARN",
            "RoleARN",
        )
        _put_hook(backend, group.name, {name: api._get_param(name) for name in names})
        return EmptyResult()

    Api.put_lifecycle_hook = put_lifecycle_hook


def _install_creation() -> None:
    create = Api.create_auto_scaling_group

    def create_auto_scaling_group(api: Api) -> ActionResult:
        """Hooks that come with a group hold its first instances already."""
        backend, name = api.autoscaling_backend, api._get_param("AutoScalingGroupName")
        if name in backend.autoscaling_groups:
            raise AutoscalingClientError(
                "AlreadyExists",
                "AutoScalingGroup by this name already exists - A group with the name "
                f"{name} already exists",
            )
        _check_bounds(
            api._get_int_param("MinSize"),
            api._get_int_param("MaxSize"),
            api._get_int_param("DesiredCapacity"),
        )
        policy = api._get_params().get("MixedInstancesPolicy", {})
        overrides = policy.get("LaunchTemplate", {}).get("Overrides", [])
        if any("WeightedCapacity" in override for override in overrides):
            raise ValidationError("this plane counts instances: it knows no WeightedCapacity")
        for hook in api._get_param("LifecycleHookSpecificationList", []):
            _put_hook(backend, name, hook)
        return create(api)

    Api.create_auto_scaling_group = create_auto_scaling_group


def _put_hook(backend: AutoScalingBackend, group_name: str, given: dict[str, Any]) -> None:
    """Make a hook, or change what is given of one.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
    """
    name = given["LifecycleHookName"]
    known = next(iter(backend.describe_lifecycle_hooks(group_name, [name])), None)
    transition = given.get("LifecycleTransition") or (known and known.lifecycle_transition)
    if transition not in (LAUNCHING, TERMINATING):
        raise ValidationError(f"LifecycleTransition has to be {LAUNCHING} or {TERMINATING}")
    timeout_s = int(
        given.get("HeartbeatTimeout") or (known.heartbeat_timeout if known is not None else 3600)
    )
    if not SHORTEST_HEARTBEAT_S <= timeout_s <= LONGEST_HEARTBEAT_S:
        raise ValidationError("HeartbeatTimeout has to be from 30 to 7200 seconds")
    result = given.get("DefaultResult") or (known.default_result if known else "ABANDON")
    if result not in RESULTS:
        raise ValidationError("DefaultResult has to be CONTINUE or ABANDON")
    hook: LifecycleHook = backend.create_lifecycle_hook(
        name, group_name, transition, timeout_s, result
    )
    hook.notification_metadata = given.get("NotificationMetadata") or (
        known.notification_metadata if known else None
    )
    hook.notification_target_arn = given.get("NotificationTargetARN")
    hook.role_arn = given.get("RoleARN")
    hook.global_timeout = longest_wait_s(timeout_s)


def _action(api: Api) -> dict[str, str | None]:
    return {
        "token": api._get_param("LifecycleActionToken"),
        "instance_id": api._get_param("InstanceId"),
    }


def _check_bounds(least: int, most: int, desired: int | None) -> None:
    if least > most:
        raise ValidationError("Max bound must be greater than or equal to min bound")
    if desired is not None and not least <= desired <= most:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{least} and "
            f"max size:{most}"
        )


def _group(backend: AutoScalingBackend, name: str) -> FakeAutoScalingGroup:
    if name not in backend.autoscaling_groups:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        )
    return backend.autoscaling_groups[name]


def _instance(
    backend: AutoScalingBackend, instance_id: str
) -> tuple[FakeAutoScalingGroup, GroupInstance]:
    for group in backend.autoscaling_groups.values():
        for instance in group.instance_states:
            if instance.instance_id == instance_id:
                return group, instance
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )
