"""The agent on an instance, which runs commands there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Invocation:
    """A command on one instance, as the agent last reported it, and the label of its sending."""

    status: str
    details: str
    exit_code: int
    stdout: str
    stderr: str
    label: str = ""

    @property
    def is_under_way(self) -> bool:
        """Of one that is being cancelled, no agent may ever say that it has ended.

        https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
        """
        return self.status in ("Pending", "InProgress", "Delayed")


class Agent(Protocol):
    """Runs commands on instances."""

    def online(self, instances: Collection[str]) -> frozenset[str]:
        """Those of these instances whose agents will fetch commands that are sent now: one call for
        50 of them."""

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        """Send a command; returns its id."""

    def find(self, instance_id: str, document: str, label: str, since: float) -> str | None:
        """The id of the document's command sent there under this label, at `since` (epoch seconds)
        or later, if any."""

    def invocation(self, command_id: str, instance_id: str) -> Invocation | None:
        """How the command does there; None while that is not known yet."""

    def all_online(self) -> frozenset[str]:
        """The instances of the account whose agents are online."""
