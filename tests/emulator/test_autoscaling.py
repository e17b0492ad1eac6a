"""Auto Scaling on the emulator leads instances through their lifecycle hooks as AWS does."""

import re
import time

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import eventually
from tests.support.scaling_group import (
    LAUNCH_ACTION,
    LAUNCHING,
    TERMINATE_ACTION,
    TERMINATING,
    Group,
    hook,
    refused,
)

pytestmark = pytest.mark.emulator


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle",
    "An instance passes every state from Pending to Terminated, and waits at both ends.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html",
)
def test_given_hooks_when_an_instance_comes_and_goes_then_it_waits_at_both_ends(
    group: Group,
) -> None:
    """Pending, Wait, Proceed, InService; Terminating, Wait, Proceed, Terminated.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    """
    group.create(1, hooks=[hook(LAUNCHING), hook(TERMINATING)])
    instance = group.instance("Pending:Wait")
    described = group.emulator.client("ec2").describe_instances(InstanceIds=[instance])
    ec2 = described["Reservations"][0]["Instances"][0]
    assert ec2["State"]["Name"] == "running"
    assert {"Key": "team", "Value": group.name} in ec2["Tags"]
    assert {"Key": "aws:autoscaling:groupName", "Value": group.name} in ec2["Tags"]

    launch = group.event(LAUNCH_ACTION)["detail"]
    group.complete("launch", LifecycleActionToken=launch["LifecycleActionToken"])
    assert group.instance("InService") == instance

    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=0)
    assert group.states() == {instance: "Terminating:Wait"}
    shown = group.api.describe_auto_scaling_instances(InstanceIds=[instance])
    assert shown["AutoScalingInstances"][0]["LifecycleState"] == "Terminating:Wait"
    group.complete("terminate", InstanceId=instance)
    eventually(lambda: not group.states())
    assert group.past(instance) == [
        "Pending",
        "Pending:Wait",
        "Pending:Proceed",
        "InService",
        "Terminating",
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminated",
    ]


@pytest.mark.aws(
    "Auto Scaling",
    "events",
    "The lifecycle and the successful events have every field of AWS's.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html",
)
def test_given_hooks_when_an_instance_waits_then_the_events_have_every_field_of_awss(
    group: Group,
) -> None:
    """The lifecycle action events; NotificationMetadata only when the hook has it.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
    """
    group.create(1, hooks=[hook(LAUNCHING, NotificationMetadata="noted"), hook(TERMINATING)])
    instance = group.instance("Pending:Wait")
    event = group.event(LAUNCH_ACTION)
    detail = event.pop("detail")
    assert re.fullmatch(r"[0-9a-f-]{36}", detail.pop("LifecycleActionToken"))
    assert detail == {
        "AutoScalingGroupName": group.name,
        "LifecycleHookName": "launch",
        "EC2InstanceId": instance,
        "LifecycleTransition": LAUNCHING,
        "NotificationMetadata": "noted",
        "Origin": "EC2",
        "Destination": "AutoScalingGroup",
    }
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    (resource,) = event.pop("resources")
    assert resource.endswith(f":autoScalingGroupName/{group.name}")
    assert event == {
        "version": "0",
        "detail-type": LAUNCH_ACTION,
        "source": "aws.autoscaling",
        "account": "123456789012",
        "region": "eu-west-1",
    }
    group.complete("launch", InstanceId=instance)
    launched = group.event("EC2 Instance Launch Successful", EC2InstanceId=instance)
    assert launched["resources"][1].endswith(f":instance/{instance}")

    group.terminate(instance, decrement=True)
    ending = group.event(TERMINATE_ACTION)["detail"]
    assert (ending["Origin"], ending["Destination"]) == ("AutoScalingGroup", "EC2")
    assert "NotificationMetadata" not in ending
    group.complete("terminate", InstanceId=instance)
    group.event("EC2 Instance Terminate Successful", EC2InstanceId=instance)


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle",
    "Without hooks an instance comes into service by itself.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html",
)
def test_given_no_hooks_then_an_instance_comes_into_service_by_itself(group: Group) -> None:
    """Without a hook nothing holds the instance in a wait state.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    """
    group.create(1, hooks=[])
    instance = group.instance("InService")
    assert "Pending:Wait" not in group.past(instance)


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle hooks",
    "With two hooks an instance waits for both.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
)
def test_given_two_hooks_then_the_instance_waits_for_both(group: Group) -> None:
    """It goes on when every lifecycle action is complete.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
    """
    group.create(1, hooks=[hook(LAUNCHING, "first"), hook(LAUNCHING, "second")])
    instance = group.instance("Pending:Wait")
    group.complete("first", InstanceId=instance)
    assert group.states() == {instance: "Pending:Wait"}
    group.complete("second", InstanceId=instance)
    assert group.instance("InService") == instance


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle hooks",
    "ABANDON of one hook ends the wait for the others.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
)
def test_given_two_terminate_hooks_when_one_is_abandoned_then_the_other_is_not_waited_for(
    group: Group,
) -> None:
    """Both results let an instance terminate; ABANDON stops any remaining actions.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
    """
    group.create(1, hooks=[hook(TERMINATING, "first"), hook(TERMINATING, "second")])
    instance = group.instance("InService")
    group.terminate(instance, decrement=True)
    group.complete("first", "ABANDON", InstanceId=instance)
    eventually(lambda: not group.states())
    with refused(f"No active Lifecycle Action found with instance ID {instance}"):
        group.complete("second", InstanceId=instance)


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle hooks",
    "ABANDON at launch terminates the instance, by its terminate hook too, and replaces it.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html",
)
def test_given_a_launch_abandoned_then_it_is_terminated_by_its_hook_too_and_replaced(
    group: Group,
) -> None:
    """ABANDON at launch terminates the instance and launches another. Hooks apply to all
    launches and terminations, so the terminate hook runs as well.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
    """
    group.create(1, hooks=[hook(LAUNCHING), hook(TERMINATING)])
    instance = group.instance("Pending:Wait")
    group.complete("launch", "ABANDON", InstanceId=instance)
    states = group.states()
    assert states.pop(instance) == "Terminating:Wait"
    assert list(states.values()) == ["Pending:Wait"]
    unsuccessful = group.event("EC2 Instance Launch Unsuccessful", EC2InstanceId=instance)
    assert unsuccessful["detail"]["StatusCode"] == "Cancelled"
    group.complete("terminate", InstanceId=instance)
    eventually(lambda: instance not in group.states())


