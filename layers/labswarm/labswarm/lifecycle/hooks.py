"""The Auto Scaling group's side: how long its hooks wait, and ending those waits."""

from typing import Literal, Protocol

from labswarm.clock import Clock
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Ledger, change, owned

Result = Literal["CONTINUE", "ABANDON"]


class Hooks(Protocol):
    """The lifecycle hooks of Auto Scaling groups.

    A `token` is a lifecycle action's, or an instance's id for the action in which it waits now.
    """

    def timeout_s(self, asg: str, hook: str) -> int:
        """The seconds that an instance waits in the hook without a heartbeat."""

    def heartbeat(self, asg: str, hook: str, token: str) -> bool:
        """Restart that time for the token's wait; return False if the wait has ended."""

    def complete(self, asg: str, hook: str, token: str, result: Result) -> None:
        """End the wait that the token names; one that has ended is success."""


def finish(
    ledger: Ledger,
    hooks: Hooks,
    clock: Clock,
    subject: tuple[str, Transition, str],
    result: Result,
    phase: str,
) -> int:
    """Complete every lifecycle action of a claim and close it; returns how many there were.

    `subject` is instance id, transition and owner. A token that is added meanwhile is completed
    too: the claim closes only as it was read. Again after a crash, it does the rest.
    """
    instance_id, transition, owner = subject
    completed: set[str] = set()

    def rule(existing: Claim | None) -> Claim:
        if existing and existing.owner == owner and existing.closed and existing.phase == phase:
            return existing
        claim = owned(existing, owner)
        ended = claim.ended(phase, result, int(clock.now()))
        for token, hook in claim.tokens.items():
            if token not in completed:
                hooks.complete(claim.asg, hook, token, result)
                completed.add(token)
        return ended

    change(ledger, instance_id, transition, rule)
    return len(completed)
