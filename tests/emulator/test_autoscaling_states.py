"""Instances of a group: standby, detached, retained, unhealthy, and not terminable."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.scaling_group import LAUNCHING, TERMINATING, Group, hook, refused

pytestmark = pytest.mark.emulator

UNKNOWN = "i-0123456789abcdef0"
ROLE = "arn:aws:iam::123456789012:role/notified"
RETAIN = {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}


def serving(group: Group, count: int) -> list[str]:
    """So many instances in service; waited for."""
    return eventually(
        lambda: list(group.states().values()) == ["InService"] * count and list(group.states())
    )


@pytest.mark.aws(
    "Auto Scaling",
    "EnterStandby",
    "An instance on standby is no part of the capacity; it comes back through its launch hook.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html",
)
def test_an_instance_goes_on_standby_and_comes_back_by_its_hook(group: Group) -> None:
    group.create(1, hooks=[])
    (instance,) = serving(group, 1)
    entered = group.api.enter_standby(
        AutoScalingGroupName=group.name,
        InstanceIds=[instance],
        ShouldDecrementDesiredCapacity=True,
    )["Activities"]
    assert entered[0]["Description"] == f"Moving EC2 instance to Standby: {instance}"
    assert group.states() == {instance: "Standby"}
    assert group.desired == 0
    group.api.put_lifecycle_hook(AutoScalingGroupName=group.name, **hook(LAUNCHING))
    group.api.exit_standby(AutoScalingGroupName=group.name, InstanceIds=[instance])
    assert group.desired == 1
    assert group.states() == {instance: "Pending:Wait"}
    group.complete("launch", InstanceId=instance)
    serving(group, 1)
    seen = group.past(instance)
    assert seen[seen.index("InService") + 1 :] == [
        "EnteringStandby",
        "Standby",
        "Pending",
        "Pending:Wait",
        "Pending:Proceed",
        "InService",
    ]


@pytest.mark.aws(
    "Auto Scaling",
    "EnterStandby",
    "Without decrement the instance is replaced; its health is not the group's business.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnterStandby.html",
)
def test_an_instance_on_standby_is_replaced_without_decrement_and_left_alone(group: Group) -> None:
    group.create(1, hooks=[])
    (instance,) = serving(group, 1)
    group.api.enter_standby(
        AutoScalingGroupName=group.name,
        InstanceIds=[instance],
        ShouldDecrementDesiredCapacity=False,
    )
    eventually(lambda: sorted(group.states().values()) == ["InService", "Standby"])
    group.emulator.client("ec2").stop_instances(InstanceIds=[instance])
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=0)
    eventually(lambda: group.states() == {instance: "Standby"})


@pytest.mark.aws(
    "Auto Scaling",
    "EnterStandby, ExitStandby",
    "ValidationError for the wrong state, a foreign instance, and sizes that do not allow it.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExitStandby.html",
)
def test_standby_is_refused_where_state_or_sizes_do_not_allow_it(group: Group) -> None:
    group.create(1, hooks=[], MinSize=1, MaxSize=1)
    (instance,) = serving(group, 1)
    with refused(f"The instance {instance} is not in Standby."):
        group.api.exit_standby(AutoScalingGroupName=group.name, InstanceIds=[instance])
    enter = {"AutoScalingGroupName": group.name, "InstanceIds": [instance]}
    with refused("has min-size=1, max-size=1, and desired-size=1. To place into standby 1 inst"):
        group.api.enter_standby(**enter, ShouldDecrementDesiredCapacity=True)
    with refused(f"The instance {UNKNOWN} is not part of Auto Scaling group {group.name}."):
        group.api.enter_standby(
            **{**enter, "InstanceIds": [UNKNOWN]}, ShouldDecrementDesiredCapacity=True
        )
    group.api.enter_standby(**enter, ShouldDecrementDesiredCapacity=False)
    with refused("To exit from standby 1 instance, please update the AutoScalingGroup sizes"):
        group.api.exit_standby(**enter)
    with refused("is not in InService"):
        group.api.enter_standby(**enter, ShouldDecrementDesiredCapacity=False)


@pytest.mark.aws(
    "Auto Scaling",
    "DetachInstances, AttachInstances",
    "A detached instance lives on, runs no hook and loses its tag; attached it is counted again.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html",
)
def test_an_instance_is_detached_alive_and_attached_again(group: Group) -> None:
    group.create(1, hooks=[hook(TERMINATING)], MaxSize=1)
    (instance,) = serving(group, 1)
    ids = {"AutoScalingGroupName": group.name, "InstanceIds": [instance]}
    group.api.detach_instances(**ids, ShouldDecrementDesiredCapacity=True)
    assert group.states() == {}
    assert group.past(instance)[-2:] == ["Detaching", "Detached"]
    described = group.ec2(instance)
    assert described["State"]["Name"] == "running"
    assert "aws:autoscaling:groupName" not in {tag["Key"] for tag in described["Tags"]}
    group.api.attach_instances(**ids)
    assert serving(group, 1) == [instance]
    assert group.desired == 1
    with refused("is already part of"):
        group.api.attach_instances(**ids)
    with refused("Invalid Instances: " + UNKNOWN):
        group.api.attach_instances(AutoScalingGroupName=group.name, InstanceIds=[UNKNOWN])
    group.api.detach_instances(**ids, ShouldDecrementDesiredCapacity=False)
    assert len(group.states()) == 1, "it is replaced at once"
    with refused("To attach 1 instance, please update the AutoScalingGroup sizes"):
        group.api.attach_instances(**ids)
    group.emulator.client("ec2").terminate_instances(InstanceIds=[instance])


@pytest.mark.aws(
    "Auto Scaling",
    "InstanceLifecyclePolicy",
    "With TerminateHookAbandon retain an abandoned instance stays, uncounted, until it is ended.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/manage-retained-instances.html",
)
@pytest.mark.parametrize("by", ["ABANDON", "timeout"])
def test_an_instance_whose_end_is_abandoned_is_retained(group: Group, by: str) -> None:
    timeout: dict[str, Any] = (
        {"HeartbeatTimeout": 30, "DefaultResult": "ABANDON"} if by == "timeout" else {}
    )
    hooks = [hook(TERMINATING, **timeout)]
    group.create(1, hooks=hooks, InstanceLifecyclePolicy=RETAIN)
    assert group.described()["InstanceLifecyclePolicy"] == RETAIN
    (instance,) = serving(group, 1)
    group.terminate(instance, decrement=False)
    if by == "ABANDON":
        group.complete("terminate", "ABANDON", InstanceId=instance)
    eventually(lambda: group.states().get(instance) == "Terminating:Retained")
    assert group.past(instance)[-3:] == [
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminating:Retained",
    ]
    assert group.ec2(instance)["State"]["Name"] == "running"
    assert group.desired == 1
    assert len(group.states()) == 2

    group.terminate(instance, decrement=True)
    eventually(lambda: instance not in group.states())
    assert group.past(instance).count("Terminating:Wait") == 1
    assert group.desired == 1
    group.event("EC2 Instance Terminate Successful", EC2InstanceId=instance)


@pytest.mark.aws(
    "Auto Scaling",
    "InstanceLifecyclePolicy",
    "Without the policy, or with terminate, an abandoned instance ends; so does a continued one.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/configure-instance-retention.html",
)
@pytest.mark.parametrize(
    ("policy", "result"),
    [
        ({}, "ABANDON"),
        ({"RetentionTriggers": {"TerminateHookAbandon": "terminate"}}, "ABANDON"),
        (RETAIN, "CONTINUE"),
    ],
)
def test_an_instance_is_not_retained_otherwise(
    group: Group, policy: dict[str, Any], result: str
) -> None:
    group.create(1, hooks=[hook(TERMINATING)])
    if policy:
        group.api.update_auto_scaling_group(
            AutoScalingGroupName=group.name, InstanceLifecyclePolicy=policy
        )
    (instance,) = serving(group, 1)
    group.terminate(instance, decrement=True)
    group.complete("terminate", result, InstanceId=instance)
    eventually(lambda: not group.states())


@pytest.mark.aws(
    "Auto Scaling",
    "SetInstanceHealth",
    "An instance called unhealthy goes by its terminate hook and is replaced.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html",
)
def test_an_instance_called_unhealthy_is_replaced(group: Group) -> None:
    group.create(1, hooks=[hook(TERMINATING)])
    (instance,) = serving(group, 1)
    group.api.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")
    states = group.states()
    assert states.pop(instance) == "Terminating:Wait"
    assert len(states) == 1
    shown = group.api.describe_auto_scaling_instances(InstanceIds=[instance])
    assert shown["AutoScalingInstances"][0]["HealthStatus"].upper() == "UNHEALTHY"
    causes = [activity["Cause"] for activity in group.activities()]
    assert sum(c.endswith("in response to a user health-check.") for c in causes) == 2
    with refused("Valid instance health states are: [Healthy, Unhealthy]."):
        group.api.set_instance_health(InstanceId=instance, HealthStatus="Poorly")
    with refused(f"No managed instance found for instance ID: {UNKNOWN}"):
        group.api.set_instance_health(InstanceId=UNKNOWN, HealthStatus="Healthy")


@pytest.mark.aws(
    "Auto Scaling",
    "SetInstanceHealth",
    "Within the group's grace period it changes nothing, without ShouldRespectGracePeriod=false.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html",
)
def test_the_grace_period_is_respected_by_default(group: Group) -> None:
    group.create(1, hooks=[], HealthCheckGracePeriod=7200)
    (instance,) = serving(group, 1)
    group.api.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")
    assert group.states() == {instance: "InService"}
    group.api.set_instance_health(
        InstanceId=instance, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    assert group.states()[instance].startswith("Terminating")


@pytest.mark.aws(
    "Auto Scaling",
    "health checks",
    "An instance stopped in EC2 fails its health check: it is ended and replaced.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html",
)
def test_a_stopped_instance_is_replaced(group: Group) -> None:
    group.create(1, hooks=[])
    (instance,) = serving(group, 1)
    group.emulator.client("ec2").stop_instances(InstanceIds=[instance])
    (other,) = eventually(lambda: instance not in group.states() and list(group.states()))
    assert other != instance
    assert group.ec2(instance)["State"]["Name"] == "terminated"


@pytest.mark.differs(
    "Auto Scaling",
    "health checks",
    "An instance that EC2 ends is noticed at once, and status checks are always passed.",
    "AWS looks about once a minute; a test has its own way of making an instance fail.",
)
def test_an_ended_instance_is_noticed_at_once(group: Group) -> None:
    group.create(1, hooks=[hook(TERMINATING)])
    (instance,) = serving(group, 1)
    group.emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    assert group.states()[instance] == "Terminating:Wait"


@pytest.mark.aws(
    "Auto Scaling",
    "SuspendProcesses",
    "Launch, Terminate, HealthCheck and ReplaceUnhealthy each stop, and catch up when resumed.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html",
)
@pytest.mark.parametrize("process", ["Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"])
def test_a_suspended_process_does_nothing_until_it_is_resumed(group: Group, process: str) -> None:
    group.create(1, hooks=[])
    (instance,) = serving(group, 1)
    which = {"AutoScalingGroupName": group.name, "ScalingProcesses": [process]}
    group.api.suspend_processes(**which)
    (shown,) = group.described()["SuspendedProcesses"]
    assert shown["ProcessName"] == process
    assert shown["SuspensionReason"].startswith("User suspended at ")
    if process in ("Launch", "Terminate"):
        wanted = 2 if process == "Launch" else 0
        group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=wanted)
        assert group.desired == wanted
    else:
        group.emulator.client("ec2").stop_instances(InstanceIds=[instance])
    assert group.states() == {instance: "InService"}
    (described,) = group.described()["Instances"]
    assert described["HealthStatus"] == (
        "Unhealthy" if process == "ReplaceUnhealthy" else "Healthy"
    )

    group.api.resume_processes(**which)
    assert group.described()["SuspendedProcesses"] == []
    if process == "Launch":
        serving(group, 2)
    else:
        eventually(lambda: instance not in group.states())
        assert len(group.states()) == (0 if process == "Terminate" else 1)


@pytest.mark.aws(
    "Auto Scaling",
    "SuspendProcesses",
    "No process named is all of them; an unknown one is refused with ValidationError.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SuspendProcesses.html",
)
def test_all_processes_are_suspended_when_none_is_named(group: Group) -> None:
    group.create(0, hooks=[])
    group.api.suspend_processes(AutoScalingGroupName=group.name)
    shown = {process["ProcessName"] for process in group.described()["SuspendedProcesses"]}
    assert shown == {
        "Launch",
        "Terminate",
        "AddToLoadBalancer",
        "AlarmNotification",
        "AZRebalance",
        "HealthCheck",
        "InstanceRefresh",
        "ReplaceUnhealthy",
        "ScheduledActions",
    }
    with refused("Dawdle"):
        group.api.suspend_processes(AutoScalingGroupName=group.name, ScalingProcesses=["Dawdle"])
    group.api.resume_processes(AutoScalingGroupName=group.name)
    assert group.described()["SuspendedProcesses"] == []


@pytest.mark.aws(
    "Auto Scaling",
    "SetInstanceProtection",
    "Only an instance in service or on standby is protected; another is refused.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html",
)
def test_an_instance_that_is_not_in_service_yet_is_not_protected(group: Group) -> None:
    group.create(1, hooks=[hook(LAUNCHING)], NewInstancesProtectedFromScaleIn=True)
    instance = group.instance("Pending:Wait")

    def protect(instance_id: str) -> None:
        group.api.set_instance_protection(
            AutoScalingGroupName=group.name, InstanceIds=[instance_id], ProtectedFromScaleIn=False
        )

    with refused(f"The instance {instance} is not in InService or EnteringStandby or Standby."):
        protect(instance)
    with refused(f"The instance {UNKNOWN} is not part of Auto Scaling group {group.name}."):
        protect(UNKNOWN)
    (described,) = group.described()["Instances"]
    assert described["ProtectedFromScaleIn"]
    group.complete("launch", InstanceId=instance)
    serving(group, 1)
    protect(instance)
    (described,) = group.described()["Instances"]
    assert not described["ProtectedFromScaleIn"]


@pytest.fixture
def unending(emulator: RunningEmulator) -> Iterator[Callable[[str], None]]:
    """Has EC2 not end an instance, until the test is over."""
    url = f"{emulator.url}/_emulator/faults/termination"

    def put(instance: str) -> None:
        assert urllib3.request("PUT", url, json={"instances": [instance]}).status == 200

    yield put
    urllib3.request("DELETE", url, timeout=10)


@pytest.mark.aws(
    "Auto Scaling",
    "events",
    "EC2 Instance Terminate Unsuccessful when EC2 does not end an instance; it is tried again.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html",
)
def test_a_failed_termination_sends_an_event_and_is_retried(
    emulator: RunningEmulator, group: Group, unending: Callable[[str], None]
) -> None:
    group.create(1, hooks=[])
    (instance,) = serving(group, 1)
    unending(instance)
    group.terminate(instance, decrement=True)
    notice = group.event("EC2 Instance Terminate Unsuccessful", EC2InstanceId=instance)
    assert notice["detail"]["StatusCode"] == "Failed"
    assert (notice["detail"]["Origin"], notice["detail"]["Destination"]) == (
        "AutoScalingGroup",
        "EC2",
    )
    assert group.states() == {instance: "Terminating:Proceed"}
    urllib3.request("DELETE", f"{emulator.url}/_emulator/faults/termination", timeout=10)
    eventually(lambda: not group.states())
    group.event("EC2 Instance Terminate Successful", EC2InstanceId=instance)


@pytest.mark.aws(
    "Auto Scaling",
    "DescribeScalingActivities",
    "Each launch and end is an activity, with its cause, status, place and times, latest first.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html",
)
def test_a_groups_activities_are_listed(group: Group) -> None:
    group.create(1, hooks=[hook(LAUNCHING)])
    instance = group.instance("Pending:Wait")
    (launch,) = group.activities()
    assert launch["StatusCode"] == "MidLifecycleAction"
    assert launch["Description"] == f"Launching a new EC2 instance: {instance}"
    assert "desired capacity from 0 to 1" in launch["Cause"]
    assert json.loads(launch["Details"])["Availability Zone"] == "eu-west-1a"
    assert "EndTime" not in launch
    group.complete("launch", InstanceId=instance)
    serving(group, 1)
    (launch,) = group.activities()
    assert (launch["StatusCode"], launch["Progress"]) == ("Successful", 100)
    assert launch["EndTime"] >= launch["StartTime"]
    notice = group.event("EC2 Instance Launch Successful")["detail"]
    assert notice["ActivityId"] == launch["ActivityId"]

    answer = group.api.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=True
    )
    assert answer["Activity"]["StatusCode"] == "InProgress"
    assert "shrinking the capacity from 1 to 0." in answer["Activity"]["Cause"]
    eventually(lambda: not group.states())
    assert [activity["StatusCode"] for activity in group.activities()] == ["Successful"] * 2
    assert group.activities()[0]["Description"] == f"Terminating EC2 instance: {instance}"
    page = group.api.describe_scaling_activities(AutoScalingGroupName=group.name, MaxRecords=1)
    rest = group.api.describe_scaling_activities(
        AutoScalingGroupName=group.name, NextToken=page["NextToken"]
    )
    assert page["Activities"] + rest["Activities"] == group.activities()


@pytest.mark.aws(
    "Auto Scaling",
    "DescribeScalingActivities",
    "An abandoned launch is Cancelled, and its message names the lifecycle action's token.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-lifecycle-hooks.html",
)
def test_an_abandoned_launch_is_a_cancelled_activity(group: Group) -> None:
    group.create(1, hooks=[hook(LAUNCHING)])
    instance = group.instance("Pending:Wait")
    token = group.event("EC2 Instance-launch Lifecycle Action")["detail"]["LifecycleActionToken"]
    group.api.suspend_processes(AutoScalingGroupName=group.name, ScalingProcesses=["Launch"])
    group.complete("launch", "ABANDON", LifecycleActionToken=token)
    (cancelled,) = [a for a in group.activities() if a["StatusCode"] == "Cancelled"]
    assert f"Lifecycle Action with token {token} was abandoned" in cancelled["StatusMessage"]
    eventually(lambda: instance not in group.states())


@pytest.mark.aws(
    "Auto Scaling",
    "PutLifecycleHook",
    "A hook's queue is sent a test notification, and then one for each instance that waits.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html",
)
def test_a_hooks_queue_gets_a_test_and_then_notifications(
    emulator: RunningEmulator, group: Group, name: str
) -> None:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName=f"{name}-hook")["QueueUrl"]
    target = f"arn:aws:sqs:eu-west-1:123456789012:{name}-hook"
    group.create(0, hooks=[])
    notified = hook(LAUNCHING, NotificationTargetARN=target, RoleARN=ROLE)
    group.api.put_lifecycle_hook(AutoScalingGroupName=group.name, **notified)

    def next_message() -> dict[str, Any]:
        (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        notice: dict[str, Any] = json.loads(message["Body"])
        return notice

    tested = next_message()
    assert tested["Event"] == "autoscaling:TEST_NOTIFICATION"
    assert tested["Service"] == "AWS Auto Scaling"
    assert tested["AutoScalingGroupName"] == group.name
    assert tested["AutoScalingGroupARN"] == group.described()["AutoScalingGroupARN"]
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=1)
    notice = next_message()
    event = group.event("EC2 Instance-launch Lifecycle Action")["detail"]
    assert event.items() <= notice.items()
    assert notice["AccountId"] == "123456789012"
    (described,) = group.api.describe_lifecycle_hooks(AutoScalingGroupName=group.name)[
        "LifecycleHooks"
    ]
    assert (described["NotificationTargetARN"], described["RoleARN"]) == (target, ROLE)
    group.complete("launch", LifecycleActionToken=notice["LifecycleActionToken"])


@pytest.mark.aws(
    "Auto Scaling",
    "PutLifecycleHook",
    "An unreachable target, a hook without transition or with odd values: ValidationError.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html",
)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"NotificationTargetARN": "arn:aws:sqs:eu-west-1:123456789012:none", "RoleARN": ROLE},
            "Unable to publish test message to notification target",
        ),
        ({"NotificationTargetARN": "arn:aws:sqs:eu-west-1:123456789012:q"}, "RoleARN"),
        ({"LifecycleTransition": "autoscaling:NEVER"}, "LifecycleTransition"),
        ({"HeartbeatTimeout": 29}, "HeartbeatTimeout"),
        ({"HeartbeatTimeout": 7201}, "HeartbeatTimeout"),
        ({"DefaultResult": "WAIT"}, "DefaultResult"),
    ],
)
def test_a_hook_that_could_not_work_is_refused(
    group: Group, changed: dict[str, Any], said: str
) -> None:
    group.create(0, hooks=[])
    with refused(said):
        group.api.put_lifecycle_hook(
            AutoScalingGroupName=group.name, **{**hook(LAUNCHING), **changed}
        )
    described = group.api.describe_lifecycle_hooks(AutoScalingGroupName=group.name)
    assert described["LifecycleHooks"] == []


@pytest.mark.aws(
    "Auto Scaling",
    "PutLifecycleHook",
    "Put again it changes what is given and keeps the rest; a group has at most 50 hooks.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html",
)
def test_a_hook_is_changed_and_there_are_fifty_at_most(group: Group) -> None:
    many = [hook(LAUNCHING, f"h{n}") for n in range(49)]
    group.create(0, hooks=[*many, hook(TERMINATING, DefaultResult="CONTINUE")])
    group.api.put_lifecycle_hook(
        AutoScalingGroupName=group.name, LifecycleHookName="terminate", HeartbeatTimeout=60
    )
    (changed,) = group.api.describe_lifecycle_hooks(
        AutoScalingGroupName=group.name, LifecycleHookNames=["terminate"]
    )["LifecycleHooks"]
    assert changed["HeartbeatTimeout"] == 60
    assert changed["DefaultResult"] == "CONTINUE"
    assert changed["LifecycleTransition"] == TERMINATING
    assert "NotificationTargetARN" not in changed
    with pytest.raises(ClientError, match=r"\(LimitExceeded\)"):
        group.api.put_lifecycle_hook(AutoScalingGroupName=group.name, **hook(LAUNCHING, "h50"))
    group.api.delete_lifecycle_hook(AutoScalingGroupName=group.name, LifecycleHookName="h0")
    with refused("No Lifecycle Hook found with name h0"):
        group.api.delete_lifecycle_hook(AutoScalingGroupName=group.name, LifecycleHookName="h0")
