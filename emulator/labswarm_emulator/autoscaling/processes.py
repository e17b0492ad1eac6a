"""Processes of a group that can be suspended, one by one, and resumed.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""

from collections.abc import Callable

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import EmptyResult

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.lookup import group_of

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


def suspended(group: FakeAutoScalingGroup, process: str) -> bool:
    """Whether the group does not do this now."""
    return process in group._suspended_processes


def install(resumed: Callable[[FakeAutoScalingGroup], None]) -> None:
    """Keep the time since when a process is suspended; `resumed` catches up afterwards."""

    def shown(group: FakeAutoScalingGroup) -> list[dict[str, str]]:
        since: dict[str, str] = group._suspended_processes
        return [{"ProcessName": name, "SuspensionReason": reason} for name, reason in since.items()]

    def begin_with(group: FakeAutoScalingGroup, names: list[str]) -> None:
        group._suspended_processes = dict.fromkeys(names, "")

    def suspend_processes(api: Api) -> EmptyResult:
        group = group_of(api)
        for name in _named(api):
            group._suspended_processes.setdefault(name, f"User suspended at {now()}")
        return EmptyResult()

    def resume_processes(api: Api) -> EmptyResult:
        group = group_of(api)
        for name in _named(api):
            group._suspended_processes.pop(name, None)
        resumed(group)
        return EmptyResult()

    FakeAutoScalingGroup.suspended_processes = property(shown, begin_with)
    Api.suspend_processes = suspend_processes
    Api.resume_processes = resume_processes


def _named(api: Api) -> list[str]:
    """The processes that a request names; none named are all."""
    names: list[str] = api._get_param("ScalingProcesses", [])
    for name in names:
        if name not in PROCESSES:
            raise ValidationError(f"{name} is not a recognized scaling process")
    return names or list(PROCESSES)
