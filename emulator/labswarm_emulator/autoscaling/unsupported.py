"""Parts of AWS's Auto Scaling that the emulator lacks: it answers with an error.

Warm pools, instance refresh, load balancers, notification configurations, predictive scaling.
"""

from botocore.session import get_session
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores

from labswarm_emulator.autoscaling.launching import distribution
from labswarm_emulator.autoscaling.lookup import group_of

SERVICE = "autoscaling"
KIND = (
    "AttachLoadBalancerTargetGroups",
    "AttachLoadBalancers",
    "BatchPutScheduledUpdateGroupAction",
    "DetachLoadBalancerTargetGroups",
    "DetachLoadBalancers",
    "ExecutePolicy",
)
"""Operations that moto answers without carrying them out."""


def install() -> None:
    """Refuse these operations, and those that moto lacks, which would answer 500."""
    for operation in get_session().get_service_model(SERVICE).operation_names:
        method = camelcase_to_underscores(operation)
        if operation in KIND or not hasattr(Api, method):
            setattr(Api, method, _refusing(operation))
    Api.put_warm_pool = _put_warm_pool


def _refusing(operation: str) -> object:
    def refuse(_api: Api) -> ActionResult:
        raise AutoscalingClientError("InvalidAction", f"This emulator has no {operation}.")

    return refuse


def _put_warm_pool(api: Api) -> ActionResult:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html"""
    group = group_of(api)
    if group.mixed_instances_policy or distribution(group).on_demand_percentage < 100:
        raise ValidationError(
            "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy "
            "or a launch template or launch configuration that requests Spot Instances."
        )
    raise ValidationError("This emulator has no warm pools.")
