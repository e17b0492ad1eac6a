"""Scaling policies: target tracking, by alarms that the group keeps for itself.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
Differences from AWS: simple, step and predictive policies are refused, as are metric math and the
request count of a load balancer; a policy looks at its alarms each minute.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScalingPolicy
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.cloudwatch.models import Alarm, CloudWatchBackend, Statistics, cloudwatch_backends
from moto.core.responses import ActionResult, EmptyResult

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.lookup import group_of
from labswarm_emulator.autoscaling.processes import suspended
from labswarm_emulator.autoscaling.states import counted
from labswarm_emulator.autoscaling.tracking import Reading, change
from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

TRACKING = "TargetTrackingScaling"
PREDEFINED = {
    "ASGAverageCPUUtilization": "CPUUtilization",
    "ASGAverageNetworkIn": "NetworkIn",
    "ASGAverageNetworkOut": "NetworkOut",
}
"""Metrics of AWS/EC2, averaged over a group."""
HIGH_PERIODS, LOW_PERIODS, LOW_SHARE = 3, 15, 0.9
"""It is high for three minutes, or low for fifteen and by a tenth, before anything is done."""
MINUTE_S = 60


class Policies:
    """The target tracking policies of the emulator's groups."""

    def __init__(self, emulator: Emulator, groups: Groups) -> None:
        self._emulator = emulator
        self._groups = groups

    @property
    def _cloudwatch(self) -> CloudWatchBackend:
        return cloudwatch_backends[ACCOUNT][REGION]

    def install(self) -> None:
        """Keep policies by group and name, which moto keeps by name alone, with their alarms."""

        def put_scaling_policy(api: Api) -> ActionResult:
            group, given = group_of(api), api._get_params()
            configuration = _checked(given)
            backend, key = api.autoscaling_backend, f"{group.name}/{given['PolicyName']}"
            if key in backend.policies:
                self._forget(backend, key)
            policy = FakeScalingPolicy(
                given["PolicyName"],
                TRACKING,
                None,
                None,
                group.name,
                None,
                None,
                None,
                configuration,
                [],
                given.get("EstimatedInstanceWarmup"),
                None,
                backend,
            )
            policy.alarms = self._make_alarms(group, policy, configuration)
            backend.policies[key] = policy
            return ActionResult({"PolicyARN": policy.arn, "Alarms": policy.alarms})

        def delete_policy(api: Api) -> EmptyResult:
            name = api._get_param("PolicyName")
            key = f"{group_of(api).name}/{name}"
            if key not in api.autoscaling_backend.policies:
                raise ValidationError(f"No scaling policy found with name {name}")
            self._forget(api.autoscaling_backend, key)
            return EmptyResult()

        Api.put_scaling_policy = put_scaling_policy
        Api.delete_policy = delete_policy

    def run(self, backend: AutoScalingBackend) -> None:
        """Change the capacity of the groups whose alarms say so; to be called each minute."""
        with self._groups.lock:
            for key, policy in list(backend.policies.items()):
                if policy.auto_scaling_group_name not in backend.autoscaling_groups:
                    self._forget(backend, key)
        for group in list(backend.autoscaling_groups.values()):
            with self._groups.lock:
                if not suspended(group, "AlarmNotification"):
                    self._track(group, backend)

    def _track(self, group: FakeAutoScalingGroup, backend: AutoScalingBackend) -> None:
        policies = {
            policy.name: policy
            for policy in backend.policies.values()
            if policy.auto_scaling_group_name == group.name
        }
        warm = [i for i in counted(group) if self._is_warm(group, i.instance_id, policies)]
        wanted = change(
            [self._reading(policy) for policy in policies.values()],
            group.desired_capacity,
            in_service=len(warm),
            warming=len(warm) < len(counted(group)),
        )
        if wanted is None:
            return
        before = group.desired_capacity
        capacity = max(group.min_size, min(group.max_size, wanted.capacity))
        if capacity == before:
            return
        alarm = policies[wanted.policy].alarms[0 if wanted.high else -1]["AlarmName"]
        group.desired_capacity = capacity
        cause = (
            f"At {now()} a monitor alarm {alarm} in state ALARM triggered policy {wanted.policy} "
            f"changing the desired capacity from {before} to {capacity}."
        )
        self._emulator.record.write(
            "autoscaling", "tracked", group=group.name, policy=wanted.policy, desired=capacity
        )
        self._groups.reconcile(group, cause)

    def _is_warm(
        self, group: FakeAutoScalingGroup, instance_id: str, policies: dict[str, FakeScalingPolicy]
    ) -> bool:
        since = self._groups.in_service_since.get(instance_id)
        own = [p.estimated_instance_warmup for p in policies.values()]
        given = [int(s) for s in (*own, group.default_instance_warmup) if s is not None]
        warmup_s = self._emulator.clock.real(max(given, default=group.default_cooldown))
        return since is not None and self._emulator.clock.now() - since >= warmup_s

    def _reading(self, policy: FakeScalingPolicy) -> Reading:
        alarms = [self._cloudwatch.alarms.get(one["AlarmName"]) for one in policy.alarms]
        in_alarm = [alarm is not None and alarm.state_value == "ALARM" for alarm in alarms]
        configuration = policy.target_tracking_configuration
        scales_in = len(alarms) > 1
        return Reading(
            policy.name,
            float(configuration.TargetValue),
            self._value(alarms[0]) if alarms[0] is not None else None,
            high=in_alarm[0],
            low=scales_in and in_alarm[-1],
            scales_in=scales_in,
        )

    def _value(self, alarm: Alarm) -> float | None:
        """The alarm's metric over the latest minute that has any data of it."""
        dimensions = {(wanted.name, wanted.value) for wanted in alarm.dimensions}
        data = [
            datum
            for datum in list(self._cloudwatch.metric_data)
            if (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
            and {(given.name, given.value) for given in datum.dimensions} == dimensions
        ]
        if not data:
            return None
        latest = max(_epoch(datum.timestamp) for datum in data)
        since = latest - self._emulator.clock.real(MINUTE_S)
        statistics = Statistics([alarm.statistic], datetime.fromtimestamp(latest, UTC))
        statistics.metric_data = [d for d in data if _epoch(d.timestamp) > since]
        return float(statistics.get_statistics_for_type(alarm.statistic))

    def _make_alarms(
        self, group: FakeAutoScalingGroup, policy: FakeScalingPolicy, configuration: dict[str, Any]
    ) -> list[dict[str, str]]:
        """The policy's high alarm, and unless it only scales out its low one."""
        target = float(configuration["TargetValue"])
        kinds = [("High", "GreaterThanThreshold", target, HIGH_PERIODS)]
        if not configuration.get("DisableScaleIn"):
            kinds.append(("Low", "LessThanThreshold", LOW_SHARE * target, LOW_PERIODS))
        made = []
        for kind, comparison, threshold, periods in kinds:
            alarm = self._cloudwatch.put_metric_alarm(
                name=f"TargetTracking-{group.name}-Alarm{kind}-{uuid.uuid4()}",
                comparison_operator=comparison,
                evaluation_periods=periods,
                period=MINUTE_S,
                threshold=threshold,
                description=f"DO NOT EDIT OR DELETE. For {TRACKING} policy {policy.arn}.",
                alarm_actions=[],
                **_metric(group, configuration),
            )
            # The policy looks at its alarms itself; they need to call no action.
            alarm.alarm_actions = [policy.arn]
            made.append({"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn})
        return made

    def _forget(self, backend: AutoScalingBackend, key: str) -> None:
        policy = backend.policies.pop(key)
        self._cloudwatch.delete_alarms([alarm["AlarmName"] for alarm in policy.alarms])


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a policy that is followed here. Raises ValidationError."""
    if given.get("PolicyType") != TRACKING:
        kind = given.get("PolicyType", "SimpleScaling")
        raise ValidationError(f"This emulator has target tracking policies only, and no {kind}.")
    configuration: dict[str, Any] = given.get("TargetTrackingConfiguration") or {}
    custom = configuration.get("CustomizedMetricSpecification")
    predefined = configuration.get("PredefinedMetricSpecification")
    if bool(custom) == bool(predefined):
        raise ValidationError(
            "You must specify either a PredefinedMetricSpecification or a "
            "CustomizedMetricSpecification."
        )
    if custom and custom.get("Metrics"):
        raise ValidationError("This emulator has no metric math.")
    if predefined and predefined["PredefinedMetricType"] not in PREDEFINED:
        raise ValidationError(f"This emulator has no {predefined['PredefinedMetricType']}.")
    if float(configuration.get("TargetValue") or 0) <= 0:
        raise ValidationError("TargetValue must be greater than 0.")
    return configuration


def _metric(group: FakeAutoScalingGroup, configuration: dict[str, Any]) -> dict[str, Any]:
    predefined = configuration.get("PredefinedMetricSpecification")
    if predefined:
        return {
            "namespace": "AWS/EC2",
            "metric_name": PREDEFINED[predefined["PredefinedMetricType"]],
            "statistic": "Average",
            "dimensions": [{"Name": "AutoScalingGroupName", "Value": group.name}],
        }
    custom = configuration["CustomizedMetricSpecification"]
    return {
        "namespace": custom["Namespace"],
        "metric_name": custom["MetricName"],
        "statistic": custom["Statistic"],
        "dimensions": custom.get("Dimensions") or [],
    }


def _epoch(at: datetime) -> float:
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
