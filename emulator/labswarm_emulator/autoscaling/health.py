"""Health: instances that EC2 or a user calls unhealthy are ended and replaced.

Differences from AWS: EC2's state is noticed at once, and its status checks are always passed.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
"""

from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import EmptyResult
from moto.ec2.models.instances import Instance as Ec2Instance

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.groups import REPLACED, Groups
from labswarm_emulator.autoscaling.lookup import instance_of
from labswarm_emulator.autoscaling.processes import suspended
from labswarm_emulator.autoscaling.states import counted
from labswarm_emulator.emulator import Emulator

HEALTHY, UNHEALTHY = "Healthy", "Unhealthy"
RUNNING = ("pending", "running")
BY_EC2 = "an EC2 health check indicating it has been terminated or stopped."
BY_USER = "a user health-check."


class Health:
    """Looks after the health of the groups' instances."""

    def __init__(self, emulator: Emulator, groups: Groups) -> None:
        self._emulator = emulator
        self._groups = groups

    def check(self, group: FakeAutoScalingGroup) -> None:
        """Mark, end and replace what is not healthy, as far as the group's processes go."""
        with self._groups.lock:
            for instance in counted(group):
                gone = instance.instance.state not in RUNNING
                if gone and not suspended(group, "HealthCheck"):
                    instance.health_status = UNHEALTHY
                if instance.health_status == UNHEALTHY:
                    self._replace(group, instance, BY_EC2 if gone else BY_USER)

    def catch_up(self, group: FakeAutoScalingGroup) -> None:
        """A process was resumed: do what was left."""
        self.check(group)
        self._groups.reconcile(group, f"At {now()} {REPLACED}")

    def _replace(self, group: FakeAutoScalingGroup, instance: GroupInstance, why: str) -> None:
        if suspended(group, "ReplaceUnhealthy") or suspended(group, "Terminate"):
            return
        cause = f"At {now()} an instance was taken out of service in response to {why}"
        self._groups.terminate(group, instance, cause)
        self._groups.reconcile(group, cause)

    def install(self) -> None:
        """Have EC2's changes and SetInstanceHealth lead to a check."""

        def notify_terminate_instances(backend: AutoScalingBackend, ids: list[str]) -> None:
            with self._groups.lock:
                for group in list(backend.autoscaling_groups.values()):
                    if any(i.instance_id in ids for i in group.instance_states):
                        self.check(group)

        stop: Callable[..., Any] = Ec2Instance.stop

        def stop_and_report(instance: Ec2Instance, *args: Any, **kwargs: Any) -> Any:
            answer = stop(instance, *args, **kwargs)
            group = getattr(instance, "autoscaling_group", None)
            if group is not None:
                self.check(group)
            return answer

        def set_instance_health(api: Api) -> EmptyResult:
            status = api._get_param("HealthStatus")
            if status not in (HEALTHY, UNHEALTHY):
                raise ValidationError(
                    f"Valid instance health states are: [{HEALTHY}, {UNHEALTHY}]."
                )
            group, instance = instance_of(api)
            respected = api._get_bool_param("ShouldRespectGracePeriod", True)
            if not (respected and self._in_grace(group, instance)):
                instance.health_status = status
                self.check(group)
            return EmptyResult()

        AutoScalingBackend.notify_terminate_instances = notify_terminate_instances
        Ec2Instance.stop = stop_and_report
        Api.set_instance_health = set_instance_health

    def _in_grace(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> bool:
        """Whether the instance is too new in service to be judged."""
        since = self._groups.in_service_since.get(instance.instance_id)
        grace_s = self._emulator.clock.real(group.health_check_grace_period or 0)
        return grace_s > 0 and (since is None or self._emulator.clock.now() - since < grace_s)
