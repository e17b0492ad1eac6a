"""The app's domain on real groups of the emulator: hooks that are kept waiting, and the breaker."""

import time
from collections.abc import Iterator

import pytest
from tests.support import ledger_table
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.scaling_group import LAUNCH_ACTION, LAUNCHING, TERMINATING, Group, hook

from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.groups import AutoScalingGroups
from labswarm.aws.hooks import AutoScalingHooks
from labswarm.clock import WallClock
from labswarm.lifecycle.complete import Completing
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.heartbeats import Beats, Heartbeats
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase
from labswarm.lifecycle.waits import read_waits

pytestmark = pytest.mark.emulator

OWNER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:one"


class App:
    """The app's parts over a group of the emulator, and a ledger of its own."""

    def __init__(self, group: Group, ledger: str) -> None:
        emulator = group.emulator
        dynamodb, autoscaling = emulator.client("dynamodb"), emulator.client("autoscaling")
        self.group = group
        self.ledger = DynamoLedger(dynamodb, ledger)
        self.hooks = AutoScalingHooks(autoscaling)
        self.groups = AutoScalingGroups(autoscaling)
        self.breakers = DynamoBreakers(dynamodb, ledger)

    def claims(self, instance_id: str, transition: Transition, beats_until: float) -> None:
        now = int(time.time())
        detail = self.group.event(LAUNCH_ACTION, EC2InstanceId=instance_id)["detail"]
        self.ledger.write_claim(
            Claim(
                instance_id=instance_id,
                transition=transition,
                owner=OWNER,
                lease_until=now + LEASE_S,
                tokens={detail["LifecycleActionToken"]: detail["LifecycleHookName"]},
                hook=detail["LifecycleHookName"],
                asg=self.group.name,
                cluster="lab",
                opened_at=now,
                phases=(Phase("claimed", now),),
                beats_until=int(beats_until),
            )
        )

    def beat(self) -> Beats:
        waits = read_waits(self.groups, self.ledger, self.group.name)
        return Heartbeats(self.hooks, WallClock()).beat(waits)

    def abandon(self, instance_id: str) -> None:
        Completing(self.ledger, self.hooks, self.groups, self.breakers, WallClock()).complete(
            (instance_id, "launch", OWNER), "ABANDON", "abandoned"
        )


@pytest.fixture
def app(emulator: RunningEmulator, group: Group) -> Iterator[App]:
    ledger_table.create(emulator, group.name)
    yield App(group, group.name)
    emulator.client("dynamodb").delete_table(TableName=group.name)


def test_heartbeats_keep_a_hook_waiting_past_its_timeout_and_then_end(app: App) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html"""
    # 40 s of the emulator's are 2 s.
    app.group.create(1, hooks=[hook(LAUNCHING, HeartbeatTimeout=40, DefaultResult="CONTINUE")])
    instance_id = app.group.instance("Pending:Wait")
    app.claims(instance_id, "launch", beats_until=time.time() + 4)
    began = time.time()

    def over() -> bool:
        return app.beat() == Beats()

    eventually(over, every_s=0.2)

    # It was kept waiting for two timeouts, and hears nothing after the work's own deadline.
    assert time.time() - began > 3
    assert app.group.states() == {instance_id: "Pending:Wait"}
    eventually(lambda: app.group.states() == {instance_id: "InService"})


def test_an_action_that_was_completed_gets_no_heartbeat(app: App) -> None:
    app.group.create(1, hooks=[hook(LAUNCHING, "one"), hook(LAUNCHING, "two")])
    instance_id = app.group.instance("Pending:Wait")
    app.claims(instance_id, "launch", beats_until=time.time() + 600)
    claim = app.ledger.read_claim(instance_id, "launch")
    assert claim is not None
    ((token, name),) = claim.tokens.items()
    assert app.beat() == Beats(sent=1)

    app.group.complete(name, LifecycleActionToken=token)

    # The other hook still holds the instance.
    assert app.beat() == Beats(ended=(token,))


def test_a_group_whose_launches_fail_three_times_in_a_row_launches_no_more(app: App) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html"""
    app.group.create(1, hooks=[hook(LAUNCHING)])
    failed = []
    for replaced in (True, True, False):
        instance_id = eventually(
            lambda: [i for i, s in app.group.states().items() if s == "Pending:Wait"]
        )[0]
        app.claims(instance_id, "launch", beats_until=time.time() + 600)
        app.abandon(instance_id)
        failed.append(instance_id)
        assert app.group.desired == int(replaced)

    eventually(lambda: app.group.states() == {})
    assert app.breakers.read_breaker("lab").failed == frozenset(failed)


def test_a_group_at_its_minimum_replaces_failed_instances(app: App) -> None:
    app.group.create(1, hooks=[hook(LAUNCHING), hook(TERMINATING)], MinSize=1)
    for number in range(3):
        app.breakers.failed("lab", f"i-{number}", 0)
    instance_id = app.group.instance("Pending:Wait")
    app.claims(instance_id, "launch", beats_until=time.time() + 600)

    app.abandon(instance_id)

    assert app.group.desired == 1
    assert eventually(lambda: len(app.group.states()) == 2)
