"""A cluster's image, homes and spot capacity, from AWS."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labswarm.aws.errors import named
from labswarm.groups import template_of

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_efs import EFSClient


class AwsSurroundings:
    """Implements labswarm.readiness.surroundings.Surroundings."""

    def __init__(
        self, autoscaling: "AutoScalingClient", ec2: "EC2Client", efs: "EFSClient"
    ) -> None:
        self._autoscaling = autoscaling
        self._ec2 = ec2
        self._efs = efs

    def images(self, asg: str) -> dict[str, str]:
        states: dict[str, str] = {}
        with named():
            found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
            for template in map(template_of, found["AutoScalingGroups"]):
                versions = self._ec2.describe_launch_template_versions(
                    LaunchTemplateId=template["LaunchTemplateId"],
                    Versions=[str(template.get("Version", "$Default"))],
                )["LaunchTemplateVersions"]
                for version in versions:
                    image = version["LaunchTemplateData"].get("ImageId", "")
                    # A filter, because an unknown id would be an error.
                    seen = self._ec2.describe_images(
                        Filters=[{"Name": "image-id", "Values": [image]}]
                    )
                    states[image] = next((str(one["State"]) for one in seen["Images"]), "")
        return states

    def homes(self, cluster: str) -> dict[str, str]:
        states: dict[str, str] = {}
        with named():
            for page in self._efs.get_paginator("describe_file_systems").paginate():
                for one in page["FileSystems"]:
                    if one.get("Name") == f"labswarm-{cluster}-homes":
                        states[one["FileSystemId"]] = one["LifeCycleState"]
                        targets = self._efs.describe_mount_targets(FileSystemId=one["FileSystemId"])
                        for target in targets["MountTargets"]:
                            states[target["MountTargetId"]] = target["LifeCycleState"]
        return states

    def score(self, types: Sequence[str], nodes: int) -> int | None:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html"""
        with named():
            found = self._ec2.get_spot_placement_scores(
                InstanceTypes=list(types),
                TargetCapacity=nodes,
                TargetCapacityUnitType="units",
                SingleAvailabilityZone=False,
                RegionNames=[self._ec2.meta.region_name],
            )["SpotPlacementScores"]
        return min((one["Score"] for one in found), default=None)
