"""Create and change groups, and their number of instances.

Where no page is named, the rules and texts are those of the operation's own page under
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores

from labswarm_emulator.autoscaling import launching
from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.allocation import POLICIES
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.lookup import group_of

ABSENT = (
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "DesiredCapacityType",
    "InstanceMaintenancePolicy",
    "LaunchConfigurationName",
    "LoadBalancerNames",
    "MaxInstanceLifetime",
    "PlacementGroup",
    "TargetGroupARNs",
    "TrafficSources",
)
"""Settings of a group that change what it does on AWS, and that the emulator knows nothing of."""
KEPT = (
    "CapacityRebalance",
    "DefaultCooldown",
    "DefaultInstanceWarmup",
    "InstanceLifecyclePolicy",
    "TerminationPolicies",
)
"""Settings that moto does not take, all or on an update."""

NO_WARMUP = -1
"""The DefaultInstanceWarmup that takes one away."""

PutHook = Callable[[Api, dict[str, Any]], None]


def install(groups: Groups, put_hook: PutHook) -> None:
    """Launch and end instances as a group changes; `put_hook` creates its hooks."""
    GroupInstance.launch_template = property(launching.launch_template)
    FakeAutoScalingGroup.instance_lifecycle_policy = None
    FakeAutoScalingGroup.default_instance_warmup = None
    _install_desired(groups)
    _install_update()
    _install_creation(put_hook)


def check_bounds(least: int, most: int, desired: int | None) -> None:
    """Raise ValidationError for sizes that do not go together."""
    if least > most:
        raise ValidationError("Max bound must be greater than or equal to min bound")
    if desired is not None and not least <= desired <= most:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{least} and "
            f"max size:{most}"
        )


def _install_desired(groups: Groups) -> None:
    def set_capacity(group: FakeAutoScalingGroup, capacity: int | None) -> None:
        before = getattr(group, "desired_capacity", None) or 0
        group.desired_capacity = group.min_size if capacity is None else capacity
        cause = (
            f"At {now()} a user request explicitly set group desired capacity changing the "
            f"desired capacity from {before} to {group.desired_capacity}."
        )
        groups.reconcile(group, cause)

    def set_desired_capacity(api: Api) -> EmptyResult:
        group, wanted = group_of(api), api._get_int_param("DesiredCapacity")
        if api._get_bool_param("HonorCooldown", False):
            raise ValidationError("This emulator's groups have no cooldown to honor.")
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
    Api.set_desired_capacity = set_desired_capacity


def _install_update() -> None:
    update, update_group = FakeAutoScalingGroup.update, Api.update_auto_scaling_group

    def update_within_bounds(group: FakeAutoScalingGroup, **changes: Any) -> None:
        """A new bound moves the desired capacity; a desired capacity out of bounds is refused."""
        least = group.min_size if changes["min_size"] is None else changes["min_size"]
        most = group.max_size if changes["max_size"] is None else changes["max_size"]
        desired = changes["desired_capacity"]
        check_bounds(least, most, desired)
        if desired is None:
            desired = max(least, min(most, group.desired_capacity))
        # moto drops a policy that the update does not name.
        policy = _policy_after(group, changes["mixed_instances_policy"])
        replaced = changes["launch_template"] or changes["launch_config_name"]
        changes["mixed_instances_policy"] = None if replaced else policy
        update(group, **{**changes, "desired_capacity": desired})

    def update_auto_scaling_group(api: Api) -> Any:
        group = group_of(api)
        _refuse_settings(api)
        _keep(api, group)
        return update_group(api)

    FakeAutoScalingGroup.update = update_within_bounds
    Api.update_auto_scaling_group = update_auto_scaling_group


def _install_creation(put_hook: PutHook) -> None:
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
        check_bounds(
            api._get_int_param("MinSize"),
            api._get_int_param("MaxSize"),
            api._get_int_param("DesiredCapacity"),
        )
        _refuse_settings(api)
        for hook in api._get_param("LifecycleHookSpecificationList", []):
            put_hook(api, hook)
        answer: ActionResult = create(api)
        group = backend.autoscaling_groups[name]
        # moto takes 300 s for none; that is the console's default, and not the API's.
        group.health_check_grace_period = api._get_int_param("HealthCheckGracePeriod") or 0
        _keep(api, group)
        return answer

    def create_launch_configuration(_api: Api) -> ActionResult:
        """https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html"""
        raise AutoscalingClientError(
            "UnsupportedOperation",
            "The Launch Configuration creation operation is not available in your account. Use "
            "launch templates to create configuration templates for your Auto Scaling groups.",
        )

    Api.create_auto_scaling_group = create_auto_scaling_group
    Api.create_launch_configuration = create_launch_configuration


def _policy_after(
    group: FakeAutoScalingGroup, change: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The group's policy after an update. The template is required in a new policy only, and else
    stays: .../autoscaling/ec2/APIReference/API_MixedInstancesPolicy.html"""
    policy: dict[str, Any] = {**(group.mixed_instances_policy or {}), **(change or {})}
    if not policy:
        return None
    launch = dict(policy.get("LaunchTemplate", {}))
    named = dict(launch.get("LaunchTemplateSpecification", {}))
    if named.get("LaunchTemplateId"):
        # moto shows both, and takes only one.
        named.pop("LaunchTemplateName", None)
    return {**policy, "LaunchTemplate": {**launch, "LaunchTemplateSpecification": named}}


