"""A step is sent once per attempt, in spite of crashes; its Task is answered, or looks itself."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.app_twins import INSTANCE, MANAGER, OTHER, OWNER, TwinClock
from tests.twins.agent import TwinAgent
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.ledger import MemoryLedger
from tests.twins.tasks import TwinTasks

from labswarm.commands.agent import Invocation
from labswarm.commands.steps import Attempt, Commands, Step, answer
from labswarm.errors import BadInput, Gone, LabswarmError, Permanent, Throttled, Transient
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase, errand

PAUSE = Step(
    subject=INSTANCE,
    transition="launch",
    owner=OWNER,
    document="labswarm-manager-pause",
    target=MANAGER,
    parameters={"Instance": INSTANCE},
)
NOBODY: dict[str, Any] = {"servers": [], "urgent": False}
BUSY = {"error": {"kind": "transient", "name": "NotDown", "message": "the node is ready"}}


class Bench:
    """Commands over twins, with a claim that OWNER holds."""

    def __init__(self) -> None:
        self.agent = TwinAgent()
        self.ledger = MemoryLedger()
        self.slots = MemoryHubSlots()
        self.tasks = TwinTasks("t1", "t2", "t3")
        self.clock = TwinClock()
        now = int(self.clock.now())
        self.ledger.write_claim(
            Claim(
                instance_id=INSTANCE,
                transition="launch",
                owner=OWNER,
                lease_until=now + LEASE_S,
                tokens={"t": "launch"},
                hook="launch",
                asg="labswarm-lab-workers",
                cluster="lab",
                opened_at=now,
                phases=(Phase("claimed", now),),
            )
        )

    @property
    def commands(self) -> Commands:
        return Commands(self.agent, self.ledger, self.slots, self.tasks, self.clock)

    def begin(self, which: str | None = "t1", step: Step = PAUSE) -> dict[str, Any] | None:
        return self.commands.begin(step, which)

    def ends(self, command_id: str, said: object, exit_code: int = 0) -> bool:
        """The command ends, and its event comes; whether a Task was waiting."""
        self.agent.ends(command_id, said, exit_code)
        target = next(s.instance_id for s in self.agent.sent if s.command_id == command_id)
        return self.commands.answer(command_id, target) is not None

    def claim(self) -> Claim:
        claim = self.ledger.read_claim(INSTANCE, "launch")
        assert claim is not None
        return claim

    def free_slots(self) -> int:
        now = int(self.clock.now())
        taken = [self.slots.take(MANAGER, holder, now) for holder in "abcd"]
        return 4 - taken.count(None)


def test_a_command_carries_its_document_target_and_parameters() -> None:
    bench = Bench()

    assert bench.begin() is None

    (sent,) = bench.agent.sent
    assert (sent.document, sent.instance_id) == ("labswarm-manager-pause", MANAGER)
    assert sent.parameters == {"Instance": INSTANCE}
    assert bench.tasks.ended == {}


def test_nothing_waits_for_a_command() -> None:
    bench = Bench()
    began = bench.clock.now()

    bench.begin()
    bench.ends("command-1", {"servers": []})

    assert bench.clock.now() == began


# The event of its end


def test_the_event_answers_the_task() -> None:
    bench = Bench()
    bench.begin()

    assert bench.ends("command-1", {"servers": ["a"]})

    assert bench.tasks.ended == {"t1": {"servers": ["a"], "urgent": False}}


def test_the_event_of_a_failure_fails_the_task_by_its_kind() -> None:
    bench = Bench()
    bench.begin()

    assert bench.ends("command-1", BUSY, exit_code=75)

    failed = bench.tasks.ended["t1"]
    assert isinstance(failed, Transient)
    assert "NotDown: the node is ready" in str(failed)


def test_the_answer_says_that_ec2_takes_the_instance_back() -> None:
    bench = Bench()
    bench.begin()
    bench.ledger.write_claim(replace(bench.claim(), urgent=True))

    bench.ends("command-1", {"servers": []})

    assert bench.tasks.ended == {"t1": {"servers": [], "urgent": True}}


def test_an_event_that_comes_twice_answers_once() -> None:
    bench = Bench()
    bench.begin()
    bench.ends("command-1", {"servers": []})

    assert not bench.commands.answer("command-1", MANAGER)
    bench.begin("t2")
    assert not bench.commands.answer("command-1", MANAGER)

    assert bench.tasks.waiting == {"t2", "t3"}


@pytest.mark.parametrize("events", [1, 2])
def test_an_event_after_the_tasks_time_sends_no_second_command(events: int) -> None:
    bench = Bench()
    bench.begin()
    bench.tasks.waiting.clear()

    for _ in range(events):
        assert not bench.ends("command-1", {"servers": []})

    assert bench.begin("t2") == NOBODY
    assert len(bench.agent.sent) == 1
    assert bench.free_slots() == 4


def test_an_event_of_a_command_that_goes_on_answers_nothing() -> None:
    bench = Bench()
    bench.begin()

    assert not bench.commands.answer("command-1", MANAGER)
    assert not bench.claim().commands["manager-pause"].answered


def test_the_event_of_a_command_that_is_no_claims_answers_nothing() -> None:
    bench = Bench()
    bench.agent.send(MANAGER, "labswarm-manager-pause", {}, f"{INSTANCE} pause lab hours")

    assert not bench.ends("command-1", {"servers": []})


def test_an_event_before_the_id_is_kept_answers_the_task() -> None:
    """The event may overtake the function that has sent the command."""
    bench = Bench()

    class EndsAtOnce(TwinAgent):
        def send(self, *args: Any) -> str:
            command_id = super().send(*args)
            self.ends(command_id, {"servers": []})
            assert bench.commands.answer(command_id, MANAGER)
            return command_id

    bench.agent = EndsAtOnce()

    assert bench.begin() is None

    assert bench.tasks.ended == {"t1": NOBODY}
    assert bench.claim().commands["manager-pause"].answered
    assert bench.free_slots() == 4


def test_an_event_of_a_command_that_ssm_does_not_know_yet_is_left_to_the_tasks_own_look() -> None:
    """Systems Manager is eventually consistent."""
    bench = Bench()
    bench.begin("t1")
    agent, bench.agent = bench.agent, TwinAgent()

    assert bench.commands.answer("command-1", MANAGER) is None
    bench.agent = agent
    bench.agent.ends("command-1", {"servers": []})

    assert bench.begin("t2") == NOBODY


# Commands of lab hours and reconcile, which no claim on a transition remembers

HOURS = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-lab-hours:lab-1800000000000"
PASS = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-reconcile:"
ERRAND = replace(PAUSE, transition=errand(HOURS), owner=HOURS, cluster="lab")


def test_the_event_of_an_errands_command_answers_its_task() -> None:
    bench = Bench()

    assert bench.begin(step=ERRAND) is None
    assert bench.ends("command-1", {"servers": ["a"]})

    assert bench.tasks.ended == {"t1": {"servers": ["a"], "urgent": False}}
    assert bench.free_slots() == 4
    claim = bench.ledger.read_claim(INSTANCE, ERRAND.transition)
    assert claim is not None
    assert (claim.owner, claim.cluster) == (HOURS, "lab")


def test_without_its_event_an_errands_command_is_seen_by_the_next_attempt() -> None:
    bench = Bench()
    bench.begin(step=ERRAND)
    bench.agent.ends("command-1", {"servers": []})

    assert bench.begin("t2", step=ERRAND) == NOBODY
    assert len(bench.agent.sent) == 1


def test_an_errand_is_no_claim_on_the_instance() -> None:
    bench = Bench()
    bench.begin(step=ERRAND)

    assert [claim.transition for claim in bench.ledger.about([INSTANCE])] == ["launch"]


def test_two_executions_with_the_same_errand_send_a_command_each() -> None:
    bench = Bench()
    other = replace(ERRAND, transition=errand(f"{HOURS}9"), owner=f"{HOURS}9")
    bench.begin("t1", step=ERRAND)
    bench.begin("t2", step=other)

    bench.ends("command-2", {"servers": []})

    assert bench.tasks.ended == {"t2": NOBODY}


def test_an_errand_takes_no_more_than_the_slots_of_a_hub() -> None:
    bench = Bench()
    for holder in "abcd":
        bench.slots.take(MANAGER, holder, int(bench.clock.now()) + 600)

    with pytest.raises(Throttled, match="4 commands are under way"):
        bench.begin(step=ERRAND)
    assert bench.agent.sent == []


@pytest.mark.parametrize(
    "owner",
    [
        HOURS,
        f"{PASS}scheduled-2026-11-24T080500Z",
        f"{PASS}0f8fad5b-d9cb-469f-a165-70867728950e",
        f"{PASS}by.hand+{'x' * 70}",
    ],
)
def test_an_errands_label_is_short_enough_and_read_as_it_was_written(owner: str) -> None:
    step = Step(
        "a-name-of-20-letters",
        errand(owner),
        owner,
        "labswarm-manager-remove-lost-services",
        MANAGER,
        {},
    )

    assert Attempt.parse(step.label(10)) == step.attempt(10)


# An attempt of the Task after its time is over


def test_a_command_under_way_is_waited_for_and_not_sent_again() -> None:
    bench = Bench()
    bench.begin("t1")

    assert bench.begin("t2") is None
    assert len(bench.agent.sent) == 1

    assert bench.ends("command-1", {"servers": []})
    assert bench.tasks.ended == {"t2": NOBODY}


def test_without_its_event_a_command_that_has_ended_is_seen_by_the_next_attempt() -> None:
    bench = Bench()
    bench.begin("t1")
    bench.agent.ends("command-1", {"servers": []})

    assert bench.begin("t2") == NOBODY

    assert len(bench.agent.sent) == 1
    assert bench.free_slots() == 4


def test_a_command_that_ends_during_the_look_is_not_lost() -> None:
    bench = Bench()
    bench.begin("t1")
    looked = bench.agent.invocation

    def ends_after_the_look(command_id: str, target: str) -> Invocation | None:
        now = looked(command_id, target)
        bench.agent.invocation = looked  # type: ignore[method-assign]
        bench.ends("command-1", {"servers": []})
        return now

    bench.agent.invocation = ends_after_the_look  # type: ignore[assignment, method-assign]

    assert bench.begin("t2") == NOBODY
    assert bench.tasks.ended == {"t1": NOBODY}


def test_without_a_token_a_command_is_looked_at_once_more() -> None:
    """An execution that began before a deploy has none, and calls again."""
    bench = Bench()

    assert bench.begin(None) is None
    bench.agent.ends("command-1", {"servers": []})
    assert bench.begin(None) == NOBODY


# One send per attempt


def test_an_answered_step_is_sent_again_when_it_is_requested_again() -> None:
    bench = Bench()
    for number in (1, 2):
        bench.begin(f"t{number}")
        bench.ends(f"command-{number}", {"servers": []})

    parsed = [Attempt.parse(sent.label) for sent in bench.agent.sent]
    assert [attempt.number for attempt in parsed if attempt] == [1, 2]


def test_a_label_is_read_as_it_was_written() -> None:
    attempt = PAUSE.attempt(12)
    long = replace(PAUSE, owner=f"{OWNER}-{'x' * 80}")

    assert attempt == Attempt(INSTANCE, "launch", "manager-pause", 12)
    assert Attempt.parse(attempt.label(OWNER)) == attempt
    assert len(long.label(12)) == 100
    assert Attempt.parse(long.label(12)) == attempt


@pytest.mark.parametrize(
    "label", ["", "lab reconcile nodes", f"{INSTANCE} pause lab hours", f"{INSTANCE} launch a b c"]
)
def test_another_label_is_no_claims(label: str) -> None:
    assert Attempt.parse(label) is None


def test_after_a_crash_before_the_id_was_kept_the_command_is_found_and_not_sent_again() -> None:
    bench = Bench()

    class Crash(Exception):
        pass

    class CrashesAfterSending(TwinAgent):
        def send(self, *args: Any) -> str:
            super().send(*args)
            raise Crash

    bench.agent = CrashesAfterSending()
    with pytest.raises(Crash):
        bench.begin()
    assert bench.claim().commands["manager-pause"].command_id is None

    bench.agent = TwinAgent(bench.agent.sent)

    assert bench.begin("t2") is None
    assert bench.ends("command-1", {"servers": []})
    assert len(bench.agent.sent) == 1


def test_after_a_crash_before_sending_the_same_attempt_is_sent() -> None:
    bench = Bench()

    class Crash(Exception):
        pass

    class CrashesBeforeSending(TwinAgent):
        def send(self, *args: Any) -> str:
            raise Crash

    bench.agent = CrashesBeforeSending()
    with pytest.raises(Crash):
        bench.begin()

    bench.agent = TwinAgent()
    bench.begin("t2")

    assert [sent.label.split()[3] for sent in bench.agent.sent] == ["1"]


def test_a_throttled_command_is_not_under_way_and_holds_no_slot() -> None:
    bench = Bench()

    class Throttles(TwinAgent):
        def send(self, *args: Any) -> str:
            raise Throttled("Rate exceeded")

        def find(self, instance_id: str, document: str, label: str, since: float) -> str | None:
            raise AssertionError("it was not sent, so nobody searches for it")

    bench.agent = Throttles()
    for token in ("t1", "t2"):
        with pytest.raises(Throttled):
            bench.begin(token)

    assert bench.free_slots() == 4


def test_the_ledger_shows_where_the_work_is_and_the_lease_is_renewed() -> None:
    bench = Bench()
    bench.clock.sleep(100)
    bench.begin()

    claim = bench.claim()
    assert [phase.phase for phase in claim.phases] == ["claimed", "manager-pause"]
    assert claim.lease_until == int(bench.clock.now()) + LEASE_S


def test_a_token_is_kept_no_longer_than_it_is_needed() -> None:
    """It has a thousand characters, and each write of a claim is paid by its size."""
    bench = Bench()
    bench.begin()
    bench.ends("command-1", {"servers": []})

    assert bench.claim().commands["manager-pause"].token is None


def test_only_the_owner_of_the_claim_may_command() -> None:
    bench = Bench()

    with pytest.raises(Permanent, match="does not hold this claim"):
        bench.begin(step=replace(PAUSE, owner=OTHER))

    assert bench.agent.sent == []


def test_only_our_documents_are_sent() -> None:
    with pytest.raises(BadInput) as refused:
        replace(PAUSE, document="AWS-RunShellScript")

    assert refused.value.field == "document"


@pytest.mark.parametrize(
    ("invocation", "kind"),
    [
        (Invocation("Failed", "Failed", 75, "", ""), Transient),
        (Invocation("Failed", "Failed", 69, "", ""), Gone),
        (Invocation("Failed", "Failed", 1, "", "Traceback"), Permanent),
        (Invocation("Failed", "Failed", 2, "no json", "usage"), Permanent),
        (Invocation("Failed", "Failed", 1, '{"error": {"kind": "gone"}}', ""), Gone),
        (Invocation("Failed", "Undeliverable", -1, "", ""), Transient),
        (Invocation("TimedOut", "Delivery Timed Out", -1, "", ""), Transient),
        (Invocation("TimedOut", "Execution Timed Out", -1, "", ""), Transient),
        (Invocation("Cancelled", "Cancelled", -1, "", ""), Permanent),
        (Invocation("Success", "Success", 0, "no json", ""), Permanent),
        (Invocation("Success", "Success", 0, "", ""), Permanent),
    ],
)
def test_an_invalid_answer_is_an_error_of_its_kind(
    invocation: Invocation, kind: type[LabswarmError]
) -> None:
    with pytest.raises(kind) as failed:
        answer("node-join", invocation)

    assert type(failed.value) is kind
    assert "node-join" in str(failed.value)


@pytest.mark.parametrize("status", ["Cancelling", "Cancelled"])
def test_a_command_that_is_cancelled_is_over_at_once(status: str) -> None:
    """Nobody waits for the agent, which may never say that it has ended."""
    bench = Bench()
    bench.begin()
    bench.agent.ended["command-1"] = Invocation(status, status, -1, "", "")

    assert bench.commands.answer("command-1", MANAGER)

    assert isinstance(bench.tasks.ended["t1"], LabswarmError)
    assert bench.claim().commands[PAUSE.name].answered


@pytest.mark.parametrize(
    "attempt", [pytest.param(1, id="the first"), pytest.param(10**9, id="a late one")]
)
def test_the_label_of_an_attempt_fits_into_a_comment_of_ssm(attempt: int) -> None:
    """SendCommand refuses a longer one: 100 characters."""
    longest = replace(
        PAUSE,
        subject=f"i-{'0' * 17}",
        document=f"labswarm-{'x' * 119}",
        owner=f"arn:aws:states:eu-west-1:1:execution:m:{'e' * 80}",
    )

    label = longest.label(attempt)
    assert len(label) == 100
    assert label.startswith(longest.subject)


# A hub's slots


def test_a_command_on_a_hub_is_not_sent_without_a_slot_and_has_not_failed() -> None:
    bench = Bench()
    for holder in "abcd":
        bench.slots.take(MANAGER, holder, int(bench.clock.now()) + 30)

    with pytest.raises(Throttled, match="4 commands are under way on i-0fedcba9876543210"):
        bench.begin()

    assert bench.agent.sent == []
    assert "manager-pause" not in bench.claim().commands


@pytest.mark.parametrize(("said", "exit_code"), [({"servers": []}, 0), ({}, 1)])
def test_a_slot_is_free_again_once_its_command_has_ended_well_or_badly(
    said: object, exit_code: int
) -> None:
    bench = Bench()
    bench.begin()
    bench.ends("command-1", said, exit_code)

    assert bench.free_slots() == 4


def test_a_command_under_way_keeps_its_slot_and_needs_none_to_be_looked_at() -> None:
    bench = Bench()
    bench.begin()

    assert bench.free_slots() == 3
    assert bench.begin("t2") is None


@pytest.mark.parametrize("urgent", [True, False])
def test_an_urgent_command_and_one_on_the_node_itself_ask_for_no_slot(urgent: bool) -> None:
    bench = Bench()
    for hub in (MANAGER, INSTANCE):
        for holder in "abcd":
            bench.slots.take(hub, holder, int(bench.clock.now()) + 600)
    if urgent:
        bench.ledger.write_claim(replace(bench.claim(), urgent=True))

    assert bench.begin(step=PAUSE if urgent else replace(PAUSE, target=INSTANCE)) is None
    assert len(bench.agent.sent) == 1
