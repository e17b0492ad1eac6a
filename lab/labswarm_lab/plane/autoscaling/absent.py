"""What AWS's Auto Scaling has and the plane has not: it answers with an error.

Warm pools, instance refresh, load balancers, notification configurations, predictive scaling.
"""

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult

from labswarm_lab.plane.autoscaling.found import group_of
from labswarm_lab.plane.autoscaling.launching import distribution

OPERATIONS = (
    "attach_load_balancer_target_groups",
    "attach_load_balancers",
    "attach_traffic_sources",
    "cancel_instance_refresh",
    "delete_notification_configuration",
    "delete_warm_pool",
    "describe_instance_refreshes",
    "describe_notification_configurations",
    "detach_load_balancer_target_groups",
    "detach_load_balancers",
    "detach_traffic_sources",
    "execute_policy",
    "get_predictive_scaling_forecast",
    "launch_instances",
    "put_account_setting",
    "put_notification_configuration",
    "rollback_instance_refresh",
    "start_instance_refresh",
)


def install() -> None:
    """Refuse these operations."""
    for operation in OPERATIONS:
        setattr(Api, operation, _refusing(operation))
    Api.put_warm_pool = _put_warm_pool


def _refusing(operation: str) -> object:
    name = "".join(word.capitalize() for word in operation.split("_"))

    def refuse(_api: Api) -> ActionResult:
        raise AutoscalingClientError("InvalidAction", f"This plane has no {name}.")

    return refuse


def _put_warm_pool(api: Api) -> ActionResult:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html"""
    group = group_of(api)
    if group.mixed_instances_policy or distribution(group).on_demand_percentage < 100:
        raise ValidationError(
            "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy "
            "or a launch template or launch configuration that requests Spot Instances."
        )
    raise ValidationError("This plane has no warm pools.")
