"""The group and the instances that a request names, or AWS's refusal."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.autoscaling.responses import AutoScalingResponse as Api


def group_of(api: Api) -> FakeAutoScalingGroup:
    """The group by its AutoScalingGroupName. Raises ValidationError."""
    backend: AutoScalingBackend = api.autoscaling_backend
    name = api._get_param("AutoScalingGroupName")
    if name not in backend.autoscaling_groups:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        )
    return backend.autoscaling_groups[name]


def instance_of(api: Api) -> tuple[FakeAutoScalingGroup, GroupInstance]:
    """The instance by its InstanceId, and its group. Raises ValidationError."""
    instance_id = api._get_param("InstanceId")
    for group in api.autoscaling_backend.autoscaling_groups.values():
        for instance in group.instance_states:
            if instance.instance_id == instance_id:
                return group, instance
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


def instances_of(api: Api, group: FakeAutoScalingGroup) -> list[GroupInstance]:
    """Those of the group by their InstanceIds. Raises ValidationError."""
    by_id = {instance.instance_id: instance for instance in group.instance_states}
    ids: list[str] = api._get_param("InstanceIds", [])
    for instance_id in ids:
        if instance_id not in by_id:
            raise ValidationError(
                f"The instance {instance_id} is not part of Auto Scaling group {group.name}."
            )
    return [by_id[instance_id] for instance_id in ids]
