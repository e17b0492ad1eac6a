"""A group's new EC2 instances, made from its launch template.

moto takes the template's default version for them, whatever the group says, and shows it for every
instance of the group; on AWS an instance keeps the version that it was launched with.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-auto-scaling-groups-launch-template.html
"""

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance

GROUP_TAG = "aws:autoscaling:groupName"
VERSION_TAG = "aws:ec2launchtemplate:version"


def run_instances(group: FakeAutoScalingGroup, count: int) -> None:
    """Add so many instances to the group, Pending, in its first subnet or zone.

    Raises moto's ServiceException as EC2 would refuse them.
    """
    version = None
    if group.ec2_launch_template is not None:
        # Looked up again, which refuses a template that was deleted since.
        template = group.ec2_backend.get_launch_template(group.ec2_launch_template.id)
        version = template.get_version(group.launch_template_version)
    overrides = (group.mixed_instances_policy or {}).get("LaunchTemplate", {}).get("Overrides", [])
    subnets = (group.vpc_zone_identifier or "").split(",")
    reservation = group.ec2_backend.run_instances(
        group.image_id,
        count,
        group.user_data,
        group.security_groups,
        instance_type=next((o["InstanceType"] for o in overrides), group.instance_type),
        tags={
            "instance": {
                **group.instance_tags,
                **group.get_propagated_tags(),
                GROUP_TAG: group.name,
            }
        },
        placement=group.availability_zones[0],
        launch_config=group.launch_config,
        launch_template=version
        and {"LaunchTemplateId": version.template.id, "Version": str(version.number)},
        is_instance_type_default=False,
        subnet_id=subnets[0] or None,
    )
    for launched in reservation.instances:
        launched.autoscaling_group = group
        group.instance_states.append(
            GroupInstance(
                launched,
                lifecycle_state="Pending",
                protected_from_scale_in=group.new_instances_protected_from_scale_in,
            )
        )


def launch_template(instance: GroupInstance) -> dict[str, Any] | None:
    """The launch template of one of a group's instances, with the version it was made from."""
    template = instance.auto_scaling_group.ec2_launch_template
    if template is None:
        return None
    tags = {tag["key"]: tag["value"] for tag in instance.instance.get_tags()}
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": tags.get(VERSION_TAG, str(template.default_version_number)),
    }
