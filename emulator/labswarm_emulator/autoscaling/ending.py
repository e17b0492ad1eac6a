"""End chosen instances, and groups.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
"""

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult, EmptyResult

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.lookup import group_of, instance_of
from labswarm_emulator.autoscaling.states import RETAINED, leaving


def install(groups: Groups) -> None:
    """Lead ending instances through their hooks, and empty a group that is deleted by force."""
    delete_group = AutoScalingBackend.delete_auto_scaling_group

    def terminate_instance_in_auto_scaling_group(api: Api) -> ActionResult:
        if api._get_param("InstanceIds"):
            raise ValidationError("This emulator ends one instance a call: no InstanceIds.")
        group, instance = instance_of(api)
        before = group.desired_capacity
        retained = instance.lifecycle_state == RETAINED
        if leaving(instance) and not retained:
            raise AutoscalingClientError(
                "ScalingActivityInProgress",
                f"Instance {instance.instance_id} is already being terminated.",
            )
        cause = (
            f"At {now()} instance {instance.instance_id} was taken out of service in response to "
            "a user request"
        )
        # A retained instance is no part of the capacity.
        if api._get_bool_param("ShouldDecrementDesiredCapacity", False) and not retained:
            if before <= group.min_size:
                raise ValidationError(
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating "
                    "instance without replacement will violate group's min size constraint. "
                    "Either set shouldDecrementDesiredCapacity flag to false or lower group's "
                    "min size."
                )
            group.desired_capacity = before - 1
            cause += f", shrinking the capacity from {before} to {before - 1}"
        activity = groups.terminate(group, instance, f"{cause}.")
        groups.reconcile(group, f"{cause}.")
        return ActionResult({"Activity": activity.shown()})

    def delete_auto_scaling_group(api: Api) -> EmptyResult:
        group = group_of(api)
        if group.instance_states and not api._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending "
                "Spot instance request(s) still in the group.",
            )
        api.autoscaling_backend.delete_auto_scaling_group(group.name)
        return EmptyResult()

    def force_delete(backend: AutoScalingBackend, group_name: str) -> None:
        """Also CloudFormation's way: hooks do not run for a group deleted with its instances."""
        with groups.lock:
            if group_name not in backend.autoscaling_groups:
                raise ValidationError(
                    f"AutoScalingGroup name not found - AutoScalingGroup '{group_name}' not found"
                )
            groups.forget(backend.autoscaling_groups[group_name])
            delete_group(backend, group_name)
            for hook in backend.describe_lifecycle_hooks(group_name):
                backend.delete_lifecycle_hook(group_name, hook.name)

    Api.terminate_instance_in_auto_scaling_group = terminate_instance_in_auto_scaling_group
    Api.delete_auto_scaling_group = delete_auto_scaling_group
    AutoScalingBackend.delete_auto_scaling_group = force_delete
