"""One step on an instance: an SSM command of one of the app's own documents, and its answer.

A step is sent once per attempt. The ledger remembers that it is about to be sent, the Task that
waits for it and, after, its command id. The event of the command's end answers the Task; a Task
whose time is over looks at the same command itself. A command whose id was lost in a crash is found
by its label (SendCommand has no idempotency key). Every document is idempotent, so a command that
could not be found again does no harm by being sent twice.

Lab hours and reconcile have commands to a hub that concern no lifecycle action. The execution has a
claim of its own for each, called an errand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labswarm.clock import Clock
from labswarm.cluster import INSTANCE_ID, NAME
from labswarm.commands.agent import Agent, Invocation
from labswarm.commands.hub_slots import ORDINARY, HubSlots
from labswarm.errors import BadInput, LabswarmError, Permanent, Throttled, Transient, error_of
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import (
    ERRAND,
    LEASE_S,
    TRANSITIONS,
    Claim,
    Command,
    Errand,
    Ledger,
    Phase,
    change,
    owned,
)
from labswarm.names import app_name
from labswarm.tasks import Tasks

# Exit codes of the tools (sysexits.h), for an answer that says no more.
_KINDS = {75: "transient", 69: "gone"}
_TAIL = 300
# Our clock's time of an attempt may be so much after SSM's time of its command.
_CLOCKS_APART_S = 60


@dataclass(frozen=True)
class Attempt:
    """A command's attempt, step and claim, as its label says."""

    subject: str
    transition: Transition | Errand
    step: str
    number: int

    def label(self, owner: str) -> str:
        """Unique to this attempt, at most 100 characters (SendCommand's Comment)."""
        execution = owner.rsplit(":", 1)[-1]
        words = (self.subject, self.transition, self.step, str(self.number), execution)
        # An errand names its execution already.
        return " ".join(words[:4] if ERRAND.fullmatch(self.transition) else words)[:100]

    @classmethod
    def parse(cls, label: str) -> "Attempt | None":
        """Read what `label` wrote; None for the label of a command that is no claim's."""
        match label.split(" "):
            case [subject, transition, step, number, _] if (
                INSTANCE_ID.fullmatch(subject) and transition in TRANSITIONS and number.isdecimal()
            ):
                return cls(subject, transition, step, int(number))
            case [subject, errand, step, number] if (
                NAME.fullmatch(subject) and ERRAND.fullmatch(errand) and number.isdecimal()
            ):
                return cls(subject, Errand(errand), step, int(number))
        return None


@dataclass(frozen=True)
class Step:
    """A document to be run on an instance, for the claim on `subject`'s `transition`.

    An errand's subject is an instance or `cluster`.
    """

    subject: str
    transition: Transition | Errand
    owner: str
    document: str
    target: str
    parameters: Mapping[str, str]
    cluster: str = ""

    def __post_init__(self) -> None:
        if not self.document.startswith(app_name("")):
            ours = app_name("*")
            raise BadInput("document", f"is {self.document!r}; only {ours} documents are ours")

    @property
    def name(self) -> str:
        return self.document.removeprefix(app_name(""))

    def attempt(self, number: int) -> Attempt:
        return Attempt(self.subject, self.transition, self.name, number)

    def label(self, number: int) -> str:
        return self.attempt(number).label(self.owner)


