"""A group's new EC2 instances, made from its launch template.

moto takes the template's default version for them, against the group's own setting, and shows it
for every instance of the group. On AWS an instance keeps the version that it was launched with.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-auto-scaling-groups-launch-template.html
"""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance

from labswarm_emulator.autoscaling.allocation import (
    Distribution,
    Member,
    emptiest,
    type_to_buy,
)
from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import CapacityFaults

GROUP_TAG = "aws:autoscaling:groupName"
VERSION_TAG = "aws:ec2launchtemplate:version"
SPOT = "spot"
NO_CAPACITY = "InsufficientInstanceCapacity"
FAILED = "Launching EC2 instance failed."


def distribution(group: FakeAutoScalingGroup) -> Distribution:
    """The group's purchases: by its mixed instances policy, or one type by its template alone."""
    if group.mixed_instances_policy:
        return Distribution.of(group.mixed_instances_policy, group.instance_type)
    on_demand = 0 if _template_asks_for_spot(group) else 100
    return Distribution((group.instance_type,), on_demand_percentage=on_demand)


def member(instance: GroupInstance) -> Member:
    """An instance as the choices see it."""
    template = launch_template(instance)
    return Member(
        instance_id=instance.instance_id,
        instance_type=instance.instance_type,
        zone=instance.availability_zone,
        spot=instance.instance.lifecycle == SPOT,
        in_service=instance.lifecycle_state == "InService",
        template_version=int(template["Version"]) if template else 0,
    )


class Launching:
    """Asks the emulator's EC2 for instances."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def start(
        self, group: FakeAutoScalingGroup, members: list[Member], *, spot: bool
    ) -> GroupInstance:
        """Add one instance to the group, Pending, in the emptiest of its zones.

        Raises moto's ServiceException as EC2 would refuse it.
        """
        version = None
        if group.ec2_launch_template is not None:
            # Looked up again, which refuses a template that was deleted since.
            template = group.ec2_backend.get_launch_template(group.ec2_launch_template.id)
            version = template.get_version(group.launch_template_version)
        subnets = [s for s in (group.vpc_zone_identifier or "").split(",") if s]
        zones = {s: group.ec2_backend.get_subnet(s).availability_zone for s in subnets}
        place = emptiest(subnets or group.availability_zones, members, zones)
        zone = zones.get(place, place)
        reservation = group.ec2_backend.run_instances(
            group.image_id,
            1,
            group.user_data,
            group.security_groups,
            instance_type=self._type(group, members, zone, spot=spot),
            tags={
                "instance": {
                    **group.instance_tags,
                    **group.get_propagated_tags(),
                    GROUP_TAG: group.name,
                }
            },
            placement=zone,
            launch_config=group.launch_config,
            launch_template=version
            and {"LaunchTemplateId": version.template.id, "Version": str(version.number)},
            is_instance_type_default=False,
            subnet_id=place if subnets else None,
            lifecycle=SPOT if spot else None,
        )
        (launched,) = reservation.instances
        launched.autoscaling_group = group
        instance = GroupInstance(
            launched,
            lifecycle_state="Pending",
            protected_from_scale_in=group.new_instances_protected_from_scale_in,
        )
        group.instance_states.append(instance)
        return instance

    def _type(
        self, group: FakeAutoScalingGroup, members: list[Member], zone: str, *, spot: bool
    ) -> str:
        faults, wanted = self._emulator.faults.on(CapacityFaults), distribution(group)
        kind = type_to_buy(
            wanted, members, spot=spot, lacks=lambda kind: faults.lacks(kind, spot=spot)
        )
        if kind is not None:
            return kind
        # The texts: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html
        mixed = bool(group.mixed_instances_policy)
        if spot:
            raise AutoscalingClientError(
                NO_CAPACITY,
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill "
                "capacity due to your request configuration. Please adjust your request and try "
                f"again. {FAILED}"
                if mixed
                else f"There is no Spot capacity available that matches your request. {FAILED}",
            )
        said = (
            f"We currently do not have sufficient {wanted.types[0]} capacity in the Availability "
            f"Zone you requested ({zone}). Our system will be working on provisioning additional "
            f"capacity. {FAILED}"
        )
        prefix = "Could not launch On-Demand Instances. InsufficientInstanceCapacity - "
        raise AutoscalingClientError(NO_CAPACITY, f"{prefix}{said}" if mixed else said)


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


def _template_asks_for_spot(group: FakeAutoScalingGroup) -> bool:
    if group.ec2_launch_template is None:
        return False
    data = group.ec2_launch_template.get_version(group.launch_template_version).data
    return bool(data.get("InstanceMarketOptions", {}).get("MarketType") == SPOT)
