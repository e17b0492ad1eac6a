"""How long a lifecycle action lasts, on a clock that the test turns."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.running_emulator import eventually
from tests.support.scaling_group import LAUNCHING, TERMINATING, Group, hook, refused

from labswarm_emulator.autoscaling.hooks import Action, Actions, NoActiveAction, longest_wait_s
from labswarm_emulator.clock import Clock


class TurnedClock(Clock):
    """Time that passes only when the test says so, and timers that fire then."""

    def __init__(self) -> None:
        super().__init__(1.0)
        object.__setattr__(self, "at", 0.0)
        object.__setattr__(self, "timers", [])

    def now(self) -> float:
        return float(self.__dict__["at"])

    def after(self, seconds: float, action: Callable[[], None]) -> threading.Timer:
        timer = threading.Timer(seconds, action)  # never started: `turn` fires it
        self.__dict__["timers"].append((self.now() + seconds, timer))
        return timer

    def turn(self, seconds: float) -> None:
        """Let time pass, and fire the due timers that were not cancelled."""
        object.__setattr__(self, "at", self.now() + seconds)
        due = [(at, timer) for at, timer in self.__dict__["timers"] if at <= self.now()]
        for at, timer in due:
            self.__dict__["timers"].remove((at, timer))
            if not timer.finished.is_set():
                timer.function()


class Named:
    """Stands for a group, an instance or a hook, with the few fields that an action needs."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def opened(heartbeat_s: int) -> tuple[TurnedClock, Actions, Action, list[Action]]:
    clock, expired = TurnedClock(), list[Action]()
    actions = Actions(clock, expired.append)
    action = actions.open(
        Named(name="group"),
        Named(instance_id="i-0"),
        Named(name="launch", heartbeat_timeout=heartbeat_s, lifecycle_transition=LAUNCHING),
    )
    return clock, actions, action, expired


def test_an_action_is_over_after_its_heartbeat_timeout_and_not_before() -> None:
    clock, _, action, expired = opened(60)
    clock.turn(59)
    assert expired == []
    clock.turn(1)
    assert expired == [action]


@pytest.mark.aws(
    "Auto Scaling",
    "RecordLifecycleActionHeartbeat",
    "Heartbeats keep an action alive up to 100 heartbeat timeouts, or 48 hours if that is less.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
)
@pytest.mark.parametrize(("heartbeat_s", "longest_s"), [(30, 3000), (7200, 172_800)])
def test_heartbeats_help_no_longer_than_the_global_timeout(
    heartbeat_s: int, longest_s: int
) -> None:
    assert longest_wait_s(heartbeat_s) == longest_s
    clock, actions, action, expired = opened(heartbeat_s)
    beat_s = heartbeat_s - 1
    while clock.now() + beat_s < longest_s:
        clock.turn(beat_s)
        actions.heartbeat(action)
        assert expired == []
    clock.turn(longest_s - clock.now())
    assert expired == [action]


def test_a_closed_action_is_no_longer_found_and_its_timer_does_not_fire() -> None:
    clock, actions, action, expired = opened(60)
    found = actions.find("group", "launch", token=action.token, instance_id=None)
    assert found is actions.find("group", "launch", token=None, instance_id="i-0") is action
    with pytest.raises(NoActiveAction):
        actions.find("group", "other", token=None, instance_id="i-0")
    actions.close(action)
    clock.turn(60)
    assert expired == []
    with pytest.raises(NoActiveAction, match=f"found with token {action.token}"):
        actions.find("group", "launch", token=action.token, instance_id="i-0")


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "CompleteLifecycleAction",
    "By token or instance; a token of another hook, neither of them or an odd result is refused.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html",
)
def test_an_action_is_completed_by_the_token_of_its_own_hook(group: Group) -> None:
    group.create(1, hooks=[hook(LAUNCHING, "first"), hook(LAUNCHING, "second")])
    instance = group.instance("Pending:Wait")
    kind = "EC2 Instance-launch Lifecycle Action"
    first = group.event(kind, LifecycleHookName="first")["detail"]["LifecycleActionToken"]
    with refused(f"No active Lifecycle Action found with token {first}"):
        group.complete("second", LifecycleActionToken=first)
    with refused("LifecycleActionToken or InstanceId"):
        group.complete("first")
    with refused("CONTINUE or ABANDON"):
        group.complete("first", "PERHAPS", InstanceId=instance)
    group.complete("first", LifecycleActionToken=first)
    group.api.record_lifecycle_action_heartbeat(
        AutoScalingGroupName=group.name, LifecycleHookName="second", InstanceId=instance
    )
    assert group.states() == {instance: "Pending:Wait"}
    group.complete("second", InstanceId=instance)
    eventually(lambda: group.states() == {instance: "InService"})


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "PutLifecycleHook",
    "A terminate hook without answer ends the instance, whichever its default result is.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html",
)
@pytest.mark.parametrize("default", ["CONTINUE", "ABANDON"])
def test_a_terminate_hook_that_is_not_answered_lets_the_instance_go(
    group: Group, default: str
) -> None:
    unanswered = hook(TERMINATING, HeartbeatTimeout=30, DefaultResult=default)
    group.create(1, hooks=[unanswered])
    instance = group.instance("InService")
    group.terminate(instance, decrement=True)
    assert group.states() == {instance: "Terminating:Wait"}
    eventually(lambda: not group.states())
    (completed,) = [
        line
        for line in group.emulator.recorded("autoscaling", instance=instance)
        if line["what"] == default
    ]
    assert completed["why"] == "Heartbeat Timeout"
