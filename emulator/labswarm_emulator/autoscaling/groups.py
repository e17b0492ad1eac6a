"""Groups: as many instances as are desired, each led through its hooks at both ends.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

import threading

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance
from moto.core.exceptions import ServiceException

from labswarm_emulator.autoscaling import allocation, notices, notifications
from labswarm_emulator.autoscaling.activities import Activities, Activity, now
from labswarm_emulator.autoscaling.hooks import LAUNCHING, TERMINATING, Action, Actions
from labswarm_emulator.autoscaling.launching import Launching, distribution, member
from labswarm_emulator.autoscaling.processes import suspended
from labswarm_emulator.autoscaling.retries import FIRST_PAUSE_S, Retries
from labswarm_emulator.autoscaling.states import RETAINED, counted, retains
from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import TerminationFaults

PROCEED_S = 0.5
"""How long an instance is in Pending:Proceed or Terminating:Proceed."""
REPLACED = (
    "an instance was started in response to a difference between desired and actual capacity, "
    "increasing the capacity."
)


class Groups:
    """The lifecycle of every instance of every group, under one lock."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._launching = Launching(emulator)
        self._actions = Actions(emulator.clock, self._expire)
        self._retries = Retries(emulator.clock)
        self.in_service_since: dict[str, float] = {}
        self.activities = Activities()
        self.lock = threading.RLock()

    def reconcile(self, group: FakeAutoScalingGroup, cause: str) -> None:
        """Launch the instances that the desired capacity lacks, or end the surplus."""
        with self.lock:
            spare = len(counted(group)) - (group.desired_capacity or 0)
            if spare < 0 and not suspended(group, "Launch"):
                self._launch(group, cause)
            if spare > 0 and not suspended(group, "Terminate"):
                self._shrink(group, spare, cause)

    def terminate(
        self, group: FakeAutoScalingGroup, instance: GroupInstance, cause: str
    ) -> Activity:
        """Begin an instance's end; a launch that is under way is overtaken, retention is over."""
        with self.lock:
            self._drop_actions(instance)
            description = f"Terminating EC2 instance: {instance.instance_id}"
            activity = self.activities.begin(group, description, cause, instance)
            if instance.lifecycle_state == RETAINED:
                self._proceed(group, instance, TERMINATING)
            else:
                self.enter(instance, "Terminating")
                self.wait(group, instance, TERMINATING)
            return activity

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
            self._retries.stop(group.name)
            group.desired_capacity = 0  # for a retry that waits for the lock
            for instance in list(group.instance_states):
                self._drop_actions(instance)
                self._end(group, instance)

    def release(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> None:
        """The instance is no longer the group's, and lives on."""
        group.instance_states = [i for i in group.instance_states if i is not instance]
        self.in_service_since.pop(instance.instance_id, None)
        self.activities.forget(instance)

    def wait(self, group: FakeAutoScalingGroup, instance: GroupInstance, transition: str) -> None:
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
        self.enter(instance, "Pending:Wait" if transition == LAUNCHING else "Terminating:Wait")
        self.activities.of(instance).status = "MidLifecycleAction"
        for hook in hooks:
            action = self._actions.open(group, instance, hook)
            notices.lifecycle_action(action)
            notifications.notify(self._emulator, action)

    def enter(self, instance: GroupInstance, state: str) -> None:
        """Show and record an instance's state."""
        instance.lifecycle_state = state
        self._emulator.record.write(
            "autoscaling",
            state,
            instance=instance.instance_id,
            group=instance.auto_scaling_group_name,
        )

    def _launch(self, group: FakeAutoScalingGroup, cause: str) -> None:
        """Buy the missing instances; record a market's refusal once, and go on with the other."""
        members = [member(i) for i in counted(group)]
        bought = allocation.purchases(distribution(group), members, group.desired_capacity)
        refused = False
        for spot, count in zip((False, True), bought, strict=True):
            for _ in range(count):
                if self.add(group, cause, spot=spot) is None:
                    refused = True
                    break
        if refused:
            self._retries.after_refusal(group.name, lambda: self.reconcile(group, cause))
        else:
            self._retries.stop(group.name)

    def add(self, group: FakeAutoScalingGroup, cause: str, *, spot: bool) -> GroupInstance | None:
        """Launch one instance, in the group's emptiest zone; record a refusal, and return None."""
        try:
            members = [member(i) for i in counted(group)]
            instance = self._launching.start(group, members, spot=spot)
        except ServiceException as refusal:
            self._refused(group, cause, str(refusal.message))
            return None
        description = f"Launching a new EC2 instance: {instance.instance_id}"
        self.activities.begin(group, description, cause, instance)
        self.enter(instance, "Pending")
        self.wait(group, instance, LAUNCHING)
        return instance

    def _refused(self, group: FakeAutoScalingGroup, cause: str, message: str) -> None:
        self._write("launch refused", group, why=message)
        activity = self.activities.begin(group, "Launching a new EC2 instance", cause)
        activity.end("Failed", message)
        notices.not_launched(activity)

    def _shrink(self, group: FakeAutoScalingGroup, spare: int, cause: str) -> None:
        mix = distribution(group) if group.mixed_instances_policy else None
        for _ in range(spare):
            members = {i.instance_id: i for i in counted(group)}
            free = [member(i) for i in members.values() if not i.protected_from_scale_in]
            if not free:
                return
            seen = [member(i) for i in members.values()]
            chosen = allocation.first_to_go(free, seen, mix, group.termination_policies[0])
            self.terminate(group, members[chosen.instance_id], cause)

    def _expire(self, action: Action) -> None:
        with self.lock:
            if self._actions.is_open(action):
                result = action.hook.default_result
                self._close(action, result, "Heartbeat Timeout")

    def _drop_actions(self, instance: GroupInstance) -> None:
        for action in self._actions.of(instance.instance_id):
            self._actions.close(action)

    def _close(self, action: Action, result: str, why: str) -> None:
        """One hook has its result: CONTINUE waits for the other hooks, ABANDON for none."""
        group, instance = action.group, action.instance
        self._actions.close(action)
        self._write(result, group, instance=instance.instance_id, hook=action.hook.name, why=why)
        if result == "CONTINUE" and self._actions.of(instance.instance_id):
            return
        self._drop_actions(instance)
        if result == "ABANDON" and action.launching:
            self._abandon(group, instance, action, why)
        else:
            abandoned = result == "ABANDON"
            self._proceed(group, instance, action.hook.lifecycle_transition, abandoned=abandoned)

    def _abandon(
        self, group: FakeAutoScalingGroup, instance: GroupInstance, action: Action, why: str
    ) -> None:
        message = (
            "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
            f"{action.token} was abandoned: {why}"
        )
        activity = self.activities.of(instance)
        activity.end("Cancelled", message)
        notices.not_launched(activity)
        self.terminate(group, instance, message)
        self.reconcile(group, f"At {now()} {REPLACED}")

    def _proceed(
        self,
        group: FakeAutoScalingGroup,
        instance: GroupInstance,
        transition: str,
        *,
        abandoned: bool = False,
    ) -> None:
        step = "Pending:Proceed" if transition == LAUNCHING else "Terminating:Proceed"
        self.enter(instance, step)

        def go_on() -> None:
            with self.lock:
                if instance.lifecycle_state != step or instance not in group.instance_states:
                    return  # overtaken by its termination
                if transition == LAUNCHING:
                    self._serve(instance)
                elif abandoned and retains(group):
                    self.activities.of(instance).end("Cancelled", "The instance is retained.")
                    self.enter(instance, RETAINED)
                else:
                    self._try_to_end(group, instance)

        self._emulator.clock.after(PROCEED_S, go_on)

    def _serve(self, instance: GroupInstance) -> None:
        self.enter(instance, "InService")
        self.in_service_since[instance.instance_id] = self._emulator.clock.now()
        activity = self.activities.of(instance)
        activity.end("Successful")
        notices.launched(activity)

    def _try_to_end(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> None:
        """EC2 may fail to end it, by a fault only; then it is tried again."""
        instance_id = instance.instance_id
        if not self._emulator.faults.on(TerminationFaults).fails(instance_id):
            self._end(group, instance)
            return
        activity = self.activities.of(instance)
        activity.end("Failed", "Terminating EC2 instance failed.")
        notices.not_terminated(activity)
        self._write("termination failed", group, instance=instance_id)

        def retry() -> None:
            with self.lock:
                if instance in group.instance_states:
                    self.activities.begin(group, activity.description, activity.cause, instance)
                    self._try_to_end(group, instance)

        self._emulator.clock.after(FIRST_PAUSE_S, retry)

    def _end(self, group: FakeAutoScalingGroup, instance: GroupInstance) -> None:
        activity = self.activities.of(instance)
        self.enter(instance, "Terminated")
        self.release(group, instance)
        # Not through the API: termination protection is no matter of groups'.
        instance.instance.terminate()
        activity.end("Successful")
        notices.terminated(activity)

    def _write(self, what: str, group: FakeAutoScalingGroup, **fields: object) -> None:
        self._emulator.record.write("autoscaling", what, group=group.name, **fields)
