"""Waiting until the SSM agent of an instance that starts is online.

The worker reports that its agent has started. Whether it is online is for Systems Manager to say,
so that nobody can open the way for another instance's launch.
"""

from collections.abc import Iterable
from dataclasses import replace

from labswarm.clock import Clock
from labswarm.commands.agent import Agent
from labswarm.errors import Permanent
from labswarm.lifecycle.ledger import Claim, Command, Ledger, change, owned
from labswarm.lifecycle.work import Work
from labswarm.tasks import Tasks

STEP = "await-agent"


class Starting:
    """Answers the Tasks that wait for an agent."""

    def __init__(self, ledger: Ledger, agent: Agent, tasks: Tasks, clock: Clock) -> None:
        self._ledger = ledger
        self._agent = agent
        self._tasks = tasks
        self._clock = clock

    def await_agent(self, work: Work, token: str | None) -> bool:
        """Have `token` answered when the instance's agent is online; whether it is now.

        Raises Permanent when the claim is another's, and when the agent is not online in a launch's
        time to go forward.
        """
        # Kept first: an event that comes after the look answers it.
        claim = self._keep(work, token) if token else None
        if self._agent.online([work.instance_id]):
            if claim:
                self._end(claim)
            return True
        if work.left_s("forward_by", self._clock.now()) <= 0:
            raise Permanent(
                f"the SSM agent of {work.instance_id} was not online in the hook's time"
            )
        return False

    def has_started(self, instance_id: str) -> Claim | None:
        """Answer the Task that waits for this instance's agent if it is online; its claim then.

        Without a Task that waits, Systems Manager is not asked.
        """
        claim = self._ledger.read_claim(instance_id, "launch")
        if claim is None or _token(claim) is None or not self._agent.online([instance_id]):
            return None
        return claim if self._end(claim) else None

    def end_waits(self, claims: Iterable[Claim]) -> int:
        """Answer the Tasks of the claims whose agents are online; how many.

        One look for 50 instances. Without a Task that waits, Systems Manager is not asked.
        """
        waiting = {claim.instance_id: token for claim in claims if (token := _token(claim))}
        online = self._agent.online(waiting.keys())
        answers = [self._succeed(waiting[instance_id]) for instance_id in sorted(online)]
        return sum(answers)

    def _keep(self, work: Work, token: str) -> Claim:
        now = int(self._clock.now())

        def rule(existing: Claim | None) -> Claim:
            claim = owned(existing, work.owner)
            before = claim.commands.get(STEP)
            waits = Command(before.attempt + 1 if before else 1, now, token=token)
            return claim.entered(STEP, now).with_command(STEP, waits)

        return change(self._ledger, work.instance_id, work.transition, rule)

    def _end(self, claim: Claim) -> bool:
        """Answer the claim's Task; the claim forgets its token."""
        token = claim.commands[STEP].token
        answered = token is not None and self._succeed(token)

        def rule(existing: Claim | None) -> Claim:
            now = existing or claim
            waits = now.commands.get(STEP)
            if waits is None or waits.token != token:
                return now
            # A token has a thousand characters, and every write of the claim is paid by its size.
            return now.with_command(STEP, replace(waits, answered=True, token=None))

        change(self._ledger, claim.instance_id, claim.transition, rule)
        return answered

    def _succeed(self, token: str) -> bool:
        return self._tasks.succeed(token, {"online": True})


def _token(claim: Claim) -> str | None:
    """The token of the Task that waits for the claim's agent now, if one does."""
    waits = claim.commands.get(STEP)
    waiting = waits is not None and claim.phase == STEP and not claim.closed
    return waits.token if waits and waiting else None
