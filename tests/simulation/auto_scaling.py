"""Auto Scaling in virtual time, as boto3's client shows it.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.virtual_time import VirtualTime

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
_PROCEED_S = 0.5
_LONGEST_S = 48 * 3600


@dataclass(frozen=True)
class Hook:
    """A lifecycle hook; the default result is ABANDON, as AWS's is."""

    name: str
    transition: str
    heartbeat_s: int
    default: str = "ABANDON"


@dataclass
class Action:
    """One hook's open wait on one instance; times in epoch seconds."""

    token: str
    hook: Hook
    until: float
    over_at: float


@dataclass
class Instance:
    """An instance of a group. `actions` are its open lifecycle actions by token."""

    instance_id: str
    asg: str
    state: str = "Pending"
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def leaving(self) -> bool:
        return self.state.startswith("Terminat")


@dataclass
class Group:
    """A group; `endings` has how each lifecycle action ended: completed or by default.

    With a `pool` what it launches goes to its warm pool, and stays there.
    """

    name: str
    hooks: tuple[Hook, ...]
    desired: int = 0
    least: int = 0
    most: int = 50
    pool: bool = False
    instances: dict[str, Instance] = field(default_factory=dict)
    endings: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def refused(operation: str, code: str, message: str) -> ClientError:
    """AWS's error, as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class AutoScalingTwin:
    """The client, and the service behind it.

    `booted` and `ended` are called when an instance's machine starts, or stops at once;
    `notify` gets each event as EventBridge does.
    """

    def __init__(
        self,
        time: VirtualTime,
        draw: random.Random,
        booted: Callable[[Instance], None],
        ended: Callable[[str], object],
        notify: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._time = time
        self._draw = draw
        self._booted = booted
        self._ended = ended
        self.notify = notify
        self._made = 0
        self.groups: dict[str, Group] = {}

    # The methods of boto3's client.

    def describe_auto_scaling_instances(self, InstanceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        found = [i for i in map(self.instance, InstanceIds) if i is not None]
        return {
            "AutoScalingInstances": [
                {
                    "InstanceId": i.instance_id,
                    "AutoScalingGroupName": i.asg,
                    "LifecycleState": i.state,
                }
                for i in found
            ]
        }

    def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> dict[str, Any]:  # noqa: N803
        found = [self.groups[name] for name in AutoScalingGroupNames if name in self.groups]
        return {
            "AutoScalingGroups": [
                {
                    "AutoScalingGroupName": group.name,
                    "DesiredCapacity": group.desired,
                    "MinSize": group.least,
                    "MaxSize": group.most,
                    "SuspendedProcesses": [],
                    "Instances": [
                        {"InstanceId": i.instance_id, "LifecycleState": i.state}
                        for i in group.instances.values()
                    ],
                }
                for group in found
            ]
        }

    def describe_scaling_activities(self, AutoScalingGroupName: str, MaxRecords: int) -> Any:  # noqa: N803
        """No launch of the simulation is refused."""
        assert AutoScalingGroupName in self.groups
        assert MaxRecords <= 100
        return {"Activities": []}

    def describe_lifecycle_hooks(
        self,
        AutoScalingGroupName: str,  # noqa: N803
        LifecycleHookNames: list[str] | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        group = self._group("DescribeLifecycleHooks", AutoScalingGroupName)
        return {
            "LifecycleHooks": [
                {
                    "LifecycleHookName": hook.name,
                    "AutoScalingGroupName": group.name,
                    "LifecycleTransition": hook.transition,
                    "HeartbeatTimeout": hook.heartbeat_s,
                    "GlobalTimeout": min(_LONGEST_S, 100 * hook.heartbeat_s),
                    "DefaultResult": hook.default,
                }
                for hook in group.hooks
                if LifecycleHookNames is None or hook.name in LifecycleHookNames
            ]
        }

    def set_desired_capacity(
        self,
        AutoScalingGroupName: str,  # noqa: N803
        DesiredCapacity: int,  # noqa: N803
        HonorCooldown: bool = False,  # noqa: N803
    ) -> dict[str, Any]:
        group = self._group("SetDesiredCapacity", AutoScalingGroupName)
        if not group.least <= DesiredCapacity <= group.most:
            raise refused(
                "SetDesiredCapacity",
                "ValidationError",
                f"New SetDesiredCapacity value {DesiredCapacity} is not between the limits",
            )
        group.desired = DesiredCapacity
        self._balance(group)
        return {}

    def terminate_instance_in_auto_scaling_group(
        self,
        InstanceId: str,  # noqa: N803
        ShouldDecrementDesiredCapacity: bool,  # noqa: N803
    ) -> dict[str, Any]:
        instance = self.instance(InstanceId)
        if instance is None:
            raise refused(
                "TerminateInstanceInAutoScalingGroup",
                "ValidationError",
                f"Instance Id not found - No managed instance found for instance ID: {InstanceId}",
            )
        group = self.groups[instance.asg]
        if ShouldDecrementDesiredCapacity and not instance.leaving:
            if group.desired <= group.least:
                raise refused(
                    "TerminateInstanceInAutoScalingGroup",
                    "ValidationError",
                    "Currently, desiredSize equals minSize. "
                    "Terminating instance without replacement will violate group's min size",
                )
            group.desired -= 1
        self._terminate(instance)
        self._balance(group)
        return {"Activity": {}}

    def complete_lifecycle_action(
        self,
        AutoScalingGroupName: str,  # noqa: N803
        LifecycleHookName: str,  # noqa: N803
        LifecycleActionResult: str,  # noqa: N803
        LifecycleActionToken: str = "",  # noqa: N803
        InstanceId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        named = (AutoScalingGroupName, LifecycleHookName, LifecycleActionToken, InstanceId)
        instance, action = self._action("CompleteLifecycleAction", *named)
        self._close(instance, action, LifecycleActionResult, "completed")
        return {}

    def record_lifecycle_action_heartbeat(
        self,
        AutoScalingGroupName: str,  # noqa: N803
        LifecycleHookName: str,  # noqa: N803
        LifecycleActionToken: str = "",  # noqa: N803
        InstanceId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        named = (AutoScalingGroupName, LifecycleHookName, LifecycleActionToken, InstanceId)
        instance, action = self._action("RecordLifecycleActionHeartbeat", *named)
        action.until = min(self._time.now() + action.hook.heartbeat_s, action.over_at)
        self._watch(instance, action)
        return {}

    # Events that happen by themselves.

    def instance(self, instance_id: str) -> Instance | None:
        """An instance of any group."""
        for group in self.groups.values():
            if instance_id in group.instances:
                return group.instances[instance_id]
        return None

    def lost(self, instance_id: str) -> None:
        """The group finds that an instance's machine has ended: it goes, and is replaced."""
        instance = self.instance(instance_id)
        if instance is not None and not instance.leaving:
            self._terminate(instance)
            self._balance(self.groups[instance.asg])

    def _group(self, operation: str, name: str) -> Group:
        if name not in self.groups:
            raise refused(
                operation, "ValidationError", f"Group {name} not found: AutoScalingGroup name"
            )
        return self.groups[name]

    def _action(
        self, operation: str, asg: str, hook: str, token: str, instance_id: str
    ) -> tuple[Instance, Action]:
        for instance in self._group(operation, asg).instances.values():
            for action in instance.actions.values():
                by_instance = not token and instance_id == instance.instance_id
                if action.hook.name == hook and (by_instance or token == action.token):
                    return instance, action
        which = f"token {token}" if token else f"instance ID {instance_id}"
        raise refused(
            operation, "ValidationError", f"No active Lifecycle Action found with {which}"
        )

    def _balance(self, group: Group) -> None:
        counted = [i for i in group.instances.values() if not i.leaving]
        for _ in range(group.desired - len(counted)):
            self._made += 1
            instance = Instance(f"i-{self._made:017x}", group.name)
            group.instances[instance.instance_id] = instance
            self._booted(instance)
            self._wait(instance, LAUNCHING)
        ranked = sorted(counted, key=lambda i: i.state != "InService")
        for instance in ranked[: max(0, len(counted) - group.desired)]:
            self._terminate(instance)

    def _terminate(self, instance: Instance) -> None:
        if not instance.leaving:
            self._drop(instance)
            instance.state = "Terminating"
            self._wait(instance, TERMINATING)

    def _drop(self, instance: Instance) -> None:
        """Its end overtakes its wait."""
        for action in list(instance.actions.values()):
            del instance.actions[action.token]
            self._note(instance, action, "overtaken")

    def _wait(self, instance: Instance, transition: str) -> None:
        group = self.groups[instance.asg]
        hooks = [hook for hook in group.hooks if hook.transition == transition]
        launch = transition == LAUNCHING
        if not hooks:
            self._proceed(instance, launch)
            return
        pooled = launch and group.pool
        place = "WarmPool" if pooled else "AutoScalingGroup"
        instance.state = "Pending:Wait" if launch else "Terminating:Wait"
        if pooled:
            instance.state = "Warmed:Pending:Wait"
        for hook in hooks:
            now = self._time.now()
            longest = min(_LONGEST_S, 100 * hook.heartbeat_s)
            token = str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
            action = Action(token, hook, now + hook.heartbeat_s, now + longest)
            instance.actions[token] = action
            self._watch(instance, action)
            self.notify(
                {
                    "source": "aws.autoscaling",
                    "detail-type": "EC2 Instance-launch Lifecycle Action"
                    if launch
                    else "EC2 Instance-terminate Lifecycle Action",
                    "detail": {
                        "LifecycleActionToken": token,
                        "AutoScalingGroupName": group.name,
                        "LifecycleHookName": hook.name,
                        "EC2InstanceId": instance.instance_id,
                        "LifecycleTransition": transition,
                        "Origin": "EC2" if launch else "AutoScalingGroup",
                        "Destination": place if launch else "EC2",
                    },
                }
            )

    def _watch(self, instance: Instance, action: Action) -> None:
        def expire() -> None:
            if instance.actions.get(action.token) is action and self._time.now() >= action.until:
                self._close(instance, action, action.hook.default, "timed out")

        after_s = action.until - self._time.now()
        self._time.spawn(expire, f"hook of {instance.instance_id}", after_s)

    def _close(self, instance: Instance, action: Action, result: str, how: str) -> None:
        del instance.actions[action.token]
        self._note(instance, action, f"{how} {result}")
        launch = action.hook.transition == LAUNCHING
        if result == "CONTINUE" and instance.actions:
            return
        self._drop(instance)
        if launch and result == "ABANDON":
            self._terminate(instance)
            self._balance(self.groups[instance.asg])
        else:
            self._proceed(instance, launch)

    def _note(self, instance: Instance, action: Action, how: str) -> None:
        noted = self.groups[instance.asg].endings.setdefault(instance.instance_id, [])
        noted.append((action.hook.transition, how))

    def _proceed(self, instance: Instance, launch: bool) -> None:
        step = "Pending:Proceed" if launch else "Terminating:Proceed"
        instance.state = step

        def go_on() -> None:
            if instance.state != step:
                return
            if launch:
                pooled = self.groups[instance.asg].pool
                instance.state = "Warmed:Stopped" if pooled else "InService"
                if pooled:
                    self._ended(instance.instance_id)
                return
            del self.groups[instance.asg].instances[instance.instance_id]
            self._ended(instance.instance_id)

        self._time.spawn(go_on, f"{step} {instance.instance_id}", _PROCEED_S)