class Commands:
    """Sends steps and answers the Tasks that wait for them; nothing here waits.

    On a hub a command holds a slot while it is under way, unless it is urgent.
    """

    def __init__(
        self, agent: Agent, ledger: Ledger, slots: HubSlots, tasks: Tasks, clock: Clock
    ) -> None:
        self._agent = agent
        self._ledger = ledger
        self._slots = slots
        self._tasks = tasks
        self._clock = clock

    def begin(self, step: Step, token: str | None) -> dict[str, Any] | None:
        """Send the step, or look at the attempt that is under way; its answer if it has ended.

        None: `token` is answered when it ends. Without a token it is looked at once more. Raises
        Throttled when SSM or the hub takes no more commands for now, the errors of the step's tool,
        by kind, and Permanent when the claim is another's.
        """
        claim = self._held(step, self._ledger.read_claim(step.subject, step.transition))
        last = claim.commands.get(step.name)
        if last is None or last.answered:
            return self._send(step, self._next(step, claim, last), token)
        command_id = last.command_id or self._found(step, last)
        if command_id is None:
            return self._send(step, last, token)
        if ended := self._look(step, last, command_id):
            return ended
        kept = self._keep(step, replace(last, command_id=command_id, token=token))
        # It may have ended since the look: then the event has answered the token before.
        return self._look(step, kept, command_id) if kept.answered else None

    def answer(self, command_id: str, target: str) -> Claim | None:
        """Answer the Task that waits for a command that has ended; its claim, if one was waiting.

        A command that is no claim's is left alone. So is one that SSM still does not know: the
        Task looks at it itself when its time is over.
        """
        invocation = self._agent.invocation(command_id, target)
        if invocation is None or invocation.is_under_way:
            return None
        attempt = Attempt.parse(invocation.label)
        if attempt is None:
            return None
        claim, command = self._ended(attempt, command_id)
        if command is None:
            return None
        self._give_back(target, command, invocation.label)
        if command.token and self._answered(command.token, claim, attempt.step, invocation):
            return claim
        # No Task waits now: the next one looks at this command, and sends no other.
        self._reopen(attempt, command_id)
        return None

    def _answered(self, token: str, claim: Claim | None, step: str, invocation: Invocation) -> bool:
        try:
            result = _result(claim, step, invocation)
        except LabswarmError as error:
            return self._tasks.fail(token, error)
        return self._tasks.succeed(token, result)

    def _found(self, step: Step, attempt: Command) -> str | None:
        """The id of a command that was sent, perhaps, before its sender crashed."""
        label, since = step.label(attempt.attempt), attempt.at - _CLOCKS_APART_S
        return self._agent.find(step.target, step.document, label, since)

    def _held(self, step: Step, existing: Claim | None) -> Claim:
        """The owner's claim. One on an errand begins with its first command.

        Raises Permanent when the claim is another's.
        """
        if existing is None and ERRAND.fullmatch(step.transition):
            now = int(self._clock.now())
            return Claim(
                instance_id=step.subject,
                transition=step.transition,
                owner=step.owner,
                lease_until=now + LEASE_S,
                tokens={},
                hook="",
                asg="",
                cluster=step.cluster,
                opened_at=now,
                phases=(Phase(step.name, now),),
            )
        return owned(existing, step.owner)

    def _next(self, step: Step, claim: Claim, last: Command | None) -> Command:
        """The next attempt; on a hub it holds a slot, unless it is urgent."""
        number, now = last.attempt + 1 if last else 1, int(self._clock.now())
        if step.target == step.subject or claim.urgent:
            return Command(number, now)
        slot = self._slots.take(step.target, step.label(number), now)
        if slot is None:
            raise Throttled(f"{ORDINARY} commands are under way on {step.target}")
        return Command(number, now, slot=slot)

    def _send(self, step: Step, attempt: Command, token: str | None) -> dict[str, Any] | None:
        attempt = self._keep(step, replace(attempt, token=token))
        label = step.label(attempt.attempt)
        try:
            command_id = self._agent.send(step.target, step.document, step.parameters, label)
        except Throttled:
            # It was not sent: nothing is under way, and nobody has to search for it.
            self._keep(step, replace(attempt, answered=True))
            self._give_back(step.target, attempt, label)
            raise
        kept = self._keep(step, replace(attempt, command_id=command_id))
        return None if token else self._look(step, kept, command_id)

    def _look(self, step: Step, attempt: Command, command_id: str) -> dict[str, Any] | None:
        invocation = self._agent.invocation(command_id, step.target)
        if invocation is None or invocation.is_under_way:
            return None
        claim, _ = self._ended(step.attempt(attempt.attempt), command_id)
        self._give_back(step.target, attempt, step.label(attempt.attempt))
        return _result(claim, step.name, invocation)

    def _keep(self, step: Step, command: Command) -> Command:
        """Write the attempt to the claim; return the claim's one, which may be over."""
        now = int(self._clock.now())

        def rule(existing: Claim | None) -> Claim:
            claim = self._held(step, existing).entered(step.name, now)
            there = claim.commands.get(step.name)
            if there and there.attempt == command.attempt and there.answered:
                return claim
            return claim.with_command(step.name, command)

        return change(self._ledger, step.subject, step.transition, rule).commands[step.name]

    def _ended(self, attempt: Attempt, command_id: str) -> tuple[Claim | None, Command | None]:
        """Remember that the attempt has ended: the claim, and the attempt as it was until now.

        No attempt: that it has ended was known before, or nobody asks for it any more.
        """
        read = self._ledger.read_claim(attempt.subject, attempt.transition)
        if read is None or read.closed:
            return read, None
        before: list[Command] = []

        def rule(existing: Claim | None) -> Claim:
            claim = existing or read
            command = claim.commands.get(attempt.step)
            before.clear()
            if command is None or command.attempt != attempt.number or command.answered:
                return claim
            before.append(command)
            # A token has a thousand characters, and every write of the claim is paid by its size.
            ended = replace(command, command_id=command_id, answered=True, token=None)
            return claim.with_command(attempt.step, ended)

        claim = change(self._ledger, attempt.subject, attempt.transition, rule)
        return claim, before[0] if before else None

    def _reopen(self, attempt: Attempt, command_id: str) -> None:
        """Have the attempt count as under way again, if it is the step's last one still."""
        read = self._ledger.read_claim(attempt.subject, attempt.transition)
        if read is None:
            return

        def rule(existing: Claim | None) -> Claim:
            claim = existing or read
            command = claim.commands.get(attempt.step)
            if claim.closed or command is None or command.attempt != attempt.number:
                return claim
            unanswered = replace(command, command_id=command_id, answered=False)
            return claim.with_command(attempt.step, unanswered)

        change(self._ledger, attempt.subject, attempt.transition, rule)

    def _give_back(self, target: str, command: Command, holder: str) -> None:
        if command.slot is not None:
            self._slots.give_back(target, command.slot, holder)


def _result(claim: Claim | None, step: str, invocation: Invocation) -> dict[str, Any]:
    """A step's answer, and whether EC2 takes the claim's instance back."""
    return {**answer(step, invocation), "urgent": claim is not None and claim.urgent}


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