@pytest.mark.aws(
    "Auto Scaling",
    "PutLifecycleHook",
    "After the heartbeat timeout the hook's default result counts.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html",
)
@pytest.mark.parametrize(("default", "then"), [("CONTINUE", True), ("ABANDON", False)])
def test_given_no_answer_in_time_then_the_hooks_default_result_counts(
    group: Group, default: str, then: bool
) -> None:
    """DefaultResult takes effect when the heartbeat timeout elapses.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
    """
    group.create(1, hooks=[hook(LAUNCHING, HeartbeatTimeout=30, DefaultResult=default)])
    instance = group.instance("Pending:Wait")
    eventually(lambda: group.states().get(instance) != "Pending:Wait")
    eventually(lambda: ("InService" in group.past(instance)) == then)
    assert ("Terminated" in group.past(instance) or "Terminating" in group.past(instance)) != then


@pytest.mark.aws(
    "Auto Scaling",
    "RecordLifecycleActionHeartbeat",
    "A heartbeat starts the timeout again.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html",
)
def test_given_heartbeats_then_the_instance_waits_longer_than_its_timeout(group: Group) -> None:
    """A heartbeat starts the timeout again.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
    """
    group.create(1, hooks=[hook(LAUNCHING, HeartbeatTimeout=40)])
    instance = group.instance("Pending:Wait")
    timeout_s = 40 * group.emulator.settings.time_scale
    began = time.monotonic()

    def beaten_past_the_timeout() -> bool:
        group.api.record_lifecycle_action_heartbeat(
            AutoScalingGroupName=group.name, LifecycleHookName="launch", InstanceId=instance
        )
        return time.monotonic() - began > 1.3 * timeout_s

    eventually(beaten_past_the_timeout, every_s=timeout_s / 4)
    assert group.states() == {instance: "Pending:Wait"}
    group.complete("launch", InstanceId=instance)


@pytest.mark.aws(
    "Auto Scaling",
    "CompleteLifecycleAction",
    "ValidationError, No active Lifecycle Action found, for a token or instance without one.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html",
)
def test_given_nothing_to_complete_then_aws_says_that_no_action_is_active(group: Group) -> None:
    """ValidationError for a token or an instance without an open action, and for a second time.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html
    """
    group.create(1, hooks=[hook(LAUNCHING)])
    instance = group.instance("Pending:Wait")
    unknown = "00000000-0000-0000-0000-000000000000"
    with refused(f"No active Lifecycle Action found with token {unknown}"):
        group.complete("launch", LifecycleActionToken=unknown)
    group.complete("launch", InstanceId=instance)
    with refused(f"No active Lifecycle Action found with instance ID {instance}"):
        group.complete("launch", InstanceId=instance)
    with refused(f"No active Lifecycle Action found with instance ID {instance}"):
        group.api.record_lifecycle_action_heartbeat(
            AutoScalingGroupName=group.name, LifecycleHookName="launch", InstanceId=instance
        )


