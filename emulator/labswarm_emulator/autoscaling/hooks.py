"""Lifecycle actions: an instance waits until each of its hooks is completed or out of time.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.autoscaling.models import FakeAutoScalingGroup, LifecycleHook
from moto.autoscaling.models import InstanceState as GroupInstance

from labswarm_emulator.clock import Clock

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
LONGEST_S = 48 * 3600
"""An instance cannot be kept in a wait state longer than this, or 100 heartbeat timeouts."""


def longest_wait_s(heartbeat_s: int) -> int:
    """The longest that heartbeats of this timeout can keep an instance waiting, in seconds."""
    return min(LONGEST_S, 100 * heartbeat_s)


class NoActiveAction(LookupError):
    """No open lifecycle action is the one meant."""


@dataclass
class Action:
    """One hook's open action on one instance."""

    group: FakeAutoScalingGroup
    instance: GroupInstance
    hook: LifecycleHook
    over_at: float
    """Seconds since the epoch when no heartbeat helps any more."""
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    timer: threading.Timer | None = None

    @property
    def instance_id(self) -> str:
        return str(self.instance.instance_id)

    @property
    def launching(self) -> bool:
        """Whether it belongs to a launch; to a termination otherwise."""
        return bool(self.hook.lifecycle_transition == LAUNCHING)


class Actions:
    """The open lifecycle actions. Callers hold one lock around every call."""

    def __init__(self, clock: Clock, expired: Callable[[Action], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._open: dict[str, Action] = {}

    def open(
        self, group: FakeAutoScalingGroup, instance: GroupInstance, hook: LifecycleHook
    ) -> Action:
        """Start the time of a hook for an instance."""
        longest_s = longest_wait_s(hook.heartbeat_timeout)
        over_at = self._clock.now() + self._clock.real(longest_s)
        action = Action(group, instance, hook, over_at)
        self._open[action.token] = action
        self.heartbeat(action)
        return action

    def heartbeat(self, action: Action) -> None:
        """Start the heartbeat timeout again, within the longest time that there is."""
        if action.timer is not None:
            action.timer.cancel()
        left_s = max(0.0, action.over_at - self._clock.now()) / self._clock.scale
        action.timer = self._clock.after(
            min(action.hook.heartbeat_timeout, left_s), lambda: self._expired(action)
        )

    def find(
        self, group_name: str, hook_name: str, *, token: str | None, instance_id: str | None
    ) -> Action:
        """The open action, by its token or by its instance. Raises NoActiveAction with AWS's text.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html
        """
        for action in self._open.values():
            if (action.group.name, action.hook.name) != (group_name, hook_name):
                continue
            if token == action.token or (not token and instance_id == action.instance_id):
                return action
        raise NoActiveAction(
            f"No active Lifecycle Action found with token {token}"
            if token
            else f"No active Lifecycle Action found with instance ID {instance_id}"
        )

    def is_open(self, action: Action) -> bool:
        return action.token in self._open

    def of(self, instance_id: str) -> list[Action]:
        """The actions that an instance still waits for."""
        return [a for a in self._open.values() if a.instance_id == instance_id]

    def close(self, action: Action) -> None:
        """Completed, expired, or overtaken: nothing can be said about it any more."""
        if action.timer is not None:
            action.timer.cancel()
        self._open.pop(action.token, None)
