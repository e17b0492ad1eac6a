"""Groups on the emulator that change size by a metric's target, or by a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import eventually
from tests.support.scaling_group import Group, refused

from labswarm_emulator.autoscaling.crontab import Crontab, NoCrontab
from labswarm_emulator.autoscaling.tracking import Change, Reading, change

MEMORY = "mem_used_percent"


def policy(group: Group, target: float, **more: Any) -> Any:
    """Follow the memory of the group's instances; returns the answer of PutScalingPolicy."""
    return group.api.put_scaling_policy(
        AutoScalingGroupName=group.name,
        PolicyName="memory",
        PolicyType="TargetTrackingScaling",
        EstimatedInstanceWarmup=0,
        TargetTrackingConfiguration={
            "TargetValue": target,
            "CustomizedMetricSpecification": {
                "Namespace": "Emulator/Test",
                "MetricName": MEMORY,
                "Statistic": "Average",
                "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group.name}],
            },
            **more,
        },
    )


def putting(group: Group, value: float) -> Callable[[], None]:
    """Says the memory's use now, each time it is called."""

    def put() -> None:
        dimensions = [{"Name": "AutoScalingGroupName", "Value": group.name}]
        data = {"MetricName": MEMORY, "Dimensions": dimensions, "Value": value}
        group.emulator.client("cloudwatch").put_metric_data(
            Namespace="Emulator/Test", MetricData=[data]
        )

    return put


def serving(group: Group, count: int) -> bool:
    return list(group.states().values()) == ["InService"] * count


def alarms(group: Group) -> list[dict[str, Any]]:
    found = group.emulator.client("cloudwatch").describe_alarms(
        AlarmNamePrefix=f"TargetTracking-{group.name}-"
    )
    listed: list[dict[str, Any]] = found["MetricAlarms"]
    return listed


def read(**changed: Any) -> Reading:
    given: dict[str, Any] = {
        "policy": "p",
        "target": 50,
        "value": 100.0,
        "high": False,
        "low": False,
        "scales_in": True,
    }
    return Reading(**{**given, **changed})


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "PutScalingPolicy",
    "Three minutes over the target raise the capacity in proportion, up to the maximum.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html",
)
def test_a_metric_over_its_target_raises_the_capacity_in_proportion(group: Group) -> None:
    group.create(2, hooks=[], MaxSize=3)
    eventually(lambda: serving(group, 2))
    made = policy(group, 40, DisableScaleIn=True)
    (alarm,) = alarms(group)
    assert alarm["AlarmName"].startswith(f"TargetTracking-{group.name}-AlarmHigh-")
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"]) == (40, 3, 60)
    assert alarm["AlarmActions"] == [made["PolicyARN"]]
    assert [one["AlarmName"] for one in made["Alarms"]] == [alarm["AlarmName"]]

    put = putting(group, 80.0)

    def raised() -> bool:
        put()
        return group.desired == 3

    eventually(raised, within_s=60, every_s=1)
    eventually(lambda: serving(group, 3))
    cause = group.activities()[0]["Cause"]
    assert f"a monitor alarm {alarm['AlarmName']} in state ALARM triggered policy memory" in cause
    assert "changing the desired capacity from 2 to 3" in cause
    group.api.delete_policy(AutoScalingGroupName=group.name, PolicyName="memory")
    assert alarms(group) == []


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "SuspendProcesses",
    "With AlarmNotification suspended an alarm in ALARM changes nothing.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html",
)
def test_a_group_without_alarm_notification_keeps_its_size(group: Group) -> None:
    group.create(1, hooks=[])
    eventually(lambda: serving(group, 1))
    which = {"AutoScalingGroupName": group.name, "ScalingProcesses": ["AlarmNotification"]}
    group.api.suspend_processes(**which)
    policy(group, 40)
    high, low = sorted(alarms(group), key=lambda alarm: alarm["AlarmName"])
    assert (low["Threshold"], low["EvaluationPeriods"]) == (36, 15)
    put = putting(group, 80.0)

    def state() -> str:
        put()
        return str(
            next(a["StateValue"] for a in alarms(group) if a["AlarmName"] == high["AlarmName"])
        )

    eventually(lambda: state() == "ALARM", within_s=60, every_s=1)
    assert group.desired == 1
    group.api.resume_processes(**which)
    eventually(lambda: state() and group.desired == 2, within_s=60, every_s=1)