def _keep(api: Api, group: FakeAutoScalingGroup) -> None:
    given = api._get_params()
    for name in KEPT:
        if name in given:
            setattr(group, camelcase_to_underscores(name), given[name])
    if group.default_instance_warmup == NO_WARMUP:
        group.default_instance_warmup = None


def _refuse_settings(api: Api) -> None:
    """Raise ValidationError for values that AWS refuses or the emulator does not support."""
    given = api._get_params()
    for name in ABSENT:
        if given.get(name):
            raise ValidationError(f"This emulator's groups have no {name}.")
    if given.get("CapacityRebalance"):
        raise ValidationError("This emulator's groups have no CapacityRebalance.")
    if given.get("HealthCheckType", "EC2") != "EC2":
        raise ValidationError("This emulator's groups have no health check but EC2's.")
    policies = given.get("TerminationPolicies") or ["Default"]
    if len(policies) != 1 or policies[0] not in POLICIES:
        raise ValidationError(f"This emulator has one of the TerminationPolicies {POLICIES}.")
    if given.get("MixedInstancesPolicy"):
        _check_mix(api, given["MixedInstancesPolicy"])


def _check_mix(api: Api, policy: dict[str, Any]) -> None:
    template = policy.get("LaunchTemplate", {})
    for override in template.get("Overrides") or []:
        unknown = sorted(set(override) - {"InstanceType"})
        if unknown:
            raise ValidationError(f"This emulator's overrides have no {unknown[0]}.")
    given = policy.get("InstancesDistribution") or {}
    for name in ("SpotMaxPrice", "DistributionSegments"):
        if given.get(name):
            raise ValidationError(f"This emulator knows no prices or segments: no {name}.")
    percentage = int(given.get("OnDemandPercentageAboveBaseCapacity") or 0)
    if not 0 <= percentage <= 100:
        raise ValidationError("OnDemandPercentageAboveBaseCapacity must be between 0 and 100.")
    named = template.get("LaunchTemplateSpecification")
    if named and _asks_for_spot(api, named):
        raise ValidationError(
            "Incompatible launch template: You cannot use a launch template that is set to "
            "request Spot Instances (InstanceMarketOptions) when you configure an Auto Scaling "
            "group with a mixed instances policy. Add a different launch template to the group "
            "and try again."
        )


def _asks_for_spot(api: Api, named: dict[str, Any]) -> bool:
    ec2 = api.autoscaling_backend.ec2_backend
    if named.get("LaunchTemplateName"):
        template = ec2.get_launch_template_by_name(named["LaunchTemplateName"])
    else:
        template = ec2.get_launch_template(named["LaunchTemplateId"])
    version = template.get_version(named.get("Version") or "$Default")
    return "InstanceMarketOptions" in version.data
