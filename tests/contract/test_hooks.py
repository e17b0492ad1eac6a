"""Lifecycle hooks: the twin and EC2 Auto Scaling do the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.running_emulator import RunningEmulator
from tests.support.scaling_group import LAUNCH_ACTION, LAUNCHING, hook, kept
from tests.twins.hooks import TwinHooks

from labswarm.aws.hooks import AutoScalingHooks
from labswarm.errors import BadInput
from labswarm.lifecycle.hooks import Hooks

INSTANCE = "i-0123456789abcdef0"
TWIN_GROUP = "labswarm-lab-workers"


@dataclass(frozen=True)
class Waiting:
    """Hooks of a group, and an instance that waits in its launch hook, with its token."""

    hooks: Hooks
    asg: str
    token: str
    instance_id: str = INSTANCE


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def waiting(request: pytest.FixtureRequest, name: str) -> Iterator[Waiting]:
    if request.param == "twin":
        token = "87654321-4321-4321-4321-210987654321"
        yield Waiting(TwinHooks(token, instances={INSTANCE: token}), TWIN_GROUP, token)
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    with kept(emulator, name) as group:
        group.create(1, hooks=[hook(LAUNCHING, HeartbeatTimeout=600)])
        detail = group.event(LAUNCH_ACTION)["detail"]
        hooks = AutoScalingHooks(emulator.client("autoscaling"))
        yield Waiting(hooks, name, detail["LifecycleActionToken"], detail["EC2InstanceId"])


def test_a_hook_has_the_timeout_that_it_was_made_with(waiting: Waiting) -> None:
    assert waiting.hooks.timeout_s(waiting.asg, "launch") == 600


def test_a_hook_that_the_group_does_not_have_is_refused_by_name(waiting: Waiting) -> None:
    with pytest.raises(BadInput, match=r"LifecycleHookName.*'unknown'"):
        waiting.hooks.timeout_s(waiting.asg, "unknown")


def test_a_heartbeat_is_taken_while_the_action_waits(waiting: Waiting) -> None:
    for _ in range(2):
        assert waiting.hooks.heartbeat(waiting.asg, "launch", waiting.token)


def test_a_completed_action_takes_no_heartbeat(waiting: Waiting) -> None:
    waiting.hooks.complete(waiting.asg, "launch", waiting.token, "CONTINUE")
    assert not waiting.hooks.heartbeat(waiting.asg, "launch", waiting.token)


def test_completing_twice_is_no_error(waiting: Waiting) -> None:
    for _ in range(2):
        waiting.hooks.complete(waiting.asg, "launch", waiting.token, "CONTINUE")


def test_an_action_is_also_named_by_the_instance_that_waits(waiting: Waiting) -> None:
    assert waiting.hooks.heartbeat(waiting.asg, "launch", waiting.instance_id)
    assert not waiting.hooks.heartbeat(waiting.asg, "launch", "i-0123456789abcdef1")

    waiting.hooks.complete(waiting.asg, "launch", waiting.instance_id, "CONTINUE")

    assert not waiting.hooks.heartbeat(waiting.asg, "launch", waiting.token)
    assert not waiting.hooks.heartbeat(waiting.asg, "launch", waiting.instance_id)
