"""Groups: as many instances as are desired, each led through its hooks at both ends.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.core.exceptions import ServiceException

from labswarm_lab.plane.autoscaling import notices
from labswarm_lab.plane.autoscaling.hooks import LAUNCHING, TERMINATING, Action, Actions
from labswarm_lab.plane.plane import Plane

PROCEED_S = 0.5
"""How long an instance is in Pending:Proceed or Terminating:Proceed."""
RETRY_LAUNCH_S = 30.0
"""How long a group waits after EC2 refused it an instance."""

RunInstances = Callable[[FakeAutoScalingGroup, int], None]
"""Adds so many new instances to a group's `instance_states`."""


def leaving(instance: GroupInstance) -> bool:
    """Whether an instance no longer counts for its group's capacity."""
    return str(instance.lifecycle_state).startswith("Terminat")


class Groups:
    """The lifecycle of every instance of every group, under one lock."""

    def __init__(self, plane: Plane, run_instances: RunInstances) -> None:
        self._plane = plane
        self._run_instances = run_instances
        self._actions = Actions(plane.clock, self._expire)
        self._causes: dict[str, str] = {}
        self.lock = threading.RLock()

    def reconcile(self, group: FakeAutoScalingGroup, cause: str) -> None:
        """Launch what is missing of the desired capacity, or let go of what is too much."""
        with self.lock:
            counted = [i for i in group.instance_states if not leaving(i)]
            missing = (group.desired_capacity or 0) - len(counted)
            if missing > 0:
                self._launch(group, missing, cause)
            # Instances that are still launching go after those in service: their hooks are busy.
            ranked = sorted(counted, key=lambda i: i.lifecycle_state != "InService")
            spare = [i for i in ranked if not i.protected_from_scale_in]
            for instance in spare[: max(0, -missing)]:
                self.terminate(group, instance, cause)

    def terminate(self, group: FakeAutoScalingGroup, instance: GroupInstance, cause: str) -> None:
        """Begin an instance's end; a launch that is under way is overtaken."""
        with self.lock:
            for action in self._actions.of(instance.instance_id):
                self._actions.close(action)
            self._causes[instance.instance_id] = cause
            self._enter(instance, "Terminating")
            self._wait(group, instance, TERMINATING)

    def ended_outside(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> None:
        """The group finds an instance's EC2 instance gone: it ends too, and is replaced."""
        with self.lock:
            cause = (
                f"At {now()} an instance was taken out of service in response to an EC2 health "
                "check indicating it has been terminated or stopped."
            )
            if not leaving(instance):
                instance.health_status = "Unhealthy"
                self.terminate(group, instance, cause)
                self.reconcile(group, cause)

    def heartbeat(
        self, group_name: str, hook_name: str, *, token: str | None, instance_id: str | None
    ) -> None:
        """RecordLifecycleActionHeartbeat. Raises NoActiveAction."""
        with self.lock:
            self._actions.heartbeat(
                self._actions.find(group_name, hook_name, token=token, instance_id=instance_id)
            )

    def complete(
        self,
        group_name: str,
        hook_name: str,
        result: str,
        *,
        token: str | None,
        instance_id: str | None,
    ) -> None:
        """CompleteLifecycleAction with CONTINUE or ABANDON. Raises NoActiveAction."""
        with self.lock:
            action = self._actions.find(group_name, hook_name, token=token, instance_id=instance_id)
            self._close(action, result, f"Lifecycle Action Completed with {result} Result")

    def forget(self, group: FakeAutoScalingGroup) -> None:
        """A group is deleted by force: its instances end at once, without hooks."""
        with self.lock:
            for instance in list(group.instance_states):
                for action in self._actions.of(instance.instance_id):
                    self._actions.close(action)
                self._end(group, instance)

    def _launch(self, group: FakeAutoScalingGroup, count: int, cause: str) -> None:
        known = {i.instance_id for i in group.instance_states}
        try:
            self._run_instances(group, count)
        except ServiceException as refusal:
            self._write("launch refused", group, failure=str(refusal))
            notices.launch_failed(group, cause, str(refusal))
            self._plane.clock.after(RETRY_LAUNCH_S, lambda: self._retry(group, cause))
            return
        for instance in group.instance_states:
            if instance.instance_id not in known:
                self._causes[instance.instance_id] = cause
                self._enter(instance, "Pending")
                self._wait(group, instance, LAUNCHING)

    def _retry(self, group: FakeAutoScalingGroup, cause: str) -> None:
        backend: AutoScalingBackend = group.autoscaling_backend
        if backend.autoscaling_groups.get(group.name) is group:
            self.reconcile(group, cause)

    def _wait(self, group: FakeAutoScalingGroup, instance: GroupInstance, transition: str) -> None:
        """Open all hooks of a transition at once, or go on when there are none."""
        backend: AutoScalingBackend = group.autoscaling_backend
        hooks = [
            hook
            for hook in backend.describe_lifecycle_hooks(group.name)
            if hook.lifecycle_transition == transition
        ]
        if not hooks:
            self._proceed(group, instance, transition)
            return
        self._enter(instance, "Pending:Wait" if transition == LAUNCHING else "Terminating:Wait")
        for hook in hooks:
            notices.lifecycle_action(self._actions.open(group, instance, hook))

    def _expire(self, action: Action) -> None:
        with self.lock:
            if self._actions.is_open(action):
                result = action.hook.default_result
                self._close(action, result, "Heartbeat Timeout")

    def _close(self, action: Action, result: str, why: str) -> None:
        """One hook has its result: CONTINUE waits for the other hooks, ABANDON for none."""
        group, instance = action.group, action.instance
        self._actions.close(action)
        self._write(result, group, instance=instance.instance_id, hook=action.hook.name, why=why)
        if result == "CONTINUE" and self._actions.of(instance.instance_id):
            return
        for other in self._actions.of(instance.instance_id):
            self._actions.close(other)
        if result == "ABANDON" and action.launching:
            self._abandon(group, instance, action, why)
        else:
            self._proceed(group, instance, action.hook.lifecycle_transition)

    def _abandon(
        self, group: FakeAutoScalingGroup, instance: GroupInstance, action: Action, why: str
    ) -> None:
        message = (
            "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
            f"{action.token} was abandoned: {why}"
        )
        notices.launch_abandoned(group, instance, self._causes[instance.instance_id], message)
        self.terminate(group, instance, message)
        self.reconcile(
            group,
            f"At {now()} an instance was started in response to a difference between desired "
            "and actual capacity, increasing the capacity.",
        )

    def _proceed(
        self, group: FakeAutoScalingGroup, instance: GroupInstance, transition: str
    ) -> None:
        step = "Pending:Proceed" if transition == LAUNCHING else "Terminating:Proceed"
        self._enter(instance, step)

        def go_on() -> None:
            with self.lock:
                if instance.lifecycle_state != step or instance not in group.instance_states:
                    return  # overtaken by its termination
                if transition == LAUNCHING:
                    self._enter(instance, "InService")
                    notices.launched(group, instance, self._causes[instance.instance_id])
                else:
                    self._end(group, instance)

        self._plane.clock.after(PROCEED_S, go_on)

    def _end(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> None:
        self._enter(instance, "Terminated")
        group.instance_states = [i for i in group.instance_states if i is not instance]
        group.ec2_backend.terminate_instances([instance.instance_id])
        cause = self._causes.pop(instance.instance_id, "")
        notices.terminated(group, instance, cause)

    def _enter(self, instance: GroupInstance, state: str) -> None:
        instance.lifecycle_state = state
        self._plane.record.write(
            "autoscaling",
            state,
            instance=instance.instance_id,
            group=instance.auto_scaling_group_name,
        )

    def _write(self, what: str, group: FakeAutoScalingGroup, **fields: object) -> None:
        self._plane.record.write("autoscaling", what, group=group.name, **fields)


def now() -> str:
    """The time as the activities of a group say it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
