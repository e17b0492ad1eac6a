"""One Auto Scaling group under test, and AWS's events about it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running_emulator import RunningEmulator, eventually

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
LAUNCH_ACTION = "EC2 Instance-launch Lifecycle Action"
TERMINATE_ACTION = "EC2 Instance-terminate Lifecycle Action"


STATES = (
    "Pending",
    "Pending:Wait",
    "Pending:Proceed",
    "InService",
    "EnteringStandby",
    "Standby",
    "Detaching",
    "Detached",
    "Terminating",
    "Terminating:Wait",
    "Terminating:Proceed",
    "Terminating:Retained",
    "Terminated",
)


@dataclass
class Group:
    """One Auto Scaling group of the emulator, and all the events it has caused."""

    emulator: RunningEmulator
    name: str
    queue: str
    _seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def api(self) -> Any:
        return self.emulator.client("autoscaling")

    @property
    def tag(self) -> dict[str, Any]:
        return {"Key": "team", "Value": self.name, "PropagateAtLaunch": True}

    def create(self, desired: int, *, hooks: list[dict[str, Any]], **more: Any) -> None:
        """Make the group and its template, to which `template` adds; `mix` makes it a mixed one."""
        template = {"ImageId": "ami-12345678", "InstanceType": "t3.medium"}
        self.emulator.client("ec2").create_launch_template(
            LaunchTemplateName=self.name,
            LaunchTemplateData={**template, **more.pop("template", {})},
        )
        named = {"LaunchTemplateName": self.name}
        mix = more.pop("mix", None)
        launches = {"LaunchTemplate": named}
        if mix is not None:
            overrides = [{"InstanceType": kind} for kind in mix.pop("types", [])]
            launch = {"LaunchTemplateSpecification": named, "Overrides": overrides}
            policy = {"LaunchTemplate": launch, "InstancesDistribution": mix}
            launches = {"MixedInstancesPolicy": policy}
        self.api.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            **launches,
            **({} if "VPCZoneIdentifier" in more else {"AvailabilityZones": ["eu-west-1a"]}),
            DesiredCapacity=desired,
            LifecycleHookSpecificationList=hooks,
            **{"MinSize": 0, "MaxSize": 5, "Tags": [self.tag], **more},
        )

    def states(self) -> dict[str, str]:
        """LifecycleState by instance id."""
        described = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        instances = described["AutoScalingGroups"][0]["Instances"]
        return {i["InstanceId"]: i["LifecycleState"] for i in instances}

    def instance(self, state: str) -> str:
        """The first instance in this state; waited for."""
        found = eventually(lambda: [i for i, s in self.states().items() if s == state])
        return found[0]

    def past(self, instance_id: str) -> list[str]:
        """Every state an instance has been in."""
        lines = self.emulator.recorded("autoscaling", instance=instance_id)
        return [line["what"] for line in lines if line["what"] in STATES]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Events of the group with this detail-type so far."""
        sqs = self.emulator.client("sqs")
        while got := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in got:
                self._seen.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self._seen if event["detail-type"] == kind]

    def event(self, kind: str, **detail: str) -> dict[str, Any]:
        """An event with this detail-type and these fields in its detail; waited for."""
        return eventually(
            lambda: [e for e in self.events(kind) if detail.items() <= e["detail"].items()]
        )[0]

    def complete(self, hook: str, result: str = "CONTINUE", **which: str) -> None:
        self.api.complete_lifecycle_action(
            AutoScalingGroupName=self.name,
            LifecycleHookName=hook,
            LifecycleActionResult=result,
            **which,
        )

    def terminate(self, instance_id: str, *, decrement: bool) -> None:
        self.api.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=decrement
        )

    def activities(self) -> list[dict[str, Any]]:
        """The group's scaling activities as AWS lists them."""
        found = self.api.describe_scaling_activities(AutoScalingGroupName=self.name)
        activities: list[dict[str, Any]] = found["Activities"]
        return activities

    def ec2(self, instance_id: str) -> dict[str, Any]:
        """An instance as EC2 describes it."""
        described = self.emulator.client("ec2").describe_instances(InstanceIds=[instance_id])
        instance: dict[str, Any] = described["Reservations"][0]["Instances"][0]
        return instance

    def described(self) -> dict[str, Any]:
        """The group as AWS describes it."""
        found = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        group: dict[str, Any] = found["AutoScalingGroups"][0]
        return group

    @property
    def desired(self) -> int:
        described = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return int(described["AutoScalingGroups"][0]["DesiredCapacity"])


def hook(transition: str, name: str = "", **more: Any) -> dict[str, Any]:
    kind = "launch" if transition == LAUNCHING else "terminate"
    return {
        "LifecycleHookName": name or kind,
        "LifecycleTransition": transition,
        "HeartbeatTimeout": 7200,
        **more,
    }


@contextmanager
def kept(emulator: RunningEmulator, name: str) -> Iterator[Group]:
    """A group that is not created yet, whose events are kept in a queue."""
    sqs, events = emulator.client("sqs"), emulator.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.autoscaling"], "detail": {"AutoScalingGroupName": [name]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    yield Group(emulator, name, queue)
    autoscaling = emulator.client("autoscaling")
    if autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


def refused(message: str) -> Any:
    return pytest.raises(ClientError, match=rf"\(ValidationError\).*{re.escape(message)}")
