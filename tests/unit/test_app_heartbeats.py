"""Hooks are kept waiting while the work on them goes on, and no longer than its own time."""

from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from tests.support.app_twins import DESCRIPTION, INSTANCE, OTHER, OWNER
from tests.support.claims import Bench, read
from tests.twins.cluster import TwinClusters
from tests.twins.hooks import TwinHooks

from labswarm.aws.hooks import AutoScalingHooks
from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm.groups import Roster
from labswarm.lifecycle.heartbeats import Beats, Heartbeats
from labswarm.lifecycle.hook_time import LAUNCH_S, LEAST_TIMEOUT_S, is_kept_up, total_s
from labswarm.lifecycle.ledger import LEASE_S
from labswarm.lifecycle.waits import read_waits
from labswarm.lifecycle.work import Work

ASG = DESCRIPTION["asg"]
CLUSTER = TwinClusters(DESCRIPTION).read_cluster("lab")
TOKEN = read("launch").token


class Waits(Bench):
    """A launch that is claimed, and the instance's state in its group."""

    def __init__(self, state: str = "Pending:Wait") -> None:
        super().__init__()
        self.state = state
        self.hooks = TwinHooks(TOKEN, "second")
        self.claim(read("launch"))
        self.claim(replace(read("launch"), token="second"), OTHER)

    def roster(self, asg: str) -> Roster:
        assert asg == ASG
        return Roster(1, {INSTANCE: self.state})

    def step(self) -> None:
        """Its owner has gone on."""
        claim = self.ledger.read_claim(INSTANCE, "launch")
        assert claim is not None
        self.ledger.write_claim(claim.entered("node-pull", int(self.clock.now())))

    def beat(self) -> Beats:
        waits = read_waits(cast(Any, self), self.ledger, ASG)
        return Heartbeats(self.hooks, self.clock).beat(waits)


def test_every_token_of_an_open_claim_gets_a_heartbeat_each_minute() -> None:
    waits = Waits()

    for _ in range(3):
        assert waits.beat().sent == 2
        waits.clock.sleep(60)

    assert waits.hooks.beats == {TOKEN: 3, "second": 3}


@pytest.mark.parametrize("state", ["Pending:Proceed", "InService", "Standby", "Terminating"])
def test_an_instance_that_does_not_wait_is_not_looked_up(state: str) -> None:
    waits = Waits(state)
    waits.ledger.about = None  # type: ignore[assignment, method-assign]  # to be called is to fail

    assert waits.beat() == Beats()


@pytest.mark.parametrize(
    "state", ["Pending:Wait", "Terminating:Wait", "Warmed:Pending:Wait", "Warmed:Terminating:Wait"]
)
def test_every_wait_of_a_hook_is_kept_up(state: str) -> None:
    assert Waits(state).beat().sent == 2


def test_heartbeats_end_with_the_claim() -> None:
    waits = Waits()
    waits.close("joined")
    waits.hooks.waiting = {TOKEN}

    assert waits.beat() == Beats()


def test_heartbeats_end_when_nobody_has_done_a_step_for_a_lease() -> None:
    waits = Waits()
    waits.clock.sleep(LEASE_S - 1)
    assert waits.beat().sent == 2

    waits.clock.sleep(1)
    assert waits.beat() == Beats()

    waits.step()
    assert waits.beat().sent == 2


def test_heartbeats_end_at_the_works_own_deadline() -> None:
    waits = Waits()
    waits.clock.sleep(LAUNCH_S - 2)
    waits.step()
    assert waits.beat().sent == 2

    waits.clock.sleep(1)

    assert waits.beat() == Beats()


def test_an_action_that_is_over_is_reported_and_stops_no_other() -> None:
    waits = Waits()
    waits.hooks.waiting = {"second"}

    assert waits.beat() == Beats(sent=1, ended=(TOKEN,))


