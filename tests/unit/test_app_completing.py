"""A hook is completed with the right result, by its machine or in its place; and the breaker."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from tests.support.app_twins import DESCRIPTION, INSTANCE, OTHER, OWNER
from tests.support.claims import INTERRUPTION, REBALANCE, Bench, read
from tests.twins.breaker import MemoryBreakers
from tests.twins.hooks import TwinHooks

from labswarm.aws.errors import named
from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm.groups import Group, Member
from labswarm.lab_hours.demand import Decision
from labswarm.lab_hours.hold import PAUSE_S, held_back
from labswarm.lifecycle.breaker import MOST_FAILED, Breaker
from labswarm.lifecycle.complete import Completing
from labswarm.lifecycle.events import LifecycleEvent, Skip, SpotNotice
from labswarm.lifecycle.failure import Failure
from labswarm.lifecycle.hooks import Result

ASG = DESCRIPTION["asg"]
LAUNCH, TERMINATE = read("launch"), read("terminate")
CHEF_FAILED = Failure("Transient", "chef-client ended with 1")


class Ends(Bench):
    """One instance whose hooks wait, in a group that can get smaller."""

    def __init__(self, *failed_before: str) -> None:
        super().__init__()
        self.hooks = TwinHooks(LAUNCH.token, TERMINATE.token, "second")
        self.breakers = MemoryBreakers()
        for instance_id in failed_before:
            self.breakers.failed("lab", instance_id, 0)
        self.groups.members[INSTANCE] = Member(ASG, "Pending:Wait")
        self.shrunk: list[str] = []
        self.alarms: list[str] = []
        self.refusal: LabswarmError | None = None
        self.at_minimum = False

    def member(self, instance_id: str) -> Member | None:
        return self.groups.member(instance_id)

    def shrink(self, instance_id: str) -> bool:
        if self.refusal:
            raise self.refusal
        if self.at_minimum:
            return False
        self.shrunk.append(instance_id)
        self.groups.members[instance_id] = Member(ASG, "Terminating:Wait")
        return True

    @property
    def completing(self) -> Completing:
        return Completing(
            self.ledger, self.hooks, cast(Any, self), self.breakers, self.clock, self.send
        )

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        self.alarms.append("\n".join((subject, *sentences)))

    def ends(self, result: Result, phase: str, failure: Failure = CHEF_FAILED) -> int:
        return self.completing.complete((INSTANCE, "launch", OWNER), result, phase, failure)


@pytest.mark.parametrize(
    ("event", "result", "phase"),
    [(LAUNCH, "ABANDON", "abandoned"), (TERMINATE, "CONTINUE", "removed")],
)
def test_a_failed_machines_hook_is_completed_with_every_token(
    event: LifecycleEvent, result: str, phase: str
) -> None:
    ends = Ends()
    ends.claim(event)
    ends.claim(replace(event, token="second"), OTHER)

    done = ends.completing.resort(event, OWNER)

    assert done == f"{event.transition} of {INSTANCE}: 2 hooks, {result}"
    assert ends.hooks.results == {event.token: result, "second": result}
    claim = ends.ledger.read_claim(INSTANCE, event.transition)
    assert claim is not None
    assert (claim.phase, claim.closed) == (phase, True)


@pytest.mark.parametrize("event", [LAUNCH, TERMINATE])
def test_another_executions_work_is_left_to_it(event: LifecycleEvent) -> None:
    ends = Ends()
    ends.claim(event)

    assert ends.completing.resort(event, OTHER) is None
    assert ends.hooks.results == {}


def test_an_action_that_was_completed_before_is_left_as_it_is() -> None:
    ends = Ends()
    ends.claim(LAUNCH)
    ends.ends("ABANDON", "abandoned")

    assert ends.completing.resort(LAUNCH, OWNER) is None
    assert ends.breakers.read_breaker("lab").failed == {INSTANCE}


def test_a_launch_that_could_not_even_be_claimed_is_abandoned_by_its_events_token() -> None:
    ends = Ends()

    assert ends.completing.resort(LAUNCH, OWNER) == f"launch of {INSTANCE}: unclaimed, ABANDON"
    assert ends.hooks.results == {LAUNCH.token: "ABANDON"}


def test_students_keep_their_servers_while_a_termination_is_unclaimed() -> None:
    ends = Ends()

    assert ends.completing.resort(TERMINATE, OWNER) == (
        f"terminate of {INSTANCE}: unclaimed, the next minute starts it"
    )
    assert ends.hooks.results == {}


def test_a_token_that_the_claim_never_saw_does_not_wait_for_its_hooks_own_end() -> None:
    ends = Ends()
    ends.claim(LAUNCH)
    ends.completing.resort(LAUNCH, OWNER)
    late = replace(LAUNCH, token="second")

    assert ends.completing.resort(late, OTHER) == f"launch of {INSTANCE}: unclaimed, ABANDON"
    assert ends.hooks.results["second"] == "ABANDON"


def test_a_launch_that_the_minute_started_is_no_ones_to_abandon() -> None:
    """Another execution may work on it; if none does, the next minute starts one."""
    ends = Ends()
    started = replace(LAUNCH, token=INSTANCE)

    assert ends.completing.resort(started, OWNER) == (
        f"launch of {INSTANCE}: unclaimed, the next minute starts it"
    )
    ends.claim(started, OTHER)
    # An event that comes late, and whose own execution fails at its claim.
    assert ends.completing.resort(LAUNCH, OWNER) is None
    assert ends.hooks.results == {}


@pytest.mark.parametrize(("notice", "phase"), [(INTERRUPTION, "removed"), (REBALANCE, "paused")])
def test_a_notices_claim_is_closed_and_its_hook_completed(notice: SpotNotice, phase: str) -> None:
    ends = Ends()
    ends.groups.members[INSTANCE] = Member(ASG, "InService")
    ends.claim(notice)
    ends.claim(TERMINATE, OTHER)

    ends.completing.resort(notice, OWNER)

    claim = ends.ledger.read_claim(INSTANCE, notice.transition)
    assert claim is not None
    assert (claim.phase, claim.closed) == (phase, True)
    interrupted = notice is INTERRUPTION
    assert ends.hooks.results == ({TERMINATE.token: "CONTINUE"} if interrupted else {})


@pytest.mark.parametrize("event", [Skip("a test notification"), INTERRUPTION])
def test_an_execution_that_had_nothing_to_do_leaves_nothing(event: SpotNotice | Skip) -> None:
    ends = Ends()

    assert ends.completing.resort(event, OWNER) is None


# The launch breaker


def test_the_third_failure_in_a_row_is_not_replaced() -> None:
    ends = Ends("i-1", "i-2")
    ends.claim(LAUNCH)

    ends.ends("ABANDON", "abandoned")

    assert ends.breakers.read_breaker("lab") == Breaker(
        frozenset({"i-1", "i-2", INSTANCE}), int(ends.clock.now())
    )
    assert ends.shrunk == [INSTANCE]
    assert ends.hooks.results == {LAUNCH.token: "ABANDON"}


def test_the_first_failures_are_replaced() -> None:
    ends = Ends("i-1")
    ends.claim(LAUNCH)

    ends.ends("ABANDON", "abandoned")

    assert (ends.shrunk, ends.breakers.read_breaker("lab").holds) == ([], False)


def test_completing_again_counts_and_shrinks_once() -> None:
    ends = Ends("i-1", "i-2")
    ends.claim(LAUNCH)
    complete, ends.hooks.complete = ends.hooks.complete, None  # type: ignore[assignment, method-assign]
    with pytest.raises(TypeError):
        ends.ends("ABANDON", "abandoned")
    ends.hooks.complete = complete  # type: ignore[method-assign]

    for _ in range(2):
        ends.ends("ABANDON", "abandoned")

    assert ends.shrunk == [INSTANCE]
    assert len(ends.breakers.read_breaker("lab").failed) == 3


def test_a_launch_that_joins_ends_the_hold() -> None:
    ends = Ends("i-1", "i-2", "i-3")
    ends.claim(LAUNCH)

    ends.ends("CONTINUE", "joined")

    assert not ends.breakers.read_breaker("lab").holds
    assert ends.shrunk == []


def test_an_instance_that_goes_to_the_warm_pool_says_nothing_of_launches() -> None:
    ends = Ends("i-1", "i-2", "i-3")
    ends.claim(read("launch_into_warm_pool"))

    ends.ends("CONTINUE", "pooled")

    assert ends.breakers.read_breaker("lab").holds


def test_a_launch_that_its_termination_overtook_is_no_failure() -> None:
    ends = Ends("i-1", "i-2")
    ends.claim(LAUNCH)
    ends.claim(TERMINATE, OTHER)

    ends.ends("ABANDON", "abandoned")

    assert ends.breakers.read_breaker("lab").failed == {"i-1", "i-2"}


def test_a_failure_without_a_claim_counts_too() -> None:
    ends = Ends("i-1", "i-2")

    ends.completing.resort(LAUNCH, OWNER)

    assert ends.shrunk == [INSTANCE]


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        # AWS did not run a step for now.
        ("Lambda.ResourceNotReadyException", False),
        ("Lambda.ENINotReadyException", False),
        ("Lambda.TooManyRequestsException", False),
        ("Lambda.ServiceException", False),
        ("Lambda.SomethingThatAwsAddsTomorrow", False),
        ("Throttled", False),
        # It ran and failed, or can never run: every launch would.
        ("Lambda.Unknown", True),
        ("Lambda.ResourceNotFoundException", True),
        ("Lambda.AccessDeniedException", True),
        ("Runtime.ExitError", True),
        ("Sandbox.Timedout", True),
        ("States.Timeout", True),
        ("Transient", True),
        ("Permanent", True),
        ("", True),
    ],
)
@pytest.mark.parametrize("claims", [True, False])
def test_a_failure_of_the_control_plane_itself_is_not_counted(
    error: str, counted: bool, claims: bool
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    ends = Ends()
    failure = Failure(error, "refused")

    if claims:
        ends.claim(LAUNCH)
        ends.ends("ABANDON", "abandoned", failure)
    else:
        ends.completing.resort(LAUNCH, OWNER, failure)

    assert ends.hooks.results == {LAUNCH.token: "ABANDON"}
    assert ends.breakers.read_breaker("lab").failed == ({INSTANCE} if counted else set())


def refused(code: str) -> LabswarmError:
    answer = {"Error": {"Code": code, "Message": "desiredSize equals minSize"}}
    try:
        with named():
            raise ClientError(answer, "TerminateInstanceInAutoScalingGroup")  # type: ignore[arg-type]
    except LabswarmError as error:
        return error


def test_a_group_at_its_minimum_replaces_the_failed_instance() -> None:
    ends = Ends("i-1", "i-2")
    ends.at_minimum = True
    ends.claim(LAUNCH)

    assert ends.ends("ABANDON", "abandoned") == 1


@pytest.mark.parametrize(("code", "kind"), [("Throttling", Transient), ("AccessDenied", Permanent)])
def test_a_group_that_cannot_be_asked_is_asked_again(code: str, kind: type[LabswarmError]) -> None:
    ends = Ends("i-1", "i-2")
    ends.refusal = refused(code)
    ends.claim(LAUNCH)

    with pytest.raises(kind):
        ends.ends("ABANDON", "abandoned")
    assert ends.hooks.waiting >= {LAUNCH.token}


WANTS_FIVE = Decision("lab", ("5 wanted",), seats=35, nodes=5, desired=5, pause=("i-9",))
NOW = 1_800_000_000.0
"""08:00:00Z"""


def held(failed: int, ago_s: float, desired: int = 2, in_service: int = 2) -> Decision:
    breaker = Breaker(frozenset(f"i-{n}" for n in range(failed)), int(NOW - ago_s))
    members = frozenset(f"i-in-{n}" for n in range(in_service))
    return held_back(WANTS_FIVE, breaker, Group(desired, 0, 20, members), NOW)


def test_two_failures_hold_nothing() -> None:
    assert held(MOST_FAILED - 1, ago_s=0) == WANTS_FIVE


def test_nothing_is_launched_for_ten_minutes() -> None:
    decision = held(MOST_FAILED, ago_s=PAUSE_S - 60)

    assert (decision.desired, decision.held) == (None, True)
    assert (
        decision.reasons[-1]
        == "launches are held: 3 in a row failed; the next is tried at 08:01:00Z"
    )
    # Other work than a launch goes on.
    assert decision.pause == ("i-9",)


def test_after_ten_minutes_one_is_tried() -> None:
    decision = held(MOST_FAILED, ago_s=PAUSE_S)

    assert (decision.desired, decision.held) == (3, True)
    assert decision.reasons[-1].endswith("one is tried now")


def test_while_one_is_tried_no_other_is() -> None:
    decision = held(MOST_FAILED, ago_s=PAUSE_S + 60, desired=3)

    assert (decision.desired, decision.held) == (None, True)


def test_a_cluster_that_wants_no_more_is_not_held() -> None:
    content = replace(WANTS_FIVE, desired=None)

    held = Breaker(frozenset("abc"), 0)

    assert held_back(content, held, Group(2, 0, 20, frozenset()), NOW) == content


def test_the_failure_that_holds_launches_is_in_the_alarm_once() -> None:
    ends = Ends("i-1", "i-2")
    ends.claim(LAUNCH)
    failed = Failure("Transient", "Error executing action `install` on resource 'x'")

    ends.ends("ABANDON", "abandoned", failed)
    ends.ends("ABANDON", "abandoned", failed)

    (alarms,) = ends.alarms
    assert alarms.startswith("labswarm: launches of lab are held\n")
    assert "Transient: Error executing action `install` on resource 'x'" in alarms
    assert INSTANCE in alarms


@pytest.mark.parametrize("before", [(), ("i-1",), ("i-1", "i-2", "i-3")])
def test_a_failure_before_or_after_that_one_sends_nothing(before: tuple[str, ...]) -> None:
    ends = Ends(*before)
    ends.claim(LAUNCH)

    ends.ends("ABANDON", "abandoned")

    assert ends.alarms == []


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (
            {
                "Error": "Transient",
                "Cause": json.dumps({"errorMessage": "chef-client ended with 1", "stackTrace": []}),
            },
            "Transient: chef-client ended with 1",
        ),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout:"),
        ({"Error": "X", "Cause": "no\n JSON"}, "X: no JSON"),
        (None, "the execution names no error"),
    ],
)
def test_the_reason_is_the_functions_own_message(failure: object, why: str) -> None:
    assert Failure.read(failure).why == why
