"""A claim ends with every hook that waits completed, and an ended hook is a success."""

import boto3
import pytest
from botocore.stub import Stubber
from tests.support.app_twins import INSTANCE, OTHER, OWNER, TwinClock
from tests.twins.hooks import TwinHooks
from tests.twins.ledger import MemoryLedger

from labswarm.aws.hooks import AutoScalingHooks
from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm.lifecycle.complete import Subject
from labswarm.lifecycle.hooks import finish
from labswarm.lifecycle.ledger import Claim, Phase

SUBJECT: Subject = (INSTANCE, "launch", OWNER)
TOKEN = "87654321-4321-4321-4321-210987654321"


def ledger_with(tokens: dict[str, str]) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.write_claim(
        Claim(
            instance_id=INSTANCE,
            transition="launch",
            owner=OWNER,
            lease_until=0,
            tokens=tokens,
            hook="launch",
            asg="labswarm-lab-workers",
            cluster="lab",
            opened_at=0,
            phases=(Phase("claimed", 0),),
        )
    )
    return ledger


def test_every_token_is_completed_and_the_claim_is_closed() -> None:
    ledger, hooks = ledger_with({"a": "launch", "b": "launch"}), TwinHooks("a", "b", "foreign")

    assert finish(ledger, hooks, TwinClock(), SUBJECT, "ABANDON", "abandoned") == 2

    assert hooks.results == {"a": "ABANDON", "b": "ABANDON"}
    claim = ledger.read_claim(INSTANCE, "launch")
    assert claim is not None
    assert (claim.phase, claim.result, claim.closed) == ("abandoned", "ABANDON", True)


def test_a_token_that_comes_while_completing_is_completed_too() -> None:
    ledger = ledger_with({"a": "launch"})

    class DuplicateComes(TwinHooks):
        def complete(self, asg: str, hook: str, token: str, result: str) -> None:
            claim = ledger.read_claim(INSTANCE, "launch")
            assert claim is not None
            if "late" not in claim.tokens:
                ledger.write_claim(claim.with_tokens({"late": "launch"}))
            super().complete(asg, hook, token, result)  # type: ignore[arg-type]

    hooks = DuplicateComes("a", "late")
    finish(ledger, hooks, TwinClock(), SUBJECT, "CONTINUE", "joined")

    assert hooks.results == {"a": "CONTINUE", "late": "CONTINUE"}


def test_finishing_again_is_success() -> None:
    ledger, hooks = ledger_with({"a": "launch"}), TwinHooks("a")
    finish(ledger, hooks, TwinClock(), SUBJECT, "CONTINUE", "joined")

    assert finish(ledger, hooks, TwinClock(), SUBJECT, "CONTINUE", "joined") == 0


def test_after_a_crash_between_two_tokens_the_rest_is_completed() -> None:
    ledger, hooks = ledger_with({"a": "launch", "b": "launch"}), TwinHooks("b")

    finish(ledger, hooks, TwinClock(), SUBJECT, "CONTINUE", "joined")

    assert hooks.results == {"b": "CONTINUE"}


def test_only_the_owner_finishes() -> None:
    ledger, hooks = ledger_with({"a": "launch"}), TwinHooks("a")

    with pytest.raises(Permanent, match="does not hold this claim"):
        finish(ledger, hooks, TwinClock(), (INSTANCE, "launch", OTHER), "CONTINUE", "joined")

    assert hooks.waiting == {"a"}


def test_a_phase_that_is_not_final_closes_nothing() -> None:
    ledger, hooks = ledger_with({"a": "launch"}), TwinHooks("a")

    with pytest.raises(Permanent, match="no final phase"):
        finish(ledger, hooks, TwinClock(), SUBJECT, "CONTINUE", "halfway")

    assert hooks.waiting == {"a"}


def complete_answered(code: str, message: str, status: int = 400) -> None:
    client = boto3.client(
        "autoscaling", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        stub.add_client_error(
            "complete_lifecycle_action",
            code,
            message,
            http_status_code=status,
            expected_params={
                "AutoScalingGroupName": "labswarm-lab-workers",
                "LifecycleHookName": "launch",
                "LifecycleActionToken": TOKEN,
                "LifecycleActionResult": "CONTINUE",
            },
        )
        AutoScalingHooks(client).complete("labswarm-lab-workers", "launch", TOKEN, "CONTINUE")


def test_an_action_that_is_no_longer_active_is_complete() -> None:
    complete_answered("ValidationError", "No active Lifecycle Action found with token " + TOKEN)


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ValidationError", "1 validation error detected", 400, Permanent),
        ("Throttling", "Rate exceeded", 400, Transient),
        ("ResourceContention", "You already have a pending update", 500, Transient),
        ("SomethingNew", "from the service's side", 503, Transient),
        ("AccessDenied", "not authorized", 403, Permanent),
    ],
)
def test_another_refusal_is_an_error_of_its_kind(
    code: str, message: str, status: int, kind: type[LabswarmError]
) -> None:
    with pytest.raises(kind):
        complete_answered(code, message, status)
