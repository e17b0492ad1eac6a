"""A roll's command, images and their registration."""

import subprocess
from collections import Counter
from typing import Any

from tests.e2e.conftest import COMMAND, LabUnderTest


def register(lab: LabUnderTest, name: str, *tags: dict[str, str]) -> str:
    """A new image, like the one that the workers have; its id."""
    ec2 = lab.client("ec2")
    ami: str = ec2.copy_image(
        Name=name,
        SourceImageId=latest(lab)["LaunchTemplateData"]["ImageId"],
        SourceRegion="eu-west-1",
    )["ImageId"]
    if tags:
        ec2.create_tags(Resources=[ami], Tags=list(tags))
    return ami


def command(lab: LabUnderTest, ami: str, *options: str) -> list[str]:
    return [str(COMMAND), "roll", ami, "--name", lab.name, *options]


def roll(lab: LabUnderTest, ami: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(lab, ami, *options), capture_output=True, text=True, timeout=500, check=False
    )


def images(lab: LabUnderTest) -> Counter[str]:
    """How many of the group's instances run each image."""
    ec2, autoscaling = lab.client("ec2"), lab.client("autoscaling")
    (group,) = autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[f"labswarm-{lab.name}-workers"]
    )["AutoScalingGroups"]
    ids = [instance["InstanceId"] for instance in group["Instances"]]
    return Counter(
        instance["ImageId"]
        for reservation in (ec2.describe_instances(InstanceIds=ids)["Reservations"] if ids else ())
        for instance in reservation["Instances"]
    )


def latest(lab: LabUnderTest) -> dict[str, Any]:
    """The version that the group launches."""
    (version,) = lab.client("ec2").describe_launch_template_versions(
        LaunchTemplateName=f"labswarm-{lab.name}-workers", Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    return dict(version)


def is_settled(lab: LabUnderTest) -> bool:
    """Whether all instances have the image that the group launches, and all are open."""
    nodes = lab.status()["nodes"]
    return set(images(lab)) <= {latest(lab)["LaunchTemplateData"]["ImageId"]} and all(
        (node["asg"], node["availability"]) == ("InService", "active") for node in nodes
    )
