"""Ending the work on a lifecycle action, however it went: by its own machine, or in its place."""

from labswarm.clock import Clock
from labswarm.errors import BadInput
from labswarm.groups import Groups
from labswarm.lifecycle.breaker import MOST_FAILED, Breakers
from labswarm.lifecycle.events import (
    LifecycleEvent,
    Skip,
    SpotNotice,
    Transition,
    cluster_named,
    salvaged,
)
from labswarm.lifecycle.failure import UNNAMED, Failure
from labswarm.lifecycle.hooks import Hooks, Result, finish
from labswarm.lifecycle.launch_alarm import SendAlarm, held, malformed
from labswarm.lifecycle.ledger import Claim, Ledger

Subject = tuple[str, Transition, str]
"""Instance id, transition and owner."""
# How the work of a machine that failed ends: an instance that has to go does.
_RESORTS: dict[Transition, tuple[Result, str]] = {
    "launch": ("ABANDON", "abandoned"),
    "terminate": ("CONTINUE", "removed"),
    "rebalance": ("CONTINUE", "paused"),
}


class Completing:
    """Completes claims, and keeps the launch breaker's count."""

    def __init__(
        self,
        ledger: Ledger,
        hooks: Hooks,
        groups: Groups,
        breakers: Breakers,
        clock: Clock,
        send_alarm: SendAlarm | None = None,
    ) -> None:
        self._ledger = ledger
        self._hooks = hooks
        self._groups = groups
        self._breakers = breakers
        self._clock = clock
        self._send_alarm = send_alarm

    def complete(
        self, subject: Subject, result: Result, phase: str, failure: Failure = UNNAMED
    ) -> int:
        """Complete every lifecycle action of `subject`'s claim and close it; how many there were.

        `failure` is the reason of a failed launch. The alarm carries it when this failure is the
        one that holds further launches.
        Again after a crash, it does the rest. Raises Permanent when the claim is another's.
        """
        instance_id, transition, owner = subject
        claim = self._ledger.read_claim(instance_id, transition)
        mine = claim is not None and claim.owner == owner
        if claim and mine and transition == "launch" and result == "ABANDON" and not claim.closed:
            self._count_failure(claim.cluster, instance_id, failure)
        completed = finish(self._ledger, self._hooks, self._clock, subject, result, phase)
        if claim and mine and phase == "joined":
            self._breakers.joined(claim.cluster)
        return completed

    def resort(
        self,
        event: LifecycleEvent | SpotNotice | Skip,
        execution: str,
        failure: Failure = UNNAMED,
    ) -> str | None:
        """Complete in the place of an execution that ended otherwise than it should.

        `event` is the execution's input, `failure` its error. Returns a sentence about the action;
        None if nothing was left to do.
        """
        if isinstance(event, Skip):
            return None
        result, phase = _RESORTS[event.transition]
        claim = self._ledger.read_claim(event.instance_id, event.transition)
        if claim is not None and not claim.closed and claim.owner == execution:
            subject = (event.instance_id, event.transition, execution)
            completed = self.complete(subject, result, phase, failure)
            return f"{event.transition} of {event.instance_id}: {completed} hooks, {result}"
        if isinstance(event, LifecycleEvent) and not _is_known(claim, event.token):
            return self._resort_unclaimed(event, result, failure)
        return None

    def resort_malformed(self, given: object, execution: str, error: BadInput) -> str | None:
        """Complete in the place of an execution that was given a malformed event, and notify.

        `error` names the field. Returns a sentence about the action; None for an event that names
        no group of ours.
        """
        cluster = cluster_named(given)
        if cluster is None:
            return None
        event = salvaged(given)
        done = event and self.resort(event, execution, Failure("BadInput", str(error)))
        done = done or "the next minute starts the work of an instance that waits"
        if self._send_alarm:
            self._send_alarm(*malformed(cluster, error, done))
        return done

    def _resort_unclaimed(self, event: LifecycleEvent, result: Result, failure: Failure) -> str:
        """End the wait of an instance whose claim itself failed; nobody else knows that it waits.

        One that terminates goes on waiting, because nobody has notified or moved its students. The
        next minute starts its work, and that of a launch which the minute started.
        """
        unclaimed = f"{event.transition} of {event.instance_id}: unclaimed"
        if event.transition != "launch" or event.by_instance:
            return f"{unclaimed}, the next minute starts it"
        self._count_failure(event.cluster, event.instance_id, failure)
        self._hooks.complete(event.asg, event.hook, event.token, result)
        return f"{unclaimed}, {result}"

    def _count_failure(self, cluster: str, instance_id: str, failure: Failure) -> None:
        """Count a failed launch; while launches are held, its group gets one smaller."""
        if failure.of_control_plane:
            return
        # One that its own termination overtook says nothing about launches.
        if self._ledger.is_terminating(instance_id):
            return
        # Nor does one that is not launching: it goes already, or an event only says that it is.
        member = self._groups.member(instance_id)
        if member is None or not member.state.startswith("Pending"):
            return
        breaker = self._breakers.failed(cluster, instance_id, int(self._clock.now()))
        if not breaker.holds:
            return
        if self._send_alarm and len(breaker.failed) == MOST_FAILED:
            self._send_alarm(*held(cluster, instance_id, failure.why))
        # A group at its minimum does not shrink: it replaces the instance.
        self._groups.shrink(instance_id)


def _is_known(claim: Claim | None, token: str) -> bool:
    """Whether someone has completed this token, or will: by its name or by its instance's."""
    return claim is not None and not {token, claim.instance_id}.isdisjoint(claim.tokens)