@pytest.mark.aws(
    "Auto Scaling",
    "target tracking",
    "It shrinks only when all policies that may shrink want to, and while nothing warms up.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html",
)
@pytest.mark.parametrize(
    ("readings", "warming", "wanted"),
    [
        ([read(high=True)], False, Change(8, "p", high=True)),
        ([read(high=True)], True, Change(8, "p", high=True)),
        ([read(high=True, value=None)], False, None),
        ([read(high=True, value=40.0)], False, None),
        ([read(low=True, value=10.0)], False, Change(1, "p", high=False)),
        ([read(low=True, value=10.0)], True, None),
        ([read(low=True, value=10.0, scales_in=False)], False, None),
        ([read(low=True, value=10.0), read(policy="q", value=45.0)], False, None),
        (
            [read(low=True, value=10.0), read(policy="q", low=True, value=30.0)],
            False,
            Change(3, "q", high=False),
        ),
        (
            [read(low=True, value=10.0), read(policy="q", high=True, value=60.0)],
            False,
            Change(5, "q", high=True),
        ),
        (
            [read(low=True, value=10.0), read(policy="q", scales_in=False, value=45.0)],
            False,
            Change(1, "p", high=False),
        ),
    ],
)
def test_the_policies_change_four_instances(
    readings: list[Reading], warming: bool, wanted: Change | None
) -> None:
    assert change(readings, 4, in_service=4, warming=warming) == wanted


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "EnableMetricsCollection",
    "The group's metrics come to CloudWatch each minute, all or those that are named.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html",
)
def test_a_groups_own_metrics_come_each_minute(group: Group) -> None:
    group.create(2, hooks=[], MaxSize=4)
    eventually(lambda: serving(group, 2))
    which = {"AutoScalingGroupName": group.name}
    with refused("no metric GroupMood"):
        group.api.enable_metrics_collection(**which, Granularity="1Minute", Metrics=["GroupMood"])
    group.api.enable_metrics_collection(**which, Granularity="1Minute")
    group.api.disable_metrics_collection(**which, Metrics=["GroupMinSize"])
    enabled = {metric["Metric"] for metric in group.described()["EnabledMetrics"]}
    assert {"GroupInServiceInstances", "GroupMaxSize"} <= enabled
    assert "GroupMinSize" not in enabled

    def latest(metric: str) -> list[float]:
        now = datetime.now(UTC)
        points = group.emulator.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/AutoScaling",
            MetricName=metric,
            Dimensions=[{"Name": "AutoScalingGroupName", "Value": group.name}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return [point["Maximum"] for point in points]

    assert eventually(lambda: latest("GroupInServiceInstances"))[-1] == 2
    assert latest("GroupMaxSize")[-1] == 4
    assert latest("GroupMinSize") == []


@pytest.mark.emulator
@pytest.mark.differs(
    "Auto Scaling",
    "predefined metrics",
    "A policy on ASGAverageCPUUtilization has an alarm that stays in INSUFFICIENT_DATA.",
    "The lab's machines publish no metrics of EC2's; one that is put by someone is followed.",
)
def test_a_policy_on_cpu_waits_for_somebody_to_measure_it(group: Group) -> None:
    group.create(0, hooks=[])
    group.api.put_scaling_policy(
        AutoScalingGroupName=group.name,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 70,
            "DisableScaleIn": True,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        },
    )
    (alarm,) = alarms(group)
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/EC2", "CPUUtilization")
    assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": group.name}]
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    (described,) = group.api.describe_policies(AutoScalingGroupName=group.name)["ScalingPolicies"]
    assert described["Alarms"][0]["AlarmName"] == alarm["AlarmName"]


@pytest.mark.emulator
@pytest.mark.absent(
    "Auto Scaling",
    "other scaling policies",
    "PutScalingPolicy answers ValidationError for simple, step and predictive ones, and for math.",
)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}, "no SimpleScaling"),
        ({"PolicyType": "StepScaling"}, "no StepScaling"),
        ({"PolicyType": "PredictiveScaling"}, "no PredictiveScaling"),
        (
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "TargetValue": 1,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ALBRequestCountPerTarget"
                    },
                },
            },
            "no ALBRequestCountPerTarget",
        ),
        (
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {"TargetValue": 1},
            },
            "either a PredefinedMetricSpecification or a",
        ),
    ],
)
def test_another_policy_is_refused(group: Group, given: dict[str, Any], said: str) -> None:
    group.create(0, hooks=[])
    with refused(said):
        group.api.put_scaling_policy(AutoScalingGroupName=group.name, PolicyName="p", **given)
    assert group.api.describe_policies(AutoScalingGroupName=group.name)["ScalingPolicies"] == []


