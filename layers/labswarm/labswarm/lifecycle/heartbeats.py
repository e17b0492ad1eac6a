"""Keeping lifecycle hooks waiting while the work on them goes on, until its own deadline."""

from dataclasses import dataclass

from labswarm.clock import Clock
from labswarm.errors import LabswarmError
from labswarm.lifecycle.hooks import Hooks
from labswarm.lifecycle.ledger import Claim
from labswarm.lifecycle.waits import Waits


@dataclass(frozen=True)
class Beats:
    """The result of one tick: the number of heartbeats sent, the tokens that need none any more,
    and the reasons of failures (sentences).
    """

    sent: int = 0
    ended: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


class Heartbeats:
    """Sends one heartbeat for every token of every open claim."""

    def __init__(self, hooks: Hooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock

    def beat(self, waits: Waits) -> Beats:
        """One tick for a group. A failure for one token stops no other, and the next tick tries it
        again."""
        now = self._clock.now()
        sent, ended, missed = 0, [], []
        for claim in waits.claims:
            if not _is_at_work(claim, now):
                continue
            for token, hook in claim.tokens.items():
                try:
                    if self._hooks.heartbeat(claim.asg, hook, token):
                        sent += 1
                    else:
                        ended.append(token)
                except LabswarmError as error:
                    missed.append(f"{claim.transition} of {claim.instance_id}: {error}")
        return Beats(sent, tuple(ended), tuple(missed))


def _is_at_work(claim: Claim, now: float) -> bool:
    """Whether someone works on it in time; each step of the work renews the claim's lease."""
    in_time = claim.beats_until is not None and now < claim.beats_until
    return in_time and not claim.closed and now < claim.lease_until
