"""One command and its copies on instances, and the state that they come to together.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from labswarm_emulator.ssm.documents import Script

WAITING = ("Pending", "Delayed")
OPEN = (*WAITING, "InProgress", "Cancelling")

STATUS_OF = {
    "DeliveryTimedOut": "TimedOut",
    "ExecutionTimedOut": "TimedOut",
    "Undeliverable": "Failed",
}
"""The Status of those StatusDetails that are none themselves."""

_COUNTED = ("Failed", "ExecutionTimedOut", "Cancelled", "DeliveryTimedOut")
"""The endings that make a command fail, the gravest first (MaxErrors is 0)."""


@dataclass
class Invocation:
    """One command on one instance."""

    instance_id: str
    details: str = "Pending"
    response_code: int = -1
    stdout: str = ""
    stderr: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def status(self) -> str:
        return STATUS_OF.get(self.details, self.details)


@dataclass(frozen=True)
class Output:
    """Where in S3 a command's whole output goes."""

    bucket: str
    prefix: str = ""


@dataclass
class Command:
    """One SendCommand: a script for some instances."""

    document: str
    script: Script
    parameters: Mapping[str, Sequence[str]]
    comment: str
    delivery_timeout_s: int
    invocations: dict[str, Invocation]
    output: Output | None = None
    command_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def total_timeout_s(self) -> float:
        """After this time, every open invocation has timed out."""
        return self.delivery_timeout_s + self.script.timeout_s

    @property
    def expires_at(self) -> datetime:
        return self.requested_at + timedelta(seconds=self.total_timeout_s)

    @property
    def details(self) -> str:
        return overall(invocation.details for invocation in self.invocations.values())

    @property
    def status(self) -> str:
        """The command's Status, which knows no Delayed."""
        details = self.details
        return "Pending" if details == "Delayed" else STATUS_OF.get(details, details)


def overall(invocations: Iterable[str]) -> str:
    """The StatusDetails of a command whose invocations have these."""
    seen = set(invocations)
    if seen.intersection(OPEN):
        if "Cancelling" in seen:
            return "Cancelling"
        if not seen.issubset(WAITING):
            return "InProgress"
        return "Delayed" if "Delayed" in seen else "Pending"
    for details in _COUNTED:
        if details in seen:
            return details
    # Undelivered invocations count only if there are no others.
    return "Success" if "Success" in seen else "Failed"
