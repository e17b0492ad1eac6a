"""Spot sends EventBridge the events of EC2, and takes the instance back as EC2 does."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"
WARNING = "EC2 Spot Instance Interruption Warning"
RECOMMENDATION = "EC2 Instance Rebalance Recommendation"
NOTICE_S = 120
UNKNOWN = "i-0123456789abcdef0"


def asked(emulator: RunningEmulator, what: str, instance_id: str) -> int:
    """Call the control API; return the status, and the reason of a refusal."""
    answer = urllib3.request("POST", f"{emulator.url}/_emulator/{what}/{instance_id}", timeout=10)
    assert answer.status == 204 or answer.json()["error"]
    return answer.status


@pytest.fixture
def queue(emulator: RunningEmulator, name: str) -> Iterator[str]:
    """A queue for each event of EC2 about spot."""
    url = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = emulator.client("events")
    pattern = {"source": ["aws.ec2"], "detail-type": [WARNING, RECOMMENDATION]}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{ACCOUNT}:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


def event(emulator: RunningEmulator, queue: str) -> dict[str, Any]:
    """The one event that comes; wait for it."""
    messages = eventually(
        lambda: emulator.client("sqs").receive_message(QueueUrl=queue).get("Messages")
    )
    (body,) = (json.loads(message["Body"]) for message in messages)
    assert isinstance(body, dict)
    return body


@pytest.fixture
def member(emulator: RunningEmulator, name: str) -> Iterator[str]:
    """The one instance in service of a group without hooks."""
    autoscaling = emulator.client("autoscaling")
    emulator.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.medium"},
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name},
        AvailabilityZones=["eu-west-1a"],
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=1,
    )
    (instance,) = eventually(lambda: in_service(emulator, name))
    yield instance
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def in_service(emulator: RunningEmulator, group: str) -> list[str]:
    described = emulator.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    instances = described["AutoScalingGroups"][0]["Instances"]
    return [i["InstanceId"] for i in instances if i["LifecycleState"] == "InService"]


def described(emulator: RunningEmulator, instance_id: str) -> dict[str, Any]:
    answer = emulator.client("ec2").describe_instances(InstanceIds=[instance_id])
    instance: dict[str, Any] = answer["Reservations"][0]["Instances"][0]
    return instance


@pytest.mark.aws(
    "EC2",
    "spot interruption",
    "The warning on EventBridge has the fields of EC2's, whose ARN has the zone and no account.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html",
)
def test_an_interruption_event_has_the_fields_of_ec2(
    emulator: RunningEmulator, member: str, queue: str
) -> None:
    """The sample event: its ARN has the zone in the region's place, and no account.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
    """
    assert asked(emulator, "interrupt", member) == 204

    warning = event(emulator, queue)

    assert re.fullmatch(r"[0-9a-f-]{36}", warning.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", warning.pop("time"))
    assert warning == {
        "version": "0",
        "detail-type": WARNING,
        "source": "aws.ec2",
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": [f"arn:aws:ec2:eu-west-1a:instance/{member}"],
        "detail": {"instance-id": member, "instance-action": "terminate"},
    }


@pytest.mark.aws(
    "EC2",
    "spot interruption",
    "The instance is taken two minutes after the warning, not before.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html",
)
@pytest.mark.aws(
    "Auto Scaling",
    "health checks",
    "An instance that spot took is replaced.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html",
)
def test_an_interrupted_instance_is_taken_back_two_minutes_after_the_warning(
    emulator: RunningEmulator, member: str, name: str
) -> None:
    """And not before; its group finds it gone and replaces it.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    notice_s = NOTICE_S * emulator.settings.time_scale
    began = time.monotonic()
    asked(emulator, "interrupt", member)

    assert described(emulator, member)["State"]["Name"] == "running"
    eventually(
        lambda: described(emulator, member)["State"]["Name"] == "terminated", within_s=2 * notice_s
    )
    assert time.monotonic() - began >= notice_s
    (replacement,) = eventually(lambda: in_service(emulator, name))
    assert replacement != member


@pytest.mark.aws(
    "EC2",
    "DescribeSpotInstanceRequests",
    "A request is marked-for-termination from the warning until the instance is taken.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html",
)
@pytest.mark.differs(
    "EC2",
    "DescribeSpotInstanceRequests",
    "An instance of a group has a request only while it is warned.",
    "moto keeps no request for an instance that a group launches",
)
def test_a_warned_instance_is_listed_until_it_is_taken(
    emulator: RunningEmulator, member: str
) -> None:
    ec2 = emulator.client("ec2")

    def marked(code: str, instance_id: str = member) -> list[Any]:
        filters = {"status-code": [code], "instance-id": [instance_id]}
        answer = ec2.describe_spot_instance_requests(
            Filters=[{"Name": name, "Values": values} for name, values in filters.items()]
        )
        return [one["Status"]["UpdateTime"] for one in answer["SpotInstanceRequests"]]

    assert marked("marked-for-termination") == []
    before = time.time()
    asked(emulator, "interrupt", member)

    (since,) = marked("marked-for-termination")
    assert before - 1 <= since.timestamp() <= time.time()
    assert marked("fulfilled") == marked("marked-for-termination", UNKNOWN) == []
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidParameterValue"):
        ec2.describe_spot_instance_requests(Filters=[{"Name": "type", "Values": ["one-time"]}])
    asked(emulator, "kill", member)
    assert marked("marked-for-termination") == []


@pytest.mark.aws(
    "EC2",
    "rebalance recommendation",
    "The event has EC2's fields, and the instance runs on.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html",
)
def test_a_rebalance_recommendation_sends_an_event_and_ends_nothing(
    emulator: RunningEmulator, member: str, queue: str
) -> None:
    """The sample event has the instance's id alone.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
    """
    assert asked(emulator, "rebalance", member) == 204

    recommendation = event(emulator, queue)

    assert recommendation["detail-type"] == RECOMMENDATION
    assert recommendation["resources"] == [f"arn:aws:ec2:eu-west-1a:instance/{member}"]
    assert recommendation["detail"] == {"instance-id": member}
    assert described(emulator, member)["State"]["Name"] == "running"


@pytest.mark.aws(
    "EC2",
    "DescribeInstances",
    "An instance that spot took has the state reason Server.SpotInstanceTermination.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html",
)
def test_a_killed_instance_is_terminated_at_once_and_says_why(
    emulator: RunningEmulator, member: str, name: str
) -> None:
    """Its state reason is that of a spot interruption.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html
    """
    assert asked(emulator, "kill", member) == 204

    seen = described(emulator, member)

    assert seen["State"]["Name"] == "terminated"
    assert seen["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    (replacement,) = eventually(lambda: in_service(emulator, name))
    assert replacement != member


@pytest.mark.aws(
    "EventBridge",
    "PutEvents",
    "An entry whose source begins with `aws.` fails.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html",
)
@pytest.mark.differs(
    "EC2",
    "spot interruption",
    "Spot takes an instance when the emulator's control API is asked to.",
    "a lab has to be able to lose a node at a time of its choosing",
)
@pytest.mark.parametrize("what", ["interrupt", "rebalance", "kill", "explode"])
def test_stopped_and_unknown_instances_are_refused(emulator: RunningEmulator, what: str) -> None:
    """Use the emulator's control API, since PutEvents takes no event from aws.*.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    assert asked(emulator, what, UNKNOWN) == 404
    entry = {"Source": "aws.ec2", "DetailType": WARNING, "Detail": "{}"}
    assert emulator.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 1