def schedule(group: Group, name: str = "bell", **more: Any) -> None:
    group.api.put_scheduled_update_group_action(
        AutoScalingGroupName=group.name, ScheduledActionName=name, **more
    )


def described(group: Group) -> list[str]:
    found = group.api.describe_scheduled_actions(AutoScalingGroupName=group.name)
    return [action["ScheduledActionName"] for action in found["ScheduledUpdateGroupActions"]]


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "PutScheduledUpdateGroupAction",
    "At its time it sets the sizes it names; a time of its own is described no more after it.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html",
)
def test_a_scheduled_action_sets_the_sizes_at_its_time(group: Group) -> None:
    group.create(0, hooks=[], MaxSize=1)
    at = datetime.now(UTC) + timedelta(seconds=2)
    schedule(group, StartTime=at, MinSize=1, MaxSize=3, DesiredCapacity=2)
    assert described(group) == ["bell"]
    eventually(lambda: serving(group, 2))
    found = group.described()
    assert (found["MinSize"], found["MaxSize"], found["DesiredCapacity"]) == (1, 3, 2)
    assert (
        "a scheduled action update of AutoScalingGroup constraints to min: 1, max: 3"
        in (group.activities()[0]["Cause"])
    )
    eventually(lambda: described(group) == [])


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "SuspendProcesses",
    "With ScheduledActions suspended an action's time passes without it.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html",
)
def test_a_suspended_groups_action_is_passed_over(group: Group) -> None:
    group.create(0, hooks=[])
    which = {"AutoScalingGroupName": group.name, "ScalingProcesses": ["ScheduledActions"]}
    group.api.suspend_processes(**which)
    schedule(group, StartTime=datetime.now(UTC) + timedelta(seconds=2), DesiredCapacity=2)
    eventually(lambda: described(group) == [])
    group.api.resume_processes(**which)
    assert group.desired == 0


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "PutScheduledUpdateGroupAction",
    "Refused: no size, no time, a time that is past or taken, no crontab, no such zone.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html",
)
def test_an_action_that_could_not_run_is_refused(group: Group) -> None:
    group.create(0, hooks=[])
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    past = later - timedelta(days=1)
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"StartTime": later}, "MinSize, MaxSize or DesiredCapacity"),
        ({"MinSize": 1}, "StartTime or Recurrence"),
        ({"MinSize": 1, "StartTime": past}, "Given start time is in the past"),
        ({"MinSize": 1, "StartTime": later, "EndTime": later}, "End time must be after"),
        ({"MinSize": 1, "Recurrence": "0 8 * *"}, "has not five fields"),
        ({"MinSize": 1, "Recurrence": "0 8 * * *", "TimeZone": "Mars/One"}, "Mars/One"),
        ({"MinSize": 2, "MaxSize": 1, "StartTime": later}, "Max bound must be greater"),
    ]
    for given, said in refusals:
        with refused(said):
            schedule(group, **given)
    schedule(group, StartTime=later, MinSize=1)
    with pytest.raises(ClientError, match=r"\(AlreadyExists\)"):
        schedule(group, "other", StartTime=later, MinSize=1)
    assert described(group) == ["bell"]
    group.api.delete_scheduled_action(AutoScalingGroupName=group.name, ScheduledActionName="bell")
    with refused("Scheduled action name not found"):
        group.api.delete_scheduled_action(
            AutoScalingGroupName=group.name, ScheduledActionName="bell"
        )


@pytest.mark.aws(
    "Auto Scaling",
    "Recurrence",
    "Five crontab fields in a time zone; with both kinds of day, either is enough.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html",
)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 8 * * *", ["11-23 08:30", "11-24 08:30"]),
        ("0 8 * * MON", ["11-23 08:00"]),
        ("0 8 * * 2-4", ["11-24 08:00"]),
        ("0 8 * * 0,7", []),
        ("0 8 24 * 1", ["11-23 08:00", "11-24 08:00"]),
        ("0 */12 23 NOV *", ["11-23 00:00", "11-23 12:00"]),
    ],
)
def test_a_crontab_expression_fires(expression: str, expected: list[str]) -> None:
    """2026-11-23 is a Monday."""
    crontab = Crontab.parse(expression)
    begin = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    minutes = (begin + timedelta(minutes=n) for n in range(2 * 1440))
    assert [f"{at:%m-%d %H:%M}" for at in minutes if crontab.fires_in(at)] == expected


@pytest.mark.parametrize("expression", ["", "* * * *", "60 * * * *", "* * 0 * *", "a * * * *"])
def test_a_bad_crontab_expression_is_refused(expression: str) -> None:
    with pytest.raises(NoCrontab):
        Crontab.parse(expression)
