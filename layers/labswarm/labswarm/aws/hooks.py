"""Lifecycle hooks, over EC2 Auto Scaling."""

from typing import TYPE_CHECKING, TypedDict

from labswarm.aws.errors import named
from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput, Gone
from labswarm.lifecycle.hooks import Result

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


class _Action(TypedDict, total=False):
    LifecycleActionToken: str
    InstanceId: str


class AutoScalingHooks:
    """Implements labswarm.lifecycle.hooks.Hooks."""

    def __init__(self, client: "AutoScalingClient") -> None:
        self._client = client

    def timeout_s(self, asg: str, hook: str) -> int:
        with named():
            found = self._client.describe_lifecycle_hooks(
                AutoScalingGroupName=asg, LifecycleHookNames=[hook]
            )["LifecycleHooks"]
        if not found:
            raise BadInput(
                "detail.LifecycleHookName", f"{asg} has no hook {hook!r}; apply the cluster's stack"
            )
        return found[0]["HeartbeatTimeout"]

    def heartbeat(self, asg: str, hook: str, token: str) -> bool:
        try:
            with named():
                self._client.record_lifecycle_action_heartbeat(
                    AutoScalingGroupName=asg, LifecycleHookName=hook, **_action(token)
                )
        except Gone:
            return False
        return True

    def complete(self, asg: str, hook: str, token: str, result: Result) -> None:
        try:
            with named():
                self._client.complete_lifecycle_action(
                    AutoScalingGroupName=asg,
                    LifecycleHookName=hook,
                    LifecycleActionResult=result,
                    **_action(token),
                )
        except Gone:
            return


def _action(token: str) -> _Action:
    """How the API names the action: by its token wherever there is one, because a warm pool fires
    the same hook twice for one instance."""
    return (
        {"InstanceId": token} if INSTANCE_ID.fullmatch(token) else {"LifecycleActionToken": token}
    )
