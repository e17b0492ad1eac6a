"""A group's metrics in CloudWatch, each minute, of those that are enabled.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
"""

from collections import Counter

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import EmptyResult

from labswarm_emulator.autoscaling.lookup import group_of
from labswarm_emulator.autoscaling.states import RETAINED

NAMESPACE = "AWS/AutoScaling"
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTerminatingRetainedInstances",
    "GroupTotalInstances",
)


def install() -> None:
    """Enable the named metrics, or all, and refuse unknown ones."""

    def enable_metrics_collection(api: Api) -> EmptyResult:
        group = group_of(api)
        if api._get_param("Granularity") != "1Minute":
            raise ValidationError("Granularity has to be 1Minute.")
        group.metrics = [m for m in METRICS if m in group.metrics or m in _named(api)]
        return EmptyResult()

    def disable_metrics_collection(api: Api) -> EmptyResult:
        group = group_of(api)
        group.metrics = [metric for metric in group.metrics if metric not in _named(api)]
        return EmptyResult()

    Api.enable_metrics_collection = enable_metrics_collection
    Api.disable_metrics_collection = disable_metrics_collection


def publish(backend: AutoScalingBackend) -> None:
    """Put the enabled metrics of all groups, as they are now."""
    cloudwatch = cloudwatch_backends[backend.account_id][backend.region_name]
    for group in list(backend.autoscaling_groups.values()):
        values = _values(group)
        data = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group.name}],
                "Value": values[metric],
            }
            for metric in group.metrics
        ]
        if data:
            cloudwatch.put_metric_data(NAMESPACE, data)


def _values(group: FakeAutoScalingGroup) -> dict[str, int]:
    states = [str(instance.lifecycle_state) for instance in group.instance_states]
    retained = states.count(RETAINED)
    kinds = Counter(state.partition(":")[0] for state in states)
    return {
        "GroupMinSize": group.min_size,
        "GroupMaxSize": group.max_size,
        "GroupDesiredCapacity": group.desired_capacity,
        "GroupInServiceInstances": kinds["InService"],
        "GroupPendingInstances": kinds["Pending"],
        "GroupStandbyInstances": kinds["Standby"],
        "GroupTerminatingInstances": kinds["Terminating"] - retained,
        "GroupTerminatingRetainedInstances": retained,
        "GroupTotalInstances": len(states),
    }


def _named(api: Api) -> list[str]:
    names: list[str] = api._get_param("Metrics") or list(METRICS)
    for name in names:
        if name not in METRICS:
            raise ValidationError(f"This emulator's groups have no metric {name}.")
    return names
