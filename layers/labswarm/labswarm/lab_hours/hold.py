"""While launches fail, lab hours try one launch in ten minutes (labswarm.lifecycle.breaker)."""

from dataclasses import replace
from datetime import UTC, datetime

from labswarm.groups import Group
from labswarm.lab_hours.demand import Decision
from labswarm.lifecycle.breaker import Breaker

PAUSE_S = 600


def held_back(decision: Decision, breaker: Breaker, group: Group, now: float) -> Decision:
    """The decision as far as the breaker allows it at `now` (epoch seconds).

    While the breaker holds, it is one node more when the last failure was ten minutes ago and no
    other launch is under way, and none otherwise.
    """
    if decision.desired is None or not breaker.holds:
        return decision
    why = f"launches are held: {len(breaker.failed)} in a row failed"
    next_try = breaker.failed_at + PAUSE_S
    if now < next_try:
        at = datetime.fromtimestamp(next_try, UTC).strftime("%H:%M:%SZ")
        return _reduced(decision, None, f"{why}; the next is tried at {at}")
    if group.desired > len(group.in_service):
        return _reduced(decision, None, f"{why}; one is being tried")
    return _reduced(decision, group.desired + 1, f"{why}; one is tried now")


def _reduced(decision: Decision, desired: int | None, why: str) -> Decision:
    return replace(decision, desired=desired, held=True, reasons=(*decision.reasons, why))
