"""A step is sent once per attempt, in spite of crashes; its answer or its failure comes back."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.app_twins import INSTANCE, MANAGER, OTHER, OWNER, TwinClock
from tests.twins.agent import TwinAgent
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.ledger import MemoryLedger

from labswarm.commands.agent import Invocation
from labswarm.commands.steps import Commands, Step, answer
from labswarm.errors import BadInput, Gone, LabswarmError, Permanent, Transient
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase

PAUSE = Step(
    subject=INSTANCE,
    transition="launch",
    owner=OWNER,
    document="labswarm-manager-pause",
    target=MANAGER,
    parameters={"Instance": INSTANCE},
)


class Bench:
    """Commands over twins, with a claim that OWNER holds."""

    def __init__(self) -> None:
        self.agent = TwinAgent()
        self.ledger = MemoryLedger()
        self.slots = MemoryHubSlots()
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

    def run(self, step: Step = PAUSE) -> dict[str, Any]:
        return Commands(self.agent, self.ledger, self.slots, self.clock).run(step, patience_s=90)

    def claim(self) -> Claim:
        claim = self.ledger.read_claim(INSTANCE, "launch")
        assert claim is not None
        return claim


def test_a_command_carries_its_document_target_and_parameters() -> None:
    bench = Bench()
    with pytest.raises(Transient):
        bench.run()

    (sent,) = bench.agent.sent
    assert (sent.document, sent.instance_id) == ("labswarm-manager-pause", MANAGER)
    assert sent.parameters == {"Instance": INSTANCE}


def test_a_command_under_way_is_waited_for_and_not_sent_again() -> None:
    bench = Bench()
    began = bench.clock.now()
    with pytest.raises(Transient, match="still under way"):
        bench.run()
    assert 90 <= bench.clock.now() - began < 100

    bench.agent.ends("command-1", {"servers": []})

    assert bench.run() == {"servers": []}
    assert len(bench.agent.sent) == 1


def test_an_answered_step_is_sent_again_when_it_is_requested_again() -> None:
    bench = Bench()
    bench.agent.ends("command-1", {"servers": ["a"]})
    bench.agent.ends("command-2", {"servers": []})

    assert [bench.run(), bench.run()] == [{"servers": ["a"]}, {"servers": []}]
    assert [sent.label.split()[2] for sent in bench.agent.sent] == ["1", "2"]


def test_a_failed_attempt_that_may_pass_is_followed_by_another() -> None:
    bench = Bench()
    busy = {"error": {"kind": "transient", "name": "NotDown", "message": "the node is ready"}}
    bench.agent.ends("command-1", busy, exit_code=75)
    bench.agent.ends("command-2", {"removed": True})

    with pytest.raises(Transient, match="NotDown: the node is ready"):
        bench.run()

    assert bench.run() == {"removed": True}


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
        bench.run()
    assert bench.claim().commands["manager-pause"].command_id is None

    bench.agent = TwinAgent(bench.agent.sent)
    bench.agent.ends("command-1", {"servers": []})

    assert bench.run() == {"servers": []}
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
        bench.run()

    bench.agent = TwinAgent()
    bench.agent.ends("command-1", {"servers": []})

    assert bench.run() == {"servers": []}
    assert [sent.label.split()[2] for sent in bench.agent.sent] == ["1"]


def test_the_ledger_shows_where_the_work_is_and_the_lease_is_renewed() -> None:
    bench = Bench()
    bench.clock.sleep(100)
    bench.agent.ends("command-1", {"servers": []})
    bench.run()

    claim = bench.claim()
    assert [phase.phase for phase in claim.phases] == ["claimed", "manager-pause"]
    assert claim.lease_until == int(bench.clock.now()) + LEASE_S


def test_only_the_owner_of_the_claim_may_command() -> None:
    bench = Bench()

    with pytest.raises(Permanent, match="does not hold this claim"):
        bench.run(replace(PAUSE, owner=OTHER))

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
    bench.agent.ended["command-1"] = Invocation(status, status, -1, "", "")
    began = bench.clock.now()

    with pytest.raises(LabswarmError):
        bench.run()

    assert bench.clock.now() == began
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


def test_a_command_on_a_hub_waits_for_a_slot_and_is_not_sent_without_one() -> None:
    bench = Bench()
    for holder in "abcd":
        bench.slots.take(MANAGER, holder, int(bench.clock.now()) + 30)

    with pytest.raises(Transient, match="4 commands are under way on i-0fedcba9876543210"):
        bench.run()

    assert bench.agent.sent == []
    assert "manager-pause" not in bench.claim().commands


def test_a_slot_is_free_again_once_its_command_has_ended_well_or_badly() -> None:
    bench = Bench()
    for number in range(1, 12, 2):
        bench.agent.ends(f"command-{number}", {"servers": []})
        bench.agent.ends(f"command-{number + 1}", {}, exit_code=1)
        bench.run()
        with pytest.raises(Permanent):
            bench.run()


def test_a_command_that_goes_on_keeps_its_slot_and_needs_none_to_be_waited_for() -> None:
    bench = Bench()
    bench.clock = TwinClock()
    with pytest.raises(Transient):
        Commands(bench.agent, bench.ledger, bench.slots, bench.clock).run(PAUSE, patience_s=5)
    now = int(bench.clock.now())
    assert [bench.slots.take(MANAGER, holder, now) for holder in "abcd"].count(None) == 1
    bench.agent.ends("command-1", {"servers": []})

    assert bench.run() == {"servers": []}


@pytest.mark.parametrize("urgent", [True, False])
def test_an_urgent_command_and_one_on_the_node_itself_ask_for_no_slot(urgent: bool) -> None:
    bench = Bench()
    for hub in (MANAGER, INSTANCE):
        for holder in "abcd":
            bench.slots.take(hub, holder, int(bench.clock.now()) + 600)
    if urgent:
        bench.ledger.write_claim(replace(bench.claim(), urgent=True))
    bench.agent.ends("command-1", {})

    assert bench.run(PAUSE if urgent else replace(PAUSE, target=INSTANCE)) == {}


# The failures that are retried in one call


def test_a_transient_failure_is_sent_again_until_it_is_done() -> None:
    bench = Bench()
    busy = {"error": {"kind": "transient", "name": "NotDown", "message": "the node is ready"}}
    for number in range(1, 6):
        bench.agent.ends(f"command-{number}", busy, exit_code=75)
    bench.agent.ends("command-6", {"removed": True})
    began = bench.clock.now()

    assert Commands(bench.agent, bench.ledger, bench.slots, bench.clock).run_until_done(
        PAUSE, 90
    ) == {"removed": True}
    assert bench.clock.now() - began == 15


def test_a_failure_that_lasts_is_reported_and_a_permanent_one_at_once() -> None:
    bench = Bench()
    busy = {"error": {"kind": "transient", "name": "NotDown", "message": "the node is ready"}}
    for number in range(1, 40):
        bench.agent.ends(f"command-{number}", busy, exit_code=75)
    commands = Commands(bench.agent, bench.ledger, bench.slots, bench.clock)
    began = bench.clock.now()

    with pytest.raises(Transient, match="the node is ready"):
        commands.run_until_done(PAUSE, 90)
    assert bench.clock.now() - began <= 90

    sent = len(bench.agent.sent)
    bench.agent.ends(f"command-{sent + 1}", {"error": {"kind": "gone", "message": "no node"}}, 69)
    with pytest.raises(Gone):
        commands.run_until_done(PAUSE, 90)
    assert len(bench.agent.sent) == sent + 1
