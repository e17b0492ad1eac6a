"""The meaning of an instance's lifecycle state for its group's capacity.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance

RETAINED = "Terminating:Retained"
APART = ("Standby", "EnteringStandby", "Detaching", "Detached")
"""States in which an instance is its owner's business, and not of the group's capacity."""


def leaving(instance: GroupInstance) -> bool:
    """Whether an instance is on its way out, or kept there."""
    return str(instance.lifecycle_state).startswith("Terminat")


def counted(group: FakeAutoScalingGroup) -> list[GroupInstance]:
    """The instances that make up the group's capacity, oldest first."""
    return [i for i in group.instance_states if not leaving(i) and i.lifecycle_state not in APART]


def retains(group: FakeAutoScalingGroup) -> bool:
    """Whether an instance stays when its end is abandoned.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RetentionTriggers.html
    """
    policy = group.instance_lifecycle_policy or {}
    return bool(policy.get("RetentionTriggers", {}).get("TerminateHookAbandon") == "retain")