@pytest.mark.aws(
    "Auto Scaling",
    "TerminateInstanceInAutoScalingGroup",
    "A termination overtakes a launch, whose action is over then; again is refused.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html",
)
def test_given_a_terminate_that_overtakes_a_launch_then_the_launch_can_not_be_completed(
    group: Group,
) -> None:
    """An instance in Pending:Wait can be terminated; its launch action is over then.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    """
    group.create(1, hooks=[hook(LAUNCHING), hook(TERMINATING)])
    instance = group.instance("Pending:Wait")
    group.terminate(instance, decrement=True)
    assert group.states() == {instance: "Terminating:Wait"}
    with refused("No active Lifecycle Action found"):
        group.complete("launch", InstanceId=instance)
    with pytest.raises(ClientError, match="ScalingActivityInProgress"):
        group.terminate(instance, decrement=False)


@pytest.mark.aws(
    "Auto Scaling",
    "TerminateInstanceInAutoScalingGroup",
    "A chosen instance is replaced, unless the desired capacity shrinks with it.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html",
)
@pytest.mark.parametrize("decrement", [True, False])
def test_given_a_chosen_instance_when_terminated_then_it_is_replaced_unless_decremented(
    group: Group, decrement: bool
) -> None:
    """ShouldDecrementDesiredCapacity says whether the capacity shrinks with it.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    """
    group.create(2, hooks=[])
    eventually(lambda: list(group.states().values()) == ["InService"] * 2)
    chosen, kept = group.states()
    group.terminate(chosen, decrement=decrement)
    left = eventually(
        lambda: chosen not in (s := group.states()) and set(s.values()) == {"InService"} and s
    )
    assert kept in left
    assert group.desired == len(left) == (1 if decrement else 2)


@pytest.mark.aws(
    "Auto Scaling",
    "TerminateInstanceInAutoScalingGroup",
    "ValidationError for a foreign instance, and for one less than the minimum.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html",
)
def test_given_an_instance_that_is_not_the_groups_or_a_minimum_then_termination_is_refused(
    group: Group,
) -> None:
    """ValidationError; nothing is terminated.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    """
    group.create(1, hooks=[], MinSize=1)
    instance = group.instance("InService")
    with refused("No managed instance found for instance ID: i-0123456789abcdef0"):
        group.terminate("i-0123456789abcdef0", decrement=True)
    with refused("desiredSize equals minSize (1)"):
        group.terminate(instance, decrement=True)
    assert group.states() == {instance: "InService"}


@pytest.mark.aws(
    "Auto Scaling",
    "SetInstanceProtection",
    "Scale-in protection holds against the group's choice, not against a chosen end.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html",
)
def test_given_protected_instances_when_capacity_shrinks_then_the_group_leaves_them(
    group: Group,
) -> None:
    """Scale-in protection holds against the group's choice, not against a chosen termination.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
    """
    group.create(2, hooks=[])
    eventually(lambda: list(group.states().values()) == ["InService"] * 2)
    protected = next(iter(group.states()))
    group.api.set_instance_protection(
        AutoScalingGroupName=group.name, InstanceIds=[protected], ProtectedFromScaleIn=True
    )
    group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, DesiredCapacity=0)
    eventually(lambda: group.states() == {protected: "InService"})
    group.terminate(protected, decrement=False)
    eventually(lambda: not group.states())


