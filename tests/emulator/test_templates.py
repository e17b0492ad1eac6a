"""The emulator's launch templates have versions as EC2's have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

FIRST = {
    "ImageId": "ami-12345678",
    "InstanceType": "t3.medium",
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
}


@dataclass
class Template:
    """One launch template; `version` describes one of its versions."""

    emulator: RunningEmulator
    name: str

    @property
    def api(self) -> Any:
        return self.emulator.client("ec2")

    def version(self, which: str) -> dict[str, Any]:
        described = self.api.describe_launch_template_versions(
            LaunchTemplateName=self.name, Versions=[which]
        )
        (found,) = described["LaunchTemplateVersions"]
        return dict(found)

    def create_version(self, **given: Any) -> dict[str, Any]:
        created = self.api.create_launch_template_version(LaunchTemplateName=self.name, **given)
        return dict(created["LaunchTemplateVersion"])

    def delete(self, *numbers: str) -> dict[str, Any]:
        return dict(
            self.api.delete_launch_template_versions(
                LaunchTemplateName=self.name, Versions=list(numbers)
            )
        )


@pytest.fixture
def template(emulator: RunningEmulator, name: str) -> Iterator[Template]:
    """A launch template with one version."""
    ec2 = emulator.client("ec2")
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=FIRST)
    yield Template(emulator, name)
    ec2.delete_launch_template(LaunchTemplateName=name)


@pytest.mark.aws(
    "EC2",
    "CreateLaunchTemplateVersion",
    "A version of a source has what is not given from it, and the default version stays.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html",
)
def test_given_a_source_then_a_new_version_inherits_the_other_fields(template: Template) -> None:
    """And the default version stays.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    made = template.create_version(
        SourceVersion="1", VersionDescription="roll", LaunchTemplateData={"ImageId": "ami-87654321"}
    )

    assert made["LaunchTemplateData"] == {**FIRST, "ImageId": "ami-87654321"}
    assert (made["VersionNumber"], made["DefaultVersion"]) == (2, False)
    latest = template.version("$Latest")
    assert latest["LaunchTemplateData"] == made["LaunchTemplateData"]
    assert latest["VersionDescription"] == "roll"
    assert template.version("$Default")["VersionNumber"] == 1
    assert template.version("1")["LaunchTemplateData"] == FIRST


@pytest.mark.aws(
    "EC2",
    "CreateLaunchTemplateVersion",
    "Without a source, a version has only the given fields.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html",
)
def test_given_no_source_then_a_new_version_has_only_the_given_fields(template: Template) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html"""
    made = template.create_version(LaunchTemplateData={"ImageId": "ami-87654321"})

    assert made["LaunchTemplateData"] == {"ImageId": "ami-87654321"}


@pytest.mark.aws(
    "EC2",
    "CreateLaunchTemplateVersion",
    "A source that is not there is InvalidLaunchTemplateId.VersionNotFound, and no "
    "version is made.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
)
def test_given_a_source_that_is_not_there_then_no_version_is_made(template: Template) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    with pytest.raises(ClientError, match=r"InvalidLaunchTemplateId\.VersionNotFound"):
        template.create_version(SourceVersion="7", LaunchTemplateData={"ImageId": "ami-87654321"})

    assert template.version("$Latest")["VersionNumber"] == 1


@pytest.mark.aws(
    "EC2",
    "DeleteLaunchTemplateVersions",
    "The number of a deleted version is not given again.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-launch-template.html",
)
def test_given_a_deleted_version_then_its_number_is_not_given_again(template: Template) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-launch-template.html"""
    template.create_version(SourceVersion="1", LaunchTemplateData={"ImageId": "ami-87654321"})

    answer = template.delete("2")

    (deleted,) = answer["SuccessfullyDeletedLaunchTemplateVersions"]
    assert deleted["VersionNumber"] == 2
    assert template.version("$Latest")["VersionNumber"] == 1
    with pytest.raises(ClientError, match=r"InvalidLaunchTemplateId\.VersionNotFound"):
        template.version("2")
    made = template.create_version(SourceVersion="1", LaunchTemplateData={})
    assert made["VersionNumber"] == 3


@pytest.mark.aws(
    "EC2",
    "DeleteLaunchTemplateVersions",
    "The default version is not deleted; the answer names each that was not, with its code.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html",
)
def test_given_the_default_version_then_it_is_deleted_only_when_another_is_the_default(
    template: Template,
) -> None:
    """The answer names templates that are not deleted.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    """
    template.create_version(SourceVersion="1", LaunchTemplateData={"ImageId": "ami-87654321"})

    answer = template.delete("1", "7")

    kept = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [one["VersionNumber"] for one in kept] == [1, 7]
    assert kept[1]["ResponseError"]["Code"] == "launchTemplateVersionDoesNotExist"
    template.api.modify_launch_template(LaunchTemplateName=template.name, DefaultVersion="2")
    assert template.delete("1")["UnsuccessfullyDeletedLaunchTemplateVersions"] == []
    assert template.version("$Default")["VersionNumber"] == 2


@pytest.mark.aws(
    "Auto Scaling",
    "LaunchTemplateSpecification",
    "A group on `$Latest` launches of the newest version that there is; an instance "
    "keeps showing its own.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html",
)
def test_given_a_mixed_group_on_latest_then_it_launches_the_newest_version(
    template: Template,
) -> None:
    """Older instances show theirs; a version that is deleted changes no instance.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html
    """
    api = template.emulator.client("autoscaling")
    spec = {"LaunchTemplateName": template.name, "Version": "$Latest"}
    api.create_auto_scaling_group(
        AutoScalingGroupName=template.name,
        MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": spec}},
        AvailabilityZones=["eu-west-1a"],
        **{"MinSize": 0, "MaxSize": 5, "DesiredCapacity": 1},
    )

    def group() -> dict[str, Any]:
        described = api.describe_auto_scaling_groups(AutoScalingGroupNames=[template.name])
        return dict(described["AutoScalingGroups"][0])

    def versions() -> list[str]:
        return sorted(i["LaunchTemplate"]["Version"] for i in group()["Instances"])

    try:
        eventually(lambda: versions() == ["1"])
        template.create_version(SourceVersion="1", LaunchTemplateData={"ImageId": "ami-87654321"})
        api.set_desired_capacity(AutoScalingGroupName=template.name, DesiredCapacity=2)
        eventually(lambda: versions() == ["1", "2"])
        template.delete("2")
        api.set_desired_capacity(AutoScalingGroupName=template.name, DesiredCapacity=3)
        eventually(lambda: versions() == ["1", "1", "2"])
        said = group()["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
        assert said["Version"] == "$Latest"
        of = {i["LaunchTemplate"]["LaunchTemplateId"] for i in group()["Instances"]}
        assert of == {said["LaunchTemplateId"]}
    finally:
        api.delete_auto_scaling_group(AutoScalingGroupName=template.name, ForceDelete=True)