@pytest.mark.parametrize("error", [Transient("Rate exceeded"), Permanent("not authorized")])
def test_a_refused_heartbeat_is_missed_stops_no_other_and_is_tried_again(
    error: LabswarmError,
) -> None:
    waits = Waits()
    waits.hooks.refused = {TOKEN: error}

    assert waits.beat() == Beats(sent=1, missed=(f"launch of {INSTANCE}: {error}",))
    waits.hooks.refused = {}
    assert waits.beat().sent == 2


def test_who_takes_the_work_over_has_a_time_of_its_own() -> None:
    waits = Waits()
    waits.executions.running = {OTHER}
    waits.clock.sleep(1000)
    late = replace(read("launch"), at=waits.clock.now())
    assert isinstance(waits.claim(late, OTHER), Work)
    waits.clock.sleep(LAUNCH_S - 1)
    waits.step()

    assert waits.beat().sent == 2


@pytest.mark.parametrize(
    ("timeout_s", "empty_s", "launch_s", "terminate_s"),
    [
        # Students who are promised 15 minutes have them, and there is time after that.
        (600, 900, LAUNCH_S, 900 + 420),
        (LEAST_TIMEOUT_S, 900, LAUNCH_S, 900 + 420),
        # At most 48 hours, and 100 timeouts.
        (7200, 48 * 3600, LAUNCH_S, 48 * 3600),
        (180, 48 * 3600, LAUNCH_S, 18000),
        # Too short for heartbeats: one timeout, as the hook says.
        (179, 900, 179, 179),
        (30, 900, 30, 30),
    ],
)
def test_the_time_of_a_hook_is_the_works_within_the_limits_of_aws(
    timeout_s: int, empty_s: int, launch_s: int, terminate_s: int
) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html"""
    cluster = replace(CLUSTER, empty_deadline_s=empty_s)

    assert total_s("launch", cluster, timeout_s) == launch_s
    assert total_s("terminate", cluster, timeout_s) == terminate_s
    assert is_kept_up(timeout_s) == (timeout_s >= 180)


def test_students_have_the_time_that_they_are_promised() -> None:
    event = read("terminate")
    cluster = replace(CLUSTER, empty_deadline_s=900)

    work = Work.begun(event, cluster, OWNER, 600, event.at + 2)

    assert work.left_s("evacuate_by", event.at + 902) == 298
    assert work.empty_by == "2026-11-03T14:00:14Z"
    assert work.deadline == event.at + 1320


@pytest.mark.parametrize("timeout_s", [30, 60, 179])
def test_the_shortest_hook_leaves_half_of_it_for_the_undoing(timeout_s: int) -> None:
    event = read("launch")
    work = Work.begun(event, CLUSTER, OWNER, timeout_s, event.at)

    assert work.left_s("forward_by", event.at) == timeout_s - timeout_s // 2


def beaten(code: str, message: str) -> bool:
    client = boto3.client(
        "autoscaling", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        given = {
            "AutoScalingGroupName": ASG,
            "LifecycleHookName": "launch",
            "LifecycleActionToken": TOKEN,
        }
        if code:
            stub.add_client_error(
                "record_lifecycle_action_heartbeat", code, message, expected_params=given
            )
        else:
            stub.add_response("record_lifecycle_action_heartbeat", {}, given)
        return AutoScalingHooks(client).heartbeat(ASG, "launch", TOKEN)


def test_a_heartbeat_names_the_token() -> None:
    assert beaten("", "") is True


def test_no_active_action_ends_the_heartbeats_of_its_token() -> None:
    assert (
        beaten("ValidationError", f"No active Lifecycle Action found with token {TOKEN}") is False
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [("Throttling", Transient), ("ResourceContention", Transient), ("AccessDenied", Permanent)],
)
def test_another_error_is_raised_by_its_kind(code: str, kind: type[LabswarmError]) -> None:
    with pytest.raises(kind):
        beaten(code, "refused")