@pytest.mark.aws(
    "Auto Scaling",
    "health checks",
    "An instance ended in EC2 goes by its terminate hook and is replaced.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html",
)
def test_given_an_instance_ended_in_ec2_then_its_hook_runs_and_it_is_replaced(
    group: Group,
) -> None:
    """A terminated instance fails the group's EC2 health check and is replaced.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    group.create(1, hooks=[hook(TERMINATING)])
    instance = group.instance("InService")
    group.emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    states = group.states()
    assert states.pop(instance) == "Terminating:Wait"
    assert len(states) == 1
    group.complete("terminate", InstanceId=instance)
    eventually(lambda: list(group.states().values()) == ["InService"])


@pytest.mark.aws(
    "Auto Scaling",
    "SetDesiredCapacity",
    "A capacity out of the bounds is refused; a new bound moves the capacity.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html",
)
def test_given_capacity_out_of_bounds_then_it_is_refused(group: Group) -> None:
    """ValidationError, with the bound; a new bound moves the desired capacity.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """
    group.create(1, hooks=[], MinSize=1, MaxSize=2)
    for wanted, bound in ((3, "above max value 2"), (0, "below min value 1")):
        with refused(bound):
            group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=wanted)
    with refused("Desired capacity:5 must be between"):
        group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, DesiredCapacity=5)
    group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=2)
    assert group.desired == 2
    with refused("not found"):
        group.api.set_desired_capacity(AutoScalingGroupName="none", DesiredCapacity=1)


@pytest.mark.aws(
    "Auto Scaling",
    "DescribeLifecycleHooks",
    "GlobalTimeout is 48 hours or 100 heartbeat timeouts, whichever is less.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html",
)
def test_given_a_hook_then_its_description_has_the_longest_time_it_can_hold(group: Group) -> None:
    """GlobalTimeout is 48 hours or 100 times the heartbeat timeout, whichever is less.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html
    """
    short = hook(LAUNCHING, "short", HeartbeatTimeout=30)
    group.create(0, hooks=[short, hook(LAUNCHING, "long")])
    described = group.api.describe_lifecycle_hooks(AutoScalingGroupName=group.name)
    longest = {h["LifecycleHookName"]: h["GlobalTimeout"] for h in described["LifecycleHooks"]}
    assert longest == {"short": 3000, "long": 48 * 3600}
    with refused("HeartbeatTimeout"):
        group.api.put_lifecycle_hook(
            AutoScalingGroupName=group.name, **{**short, "HeartbeatTimeout": 29}
        )


@pytest.mark.aws(
    "Auto Scaling",
    "DeleteAutoScalingGroup",
    "ResourceInUse while instances are left; by force they end without their hooks.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html",
)
def test_given_instances_left_when_a_group_is_deleted_then_it_needs_force(group: Group) -> None:
    """ResourceInUse; with ForceDelete the instances end without their hooks.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
    """
    group.create(1, hooks=[hook(TERMINATING)])
    instance = group.instance("InService")
    with pytest.raises(ClientError, match=r"\(ResourceInUse"):
        group.api.delete_auto_scaling_group(AutoScalingGroupName=group.name)
    group.api.delete_auto_scaling_group(AutoScalingGroupName=group.name, ForceDelete=True)
    assert "Terminating:Wait" not in group.past(instance)
    described = group.emulator.client("ec2").describe_instances(InstanceIds=[instance])
    assert described["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated"


@pytest.mark.aws(
    "Auto Scaling",
    "lifecycle hooks",
    "A launch hook does not wait for the instance's SSM agent.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
)
def test_given_a_group_of_the_labs_machines_then_each_has_an_agent_while_it_lives(
    group: Group,
) -> None:
    """The launch hook's event does not wait for the agent, which comes when it comes.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
    """
    role = {"Key": "labswarm:role", "Value": "worker", "PropagateAtLaunch": True}
    group.create(1, hooks=[hook(LAUNCHING)], Tags=[role])
    instance = group.instance("Pending:Wait")
    eventually(lambda: group.emulator.recorded("ssm", what="Online", instance=instance))
    group.terminate(instance, decrement=True)
    eventually(lambda: group.emulator.recorded("ec2", what="ended", instance=instance))


@pytest.mark.aws(
    "Auto Scaling",
    "UpdateAutoScalingGroup",
    "An instance keeps the template version that it was launched with.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html",
)
def test_given_a_new_template_version_then_instances_keep_the_one_they_were_launched_with(
    group: Group,
) -> None:
    """A group on $Latest launches with the newest version; older instances show theirs.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html
    """
    group.create(1, hooks=[])
    old = group.instance("InService")
    latest = {"LaunchTemplateName": group.name, "Version": "$Latest"}
    group.emulator.client("ec2").create_launch_template_version(
        LaunchTemplateName=group.name,
        LaunchTemplateData={"ImageId": "ami-87654321", "InstanceType": "t3.large"},
    )
    group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, LaunchTemplate=latest)
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=2)
    described = group.api.describe_auto_scaling_groups(AutoScalingGroupNames=[group.name])
    instances = described["AutoScalingGroups"][0]["Instances"]
    versions = {i["InstanceId"]: i["LaunchTemplate"]["Version"] for i in instances}
    types = {i["InstanceId"]: i["InstanceType"] for i in instances}
    (new,) = set(versions) - {old}
    assert versions == {old: "1", new: "2"}
    assert types == {old: "t3.medium", new: "t3.large"}


@pytest.mark.aws(
    "Auto Scaling",
    "SetDesiredCapacity",
    "Scaling is asynchronous: a refusal by EC2 is an unsuccessful launch, not an error.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html",
)
def test_given_ec2_refuses_an_instance_then_the_group_says_so_by_an_event_only(
    group: Group,
) -> None:
    """Scaling is asynchronous: SetDesiredCapacity succeeds, and the launch is unsuccessful.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
    """
    group.create(0, hooks=[hook(LAUNCHING)])
    group.emulator.client("ec2").delete_launch_template(LaunchTemplateName=group.name)
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=1)
    unsuccessful = group.event("EC2 Instance Launch Unsuccessful")
    assert unsuccessful["detail"]["StatusCode"] == "Failed"
    assert group.states() == {}
