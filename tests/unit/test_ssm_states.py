"""The state of a command, made of those of its invocations."""

import pytest

from labswarm_emulator.ssm.command import Command, Invocation
from labswarm_emulator.ssm.documents import Script


def command(*details: str) -> Command:
    invocations = {f"i-{n}": Invocation(f"i-{n}", one) for n, one in enumerate(details)}
    return Command("doc", Script("run", "true", {}, 60), {}, "", 30, invocations)


@pytest.mark.parametrize(
    ("invocations", "status", "details"),
    [
        (["Pending", "Pending"], "Pending", "Pending"),
        (["Pending", "Delayed"], "Pending", "Delayed"),
        (["Pending", "InProgress"], "InProgress", "InProgress"),
        (["Success", "Pending"], "InProgress", "InProgress"),
        (["Cancelling", "InProgress"], "Cancelling", "Cancelling"),
        (["Success", "Success"], "Success", "Success"),
        (["Success", "Failed"], "Failed", "Failed"),
        (["Success", "ExecutionTimedOut"], "TimedOut", "ExecutionTimedOut"),
        (["Success", "DeliveryTimedOut"], "TimedOut", "DeliveryTimedOut"),
        (["DeliveryTimedOut", "Failed"], "Failed", "Failed"),
        (["Success", "Cancelled"], "Cancelled", "Cancelled"),
        (["Success", "Undeliverable"], "Success", "Success"),
        (["Undeliverable", "Undeliverable"], "Failed", "Failed"),
    ],
)
def test_a_commands_state_is_made_of_its_invocations(
    invocations: list[str], status: str, details: str
) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html"""
    made = command(*invocations)
    assert (made.status, made.details) == (status, details)


@pytest.mark.parametrize(
    ("details", "status"),
    [
        ("Delayed", "Delayed"),
        ("Cancelling", "Cancelling"),
        ("ExecutionTimedOut", "TimedOut"),
        ("DeliveryTimedOut", "TimedOut"),
        ("Undeliverable", "Failed"),
    ],
)
def test_an_invocations_status_is_less_exact_than_its_details(details: str, status: str) -> None:
    assert Invocation("i-0", details).status == status


def test_a_command_expires_after_both_timeouts() -> None:
    made = command("Pending")
    assert made.total_timeout_s == 90
    assert (made.expires_at - made.requested_at).total_seconds() == 90
