"""One step on an instance: an SSM command of one of the app's own documents, and its answer.

A step is sent once per attempt. The ledger remembers that it is about to be sent and, after, its
command id; a later call keeps waiting for that command, and finds it by its label if a crash was in
between (SendCommand has no idempotency key). Every document is idempotent, so a command that could
not be found again does no harm by being sent twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labswarm.clock import Clock, backoff
from labswarm.commands.agent import Agent, Invocation
from labswarm.commands.hub_slots import HubSlot, HubSlots, hub_slot
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient, error_of
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Command, Ledger, change, owned

PREFIX = "labswarm-"
# Exit codes of the tools (sysexits.h), for an answer that says no more.
_KINDS = {75: "transient", 69: "gone"}
_TAIL = 300
AGAIN_S = 3
_UNDER_WAY = ("Pending", "InProgress", "Delayed")


@dataclass(frozen=True)
class Step:
    """A document to be run on an instance, for the claim on `subject`'s `transition`."""

    subject: str
    transition: Transition
    owner: str
    document: str
    target: str
    parameters: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.document.startswith(PREFIX):
            raise BadInput("document", f"is {self.document!r}; only {PREFIX}* documents are ours")

    @property
    def name(self) -> str:
        return self.document.removeprefix(PREFIX)

    def label(self, attempt: int) -> str:
        """Unique to this attempt, at most 100 characters (SendCommand's Comment)."""
        execution = self.owner.rsplit(":", 1)[-1]
        return f"{self.subject} {self.name} {attempt} {execution}"[:100]


class Commands:
    """Runs steps, remembering them in the ledger; on a hub in a slot, unless they are urgent."""

    def __init__(self, agent: Agent, ledger: Ledger, slots: HubSlots, clock: Clock) -> None:
        self._agent = agent
        self._ledger = ledger
        self._slots = slots
        self._clock = clock

    def run(self, step: Step, patience_s: float) -> dict[str, Any]:
        """The step's answer (the one JSON object its tool prints).

        Raises Transient when it is not sent or still under way after `patience_s` seconds (ask
        again: it is sent once) or when it failed in a way that may pass (ask again: it is sent
        again), and the other errors of its tool, by kind.
        """
        end = self._clock.now() + patience_s
        claim = owned(self._ledger.read_claim(step.subject, step.transition), step.owner)
        last = claim.commands.get(step.name)
        under_way = last is not None and not last.answered
        if step.target == step.subject or claim.urgent or under_way:
            return self._answer(step, last, end, None)
        holder = step.label(last.attempt + 1 if last else 1)
        with hub_slot(self._slots, self._clock, step.target, holder, patience_s) as slot:
            return self._answer(step, last, end, slot)

    def run_until_done(self, step: Step, patience_s: float) -> dict[str, Any]:
        """As `run`, and again every three seconds while it fails in a way that may pass."""
        end = self._clock.now() + patience_s
        while True:
            try:
                return self.run(step, end - self._clock.now())
            except Transient:
                if self._clock.now() + AGAIN_S >= end:
                    raise
            self._clock.sleep(AGAIN_S)

    def _answer(
        self, step: Step, last: Command | None, end: float, slot: HubSlot | None
    ) -> dict[str, Any]:
        attempt, command_id = self._started(step, last)
        for _ in backoff(self._clock, end - self._clock.now()):
            invocation = self._agent.invocation(command_id, step.target)
            if invocation and invocation.status not in _UNDER_WAY:
                self._remember(step, replace(attempt, command_id=command_id, answered=True))
                return answer(step.name, invocation)
        if slot:
            slot.keep()
        raise Transient(f"{step.name} on {step.target} is still under way ({command_id})")

    def _started(self, step: Step, last: Command | None) -> tuple[Command, str]:
        """The attempt that is under way, or a new one, and its command id."""
        if last and not last.answered:
            attempt = last
            command_id = last.command_id or self._agent.find(step.target, step.label(last.attempt))
        else:
            number = last.attempt + 1 if last else 1
            attempt, command_id = Command(number, int(self._clock.now())), None
            self._remember(step, attempt)
        if command_id is None:
            command_id = self._agent.send(
                step.target, step.document, step.parameters, step.label(attempt.attempt)
            )
        if command_id != attempt.command_id:
            attempt = replace(attempt, command_id=command_id)
            self._remember(step, attempt)
        return attempt, command_id

    def _remember(self, step: Step, command: Command) -> None:
        now = int(self._clock.now())

        def rule(claim: Claim | None) -> Claim:
            return owned(claim, step.owner).entered(step.name, now).with_command(step.name, command)

        change(self._ledger, step.subject, step.transition, rule)


def run_unclaimed(
    agent: Agent,
    slots: HubSlots,
    clock: Clock,
    command: tuple[str, str, Mapping[str, str]],
    label: str,
    patience_s: float,
) -> dict[str, Any]:
    """The answer of a hub's command that is no claim's: nobody remembers it, so it is sent each
    time.

    `command` is the hub's instance, the document and its parameters. Raises Transient when it is
    not sent or still under way after `patience_s` seconds, and the errors of its tool, by kind.
    """
    hub, document, parameters = command
    end = clock.now() + patience_s
    with hub_slot(slots, clock, hub, label, patience_s) as slot:
        command_id = agent.send(hub, document, parameters, label)
        for _ in backoff(clock, end - clock.now()):
            invocation = agent.invocation(command_id, hub)
            if invocation and invocation.status not in _UNDER_WAY:
                return answer(document.removeprefix(PREFIX), invocation)
        slot.keep()
    raise Transient(f"{document} on {hub} is still under way ({command_id})")


def answer(step: str, invocation: Invocation) -> dict[str, Any]:
    """The result of an ended command. Raises its failure, by kind.

    Statuses: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    """
    last = _last_object(invocation.stdout)
    if invocation.status == "Success":
        if last is None:
            raise Permanent(f"{step} succeeded and printed no JSON object")
        return last
    raise _failure(step, invocation, last)


def _failure(step: str, invocation: Invocation, last: dict[str, Any] | None) -> LabswarmError:
    error = (last or {}).get("error")
    if isinstance(error, Mapping):
        message = f"{step}: {error.get('name', 'error')}: {error.get('message', '')}"
        return error_of(str(error.get("kind")), message)
    what = f"{step} ended as {invocation.details} (exit code {invocation.exit_code})"
    if invocation.status == "TimedOut" or invocation.details == "Undeliverable":
        return Transient(what)
    kind = _KINDS.get(invocation.exit_code, "permanent")
    return error_of(kind, f"{what}: {invocation.stderr[-_TAIL:].strip()}")


def _last_object(text: str) -> dict[str, Any] | None:
    lines = text.strip().splitlines()
    try:
        value = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
