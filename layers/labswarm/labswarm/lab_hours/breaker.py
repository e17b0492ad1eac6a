"""The launch breaker: after three failed launches in a row, one is tried in ten minutes.

A broken image, or a Chef Server that is down, must not launch and end instances for ever. What
fails from then on is not replaced: its group gets one smaller, and lab hours ask for one at a time.
The first that joins ends it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from labswarm.lab_hours.demand import Decision, Group

MOST_FAILED = 3
PAUSE_S = 600


@dataclass(frozen=True)
class Breaker:
    """The instances of a cluster whose launches failed since one last joined, and when the last of
    them did (epoch seconds)."""

    failed: frozenset[str] = frozenset()
    failed_at: int = 0

    @property
    def holds(self) -> bool:
        return len(self.failed) >= MOST_FAILED

    def held(self, decision: Decision, group: Group, now: float) -> Decision:
        """The decision as far as it may be done now: one node more, when the last one that failed
        was ten minutes ago and no other is on its way."""
        if decision.desired is None or not self.holds:
            return decision
        why = f"launches are held: {len(self.failed)} in a row failed"
        next_try = self.failed_at + PAUSE_S
        if now < next_try:
            at = datetime.fromtimestamp(next_try, UTC).strftime("%H:%M:%SZ")
            return _reduced(decision, None, f"{why}; the next is tried at {at}")
        if group.desired > len(group.in_service):
            return _reduced(decision, None, f"{why}; one is being tried")
        return _reduced(decision, group.desired + 1, f"{why}; one is tried now")


class Breakers(Protocol):
    """Where each cluster's breaker is kept."""

    def read(self, cluster: str) -> Breaker:
        """The cluster's breaker; one that holds nothing when there is none."""

    def failed(self, cluster: str, instance_id: str, at: int) -> Breaker:
        """Count a launch that failed, once however often it is told; the breaker after that."""

    def joined(self, cluster: str) -> None:
        """A launch has joined: what failed before it counts no more."""


def _reduced(decision: Decision, desired: int | None, why: str) -> Decision:
    return replace(decision, desired=desired, held=True, reasons=(*decision.reasons, why))
