"""Spot notices: whose work they are, and how the terminate hook of the instance joins it."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.support.app_twins import INSTANCE, OTHER, OWNER, TwinClock, event
from tests.support.claims import INTERRUPTION, REBALANCE, Bench, read
from tests.support.machines import RESOURCES, ROOT, load, reached
from tests.twins.groups import TwinGroups

from labswarm.aws.groups import AutoScalingGroups
from labswarm.errors import Permanent, Transient
from labswarm.groups import Member, Size
from labswarm.lifecycle.capacity import add_one, replace_instance
from labswarm.lifecycle.events import Skip, SpotNotice
from labswarm.lifecycle.hooks import finish
from labswarm.lifecycle.ledger import Claim
from labswarm.lifecycle.work import Work

ASG = "labswarm-lab-workers"
HOOK_TOKEN = read("terminate").token


def bench_of_a_worker() -> Bench:
    """A worker that joined through its launch hook."""
    bench = Bench()
    bench.claim(read("launch"))
    bench.close("joined")
    return bench


def held(bench: Bench, transition: str = "terminate") -> Claim:
    claim = bench.ledger.read_claim(INSTANCE, transition)  # type: ignore[arg-type]
    assert claim is not None
    return claim


def completed(bench: Bench, owner: str) -> int:
    subject = (INSTANCE, "terminate", owner)
    return finish(bench.ledger, bench.hooks, bench.clock, subject, "CONTINUE", "removed")  # type: ignore[arg-type]


def test_the_work_of_an_interruption_fits_in_its_two_minutes() -> None:
    work = bench_of_a_worker().claim(INTERRUPTION)

    assert isinstance(work, Work)
    assert (work.cluster, work.asg, work.transition) == ("lab", ASG, "terminate")
    assert work.deadline == INTERRUPTION.at + 120
    assert work.evacuate_by == "2026-11-03T13:46:32Z"  # 40 s before the deadline
    assert Work.parse(work.to_json()) == work


def test_an_instance_that_the_ledger_does_not_know_is_looked_up() -> None:
    bench = Bench()
    bench.groups.members[INSTANCE] = Member(ASG, "InService")

    assert isinstance(bench.claim(INTERRUPTION), Work)


@pytest.mark.parametrize("group", [None, "web", "labswarm-Lab-workers"])
def test_a_notice_to_a_foreign_instance_is_dropped_and_says_so(group: str | None) -> None:
    bench = Bench()
    if group:
        bench.groups.members[INSTANCE] = Member(group, "InService")

    dropped = bench.claim(INTERRUPTION)

    assert dropped == Skip(f"{INSTANCE} is not ours: its group is {group}")
    assert bench.ledger.read_claim(INSTANCE, "terminate") is None
    assert not bench.ledger.is_terminating(INSTANCE)


@pytest.mark.parametrize("seen", [INTERRUPTION, REBALANCE])
def test_a_notice_older_than_two_minutes_is_stale(seen: SpotNotice) -> None:
    bench = bench_of_a_worker()
    bench.clock.sleep(119)

    assert bench.claim(seen) == Skip("the notice is 120 s old, its time is 120 s")
    assert not bench.ledger.is_terminating(INSTANCE)


def test_the_terminate_hook_leaves_its_token_and_the_interruption_completes_it() -> None:
    bench = bench_of_a_worker()
    bench.hooks.waiting = {HOOK_TOKEN}
    bench.claim(INTERRUPTION)

    assert bench.claim(read("terminate"), OTHER) == Skip(f"{OWNER} works on it")
    assert completed(bench, OWNER) == 1

    assert bench.hooks.results == {HOOK_TOKEN: "CONTINUE"}
    assert bench.claim(read("terminate"), OTHER) == Skip("it was done before (removed)")


def test_a_terminate_hook_that_comes_after_the_interruption_is_done_completes_itself() -> None:
    bench = bench_of_a_worker()
    bench.hooks.waiting = {HOOK_TOKEN}
    bench.claim(INTERRUPTION)
    assert completed(bench, OWNER) == 0

    assert isinstance(bench.claim(read("terminate"), OTHER), Work)
    assert completed(bench, OTHER) == 1

    assert bench.hooks.results == {HOOK_TOKEN: "CONTINUE"}


def test_an_interruption_of_a_terminating_instance_is_left_to_the_terminate_hook() -> None:
    bench = bench_of_a_worker()
    bench.claim(read("terminate"))

    assert bench.claim(INTERRUPTION, OTHER) == Skip(f"{OWNER} works on it")
    assert set(held(bench).tokens) == {HOOK_TOKEN}
    # Its owner learns that there is no time to wait for students.
    assert held(bench).urgent


def test_a_warning_that_comes_twice_is_worked_on_once() -> None:
    bench = bench_of_a_worker()
    bench.claim(INTERRUPTION)

    assert bench.claim(INTERRUPTION, OTHER) == Skip(f"{OWNER} works on it")
    completed(bench, OWNER)
    assert bench.claim(INTERRUPTION, OTHER) == Skip("it was done before (removed)")


def test_an_interruption_overtakes_the_instances_launch() -> None:
    bench = Bench()
    bench.claim(read("launch"))

    assert isinstance(bench.claim(INTERRUPTION, OTHER), Work)
    # The launch looks for it before it joins, and before it opens the node.
    assert bench.ledger.is_terminating(INSTANCE)


def test_a_recommendation_claims_nothing_of_the_instances_end() -> None:
    bench = bench_of_a_worker()

    work = bench.claim(REBALANCE)

    assert isinstance(work, Work)
    assert work.transition == "rebalance"
    assert not bench.ledger.is_terminating(INSTANCE)
    assert isinstance(bench.claim(INTERRUPTION, OTHER), Work)
    assert held(bench).owner == OTHER


def test_a_recommendation_for_a_terminating_instance_asks_nothing() -> None:
    bench = bench_of_a_worker()
    bench.claim(INTERRUPTION)

    assert bench.claim(REBALANCE, OTHER) == Skip("the instance terminates already")


@pytest.mark.parametrize(("state", "asked"), [("InService", 1), ("Pending:Wait", 1)])
def test_a_member_is_replaced_once(state: str, asked: int) -> None:
    groups = TwinGroups({INSTANCE: Member(ASG, state)})

    assert replace_instance(groups, INSTANCE)
    assert not replace_instance(groups, INSTANCE)

    assert groups.asked == [f"terminate {INSTANCE}"] * asked


@pytest.mark.parametrize("members", [{}, {INSTANCE: Member(ASG, "Terminating:Wait")}])
def test_an_instance_that_leaves_or_has_left_is_not_replaced_again(
    members: dict[str, Member],
) -> None:
    groups = TwinGroups(dict(members))

    assert not replace_instance(groups, INSTANCE)
    assert groups.asked == []


SUBJECT = (INSTANCE, "rebalance", OWNER)


def test_one_is_added_and_asked_again_no_other() -> None:
    bench = bench_of_a_worker()
    bench.claim(REBALANCE)

    for _ in range(2):
        assert add_one(bench.ledger, bench.groups, bench.clock, SUBJECT) == 3  # type: ignore[arg-type]

    assert bench.groups.asked == ["resize 3"]


def test_one_that_was_written_down_and_never_asked_for_is_asked_for() -> None:
    bench = bench_of_a_worker()
    bench.claim(REBALANCE)
    bench.ledger.write_claim(replace(held(bench, "rebalance"), capacity=3))

    assert add_one(bench.ledger, bench.groups, bench.clock, SUBJECT) == 3  # type: ignore[arg-type]

    assert bench.groups.held.desired == 3


def test_a_full_group_gets_no_more() -> None:
    bench = bench_of_a_worker()
    bench.groups.held = Size(desired=4, most=4)
    bench.claim(REBALANCE)

    assert add_one(bench.ledger, bench.groups, bench.clock, SUBJECT) == 4  # type: ignore[arg-type]

    assert bench.groups.asked == []


def test_only_the_owner_adds_one() -> None:
    bench = bench_of_a_worker()
    bench.claim(REBALANCE)

    with pytest.raises(Permanent, match="does not hold this claim"):
        add_one(bench.ledger, bench.groups, TwinClock(), (INSTANCE, "rebalance", OTHER))

    assert bench.groups.asked == []


def stubbed() -> tuple[AutoScalingGroups, Stubber]:
    client = boto3.client(
        "autoscaling", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return AutoScalingGroups(client), Stubber(client)


def test_the_group_of_an_instance_is_looked_up_by_its_id() -> None:
    groups, stub = stubbed()
    instance = {
        "InstanceId": INSTANCE,
        "AutoScalingGroupName": ASG,
        "LifecycleState": "Terminating:Wait",
        "AvailabilityZone": "eu-west-1a",
        "HealthStatus": "HEALTHY",
        "ProtectedFromScaleIn": False,
    }
    asked = {"InstanceIds": [INSTANCE]}
    stub.add_response(
        "describe_auto_scaling_instances", {"AutoScalingInstances": [instance]}, asked
    )
    stub.add_response("describe_auto_scaling_instances", {"AutoScalingInstances": []}, asked)

    with stub:
        member = groups.member(INSTANCE)
        assert member == Member(ASG, "Terminating:Wait")
        assert member.leaving
        assert groups.member(INSTANCE) is None


def test_an_instance_is_terminated_without_decrement() -> None:
    groups, stub = stubbed()
    asked = {"InstanceId": INSTANCE, "ShouldDecrementDesiredCapacity": False}
    stub.add_response("terminate_instance_in_auto_scaling_group", {}, asked)

    with stub:
        groups.terminate(INSTANCE)

    stub.assert_no_pending_responses()


def test_a_group_that_is_busy_is_asked_again() -> None:
    groups, stub = stubbed()
    stub.add_client_error(
        "terminate_instance_in_auto_scaling_group", "ScalingActivityInProgress", "busy", 400
    )

    with stub, pytest.raises(Transient):
        groups.terminate(INSTANCE)


def test_a_group_that_is_not_there_has_no_size() -> None:
    groups, stub = stubbed()
    stub.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": []})

    with stub, pytest.raises(Permanent, match=ASG):
        groups.size(ASG)


def states_of(machine: str) -> dict[str, Any]:
    states: dict[str, Any] = load(ROOT / "statemachines" / f"{machine}.asl.yaml")["States"]
    return states


def test_after_a_recommendation_nobody_is_moved_and_no_instance_is_ended() -> None:
    states = states_of("spot_interruption")
    (recommended,) = (
        rule["Next"]
        for rule in states["Owned?"]["Choices"]
        if rule.get("StringEquals") == REBALANCE.transition
    )

    assert reached(states, recommended) == {
        *("PauseOnly", "AddNode", "Close", "Clean?", "Done", "Failed")
    }


def test_an_instance_that_ec2_takes_back_is_not_waited_for() -> None:
    rules = states_of("node_terminate")["Empty?"]["Choices"]
    urgent = [rule.get("Variable") for rule in rules].index("$.node.urgent")

    assert (rules[urgent]["BooleanEquals"], rules[urgent]["Next"]) == (True, "Warn")
    assert urgent < [rule["Next"] for rule in rules].index("AwaitStudents")


def test_the_rule_takes_both_notices_and_gives_up_on_them_after_two_minutes() -> None:
    rule = RESOURCES["SpotInterruption"]["Properties"]["Events"]["SpotNotice"]["Properties"]

    notices = [event(name) for name in ("spot_interruption", "rebalance_recommendation")]
    assert rule["Pattern"] == {
        "source": sorted({notice["source"] for notice in notices}),
        "detail-type": [notice["detail-type"] for notice in notices],
    }
    assert rule["RetryPolicy"]["MaximumEventAgeInSeconds"] == 120
    assert rule["DeadLetterConfig"]["Arn"] == "Undelivered.Arn"
