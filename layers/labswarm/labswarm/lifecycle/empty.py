"""Waiting until the students on a node that goes have left it, or until there is another reason to
look at it again.

The hub's snapshots say who is there, so nobody is asked while nothing changes.
"""

import math
from collections.abc import Iterable
from typing import Literal

from labswarm.clock import Clock
from labswarm.lifecycle.ledger import Claim, Command, Ledger, change, owned
from labswarm.lifecycle.work import Work
from labswarm.snapshot import Snapshot, Snapshots
from labswarm.tasks import Tasks

Reason = Literal["empty", "interrupted", "time", "unknown"]
STEP = "await-empty"
# A server that was placed before the pause is in a snapshot that is so much younger.
_SETTLED_S = 5
# Without snapshots the hub is asked so often.
_ASK_AGAIN_S = 60
# The step that pauses the node, and answers who is there (labswarm.commands.steps).
_PAUSE = "manager-pause"


def reason_to_look(
    claim: Claim, snapshot: Snapshot | None, left_s: float, now: float
) -> Reason | None:
    """The reason to look at a claim's node now; None while its students have time to leave.

    `left_s` is the rest of their time. A paused node takes no new servers, so one that a newer
    snapshot shows without any stays empty.
    """
    if claim.urgent:
        return "interrupted"
    if left_s <= 0:
        return "time"
    paused = claim.commands.get(_PAUSE)
    paused_at = paused.at if paused else claim.opened_at
    if snapshot is None or not snapshot.fresh(now):
        return "unknown" if now - paused_at >= _ASK_AGAIN_S else None
    if snapshot.taken_at < paused_at + _SETTLED_S:
        return None
    there = [node for node in snapshot.nodes if node.instance_id == claim.instance_id]
    occupied = any(node.state != "down" and node.seats_used for node in there)
    return None if occupied else "empty"


class Emptying:
    """Answers the Tasks that wait for students to leave."""

    def __init__(self, ledger: Ledger, snapshots: Snapshots, tasks: Tasks, clock: Clock) -> None:
        self._ledger = ledger
        self._snapshots = snapshots
        self._tasks = tasks
        self._clock = clock

    def await_empty(self, work: Work, token: str) -> Reason | None:
        """Have `token` answered when there is a reason to look; the reason there is now, if any.

        Raises Permanent when the claim is another's.
        """
        now = self._clock.now()

        def rule(existing: Claim | None) -> Claim:
            claim = owned(existing, work.owner)
            before = claim.commands.get(STEP)
            number = before.attempt + 1 if before else 1
            waits = Command(number, int(now), token=token)
            return claim.entered(STEP, int(now)).with_command(STEP, waits)

        # Kept first: a warning that makes the claim urgent after this answers the token.
        claim = change(self._ledger, work.instance_id, work.transition, rule)
        snapshot = self._snapshots.read_snapshot(work.cluster)
        reason = reason_to_look(claim, snapshot, work.left_s("empty_by", now), now)
        if reason:
            self._tasks.succeed(token, {"reason": reason})
        return reason

    def end_waits(self, cluster: str, claims: Iterable[Claim]) -> int:
        """Answer those of the claims' Tasks that wait for students who have left; how many.

        The Tasks themselves end with the students' time. Without a claim that waits, no call is
        made.
        """
        waiting = [claim for claim in claims if claim.phase == STEP and not claim.closed]
        if not waiting:
            return 0
        snapshot, now = self._snapshots.read_snapshot(cluster), self._clock.now()
        ended = 0
        for claim in waiting:
            reason = reason_to_look(claim, snapshot, math.inf, now)
            token = claim.commands[STEP].token
            if reason and token:
                ended += self._tasks.succeed(token, {"reason": reason})
        return ended


def hurry(claim: Claim, tasks: Tasks) -> None:
    """End the wait for students on a node that EC2 takes back."""
    waits = claim.commands.get(STEP)
    if claim.urgent and not claim.closed and waits and waits.token:
        tasks.succeed(waits.token, {"reason": "interrupted"})
