"""Parts of AWS's Auto Scaling that the emulator lacks: each answers with an error."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator
from tests.support.scaling_group import Group, refused

pytestmark = pytest.mark.emulator


@pytest.mark.absent(
    "Auto Scaling",
    "warm pools",
    "PutWarmPool answers ValidationError.",
)
def test_a_warm_pool_is_refused(group: Group) -> None:
    group.create(0, hooks=[])
    with refused("no warm pools"):
        group.api.put_warm_pool(AutoScalingGroupName=group.name)


@pytest.mark.aws(
    "Auto Scaling",
    "PutWarmPool",
    "A group with a mixed instances policy or spot has no warm pool: ValidationError.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html",
)
def test_a_mixed_group_has_no_warm_pool(group: Group) -> None:
    group.create(0, hooks=[], mix={"types": ["m5.large"]})
    with refused("You can't add a warm pool to an Auto Scaling group that has a mixed instances"):
        group.api.put_warm_pool(AutoScalingGroupName=group.name)


@pytest.mark.absent(
    "Auto Scaling",
    "StartInstanceRefresh, LaunchInstances, PutNotificationConfiguration and others",
    "InvalidAction: instance refresh, SNS notifications, load balancers, ExecutePolicy.",
)
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("start_instance_refresh", {}),
        ("describe_instance_refreshes", {}),
        ("cancel_instance_refresh", {}),
        ("rollback_instance_refresh", {}),
        ("put_notification_configuration", {"TopicARN": "t", "NotificationTypes": ["n"]}),
        ("attach_load_balancer_target_groups", {"TargetGroupARNs": ["t"]}),
        ("attach_load_balancers", {"LoadBalancerNames": ["l"]}),
        ("attach_traffic_sources", {"TrafficSources": [{"Identifier": "t"}]}),
        ("execute_policy", {"PolicyName": "p"}),
        ("launch_instances", {"RequestedCapacity": 1, "ClientToken": "t"}),
        ("batch_put_scheduled_update_group_action", {"ScheduledUpdateGroupActions": []}),
    ],
)
def test_an_operation_that_the_emulator_has_not_is_an_error(
    group: Group, operation: str, given: dict[str, Any]
) -> None:
    group.create(0, hooks=[])
    with pytest.raises(ClientError, match=r"\(InvalidAction\).*This emulator has no"):
        getattr(group.api, operation)(AutoScalingGroupName=group.name, **given)


@pytest.mark.absent(
    "Auto Scaling",
    "settings of a group",
    "CreateAutoScalingGroup and UpdateAutoScalingGroup answer ValidationError for each.",
)
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"CapacityRebalance": True}, "no CapacityRebalance"),
        ({"MaxInstanceLifetime": 86400}, "no MaxInstanceLifetime"),
        ({"HealthCheckType": "ELB"}, "no health check but EC2's"),
        ({"PlacementGroup": "p"}, "no PlacementGroup"),
        ({"TerminationPolicies": ["ClosestToNextInstanceHour"]}, "TerminationPolicies"),
        (
            {
                "InstanceMaintenancePolicy": {
                    "MinHealthyPercentage": 90,
                    "MaxHealthyPercentage": 110,
                }
            },
            "no InstanceMaintenancePolicy",
        ),
    ],
)
def test_a_setting_that_the_emulator_does_not_follow_is_refused(
    group: Group, setting: dict[str, Any], said: str
) -> None:
    with refused(said):
        group.create(0, hooks=[], **setting)
    named = {"LaunchTemplateName": group.name}
    group.api.create_auto_scaling_group(
        AutoScalingGroupName=group.name,
        LaunchTemplate=named,
        AvailabilityZones=["eu-west-1a"],
        MinSize=0,
        MaxSize=1,
    )
    with refused(said):
        group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, **setting)


@pytest.mark.absent(
    "Auto Scaling",
    "TerminateInstanceInAutoScalingGroup",
    "ValidationError for InstanceIds: one instance a call.",
)
def test_several_instances_are_not_ended_in_one_call(group: Group) -> None:
    group.create(0, hooks=[])
    with refused("no InstanceIds"):
        group.api.terminate_instance_in_auto_scaling_group(
            AutoScalingGroupName=group.name,
            InstanceIds=["i-0123456789abcdef0"],
            ShouldDecrementDesiredCapacity=True,
        )


@pytest.mark.aws(
    "Auto Scaling",
    "CreateLaunchConfiguration",
    "UnsupportedOperation: a new account has launch templates only.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html",
)
def test_a_launch_configuration_cannot_be_created(emulator: RunningEmulator, name: str) -> None:
    with pytest.raises(ClientError, match=r"\(UnsupportedOperation\).*Use launch templates"):
        emulator.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-12345678", InstanceType="t3.medium"
        )


@pytest.mark.absent(
    "Auto Scaling",
    "cooldowns",
    "SetDesiredCapacity answers ValidationError for HonorCooldown.",
)
def test_a_cooldown_is_not_honored(group: Group) -> None:
    group.create(0, hooks=[])
    with refused("no cooldown to honor"):
        group.api.set_desired_capacity(
            AutoScalingGroupName=group.name, DesiredCapacity=1, HonorCooldown=True
        )
    assert group.desired == 0
