"""The claim on an instance's launch or termination: one execution works on each.

Events come twice and out of order, functions are called again after a crash, and a machine may die
while it holds a claim. So each change names the version that was read, and is refused if the item
has changed since (optimistic locking); the rules themselves are pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NewType, Protocol, get_args

from labswarm.errors import Permanent, Transient
from labswarm.lifecycle.events import Transition

TRANSITIONS: tuple[Transition, ...] = get_args(Transition)
Errand = NewType("Errand", str)
"""In place of a transition: an execution's commands to a hub that concern no lifecycle action."""
ERRAND = re.compile(r"errand:[A-Za-z0-9_-]{1,36}")
LEASE_S = 900
FINAL_PHASES = frozenset({"joined", "pooled", "abandoned", "removed", "paused"})
_RACES = 20


@dataclass(frozen=True)
class Command:
    """One attempt at a step. No `command_id`: it is about to be sent; `answered`: it has ended.

    `token` is the Task that waits for its end, `slot` the hub's slot that it holds.
    """

    attempt: int
    at: int
    command_id: str | None = None
    answered: bool = False
    token: str | None = None
    slot: int | None = None


@dataclass(frozen=True)
class Phase:
    """Where the work was from `at` on (epoch seconds)."""

    phase: str
    at: int


@dataclass(frozen=True)
class Claim:
    """One execution's claim on one transition of one instance. Times are epoch seconds.

    A claim on an errand is about an instance or a cluster, and no other execution asks for it: it
    remembers the execution's commands.

    `tokens` maps each lifecycle action's token to its hook; the instance's id stands for a token
    that nobody knows. `commands` maps a step to its last attempt. `capacity` is the size of the
    group that this work asks for, if any. `urgent`: EC2 takes the instance back, even before its
    hook's time. Heartbeats keep the hooks waiting until `beats_until`; None when they cannot.
    `version` counts the changes.
    """

    instance_id: str
    transition: Transition | Errand
    owner: str
    lease_until: int
    tokens: Mapping[str, str]
    hook: str
    asg: str
    cluster: str
    opened_at: int
    phases: tuple[Phase, ...]
    commands: Mapping[str, Command] = field(default_factory=dict)
    closed_at: int | None = None
    result: str | None = None
    capacity: int | None = None
    urgent: bool = False
    beats_until: int | None = None
    version: int = 0

    @property
    def phase(self) -> str:
        return self.phases[-1].phase

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    def entered(self, phase: str, now: int) -> "Claim":
        """In `phase` from now on, the lease renewed."""
        phases = self.phases if phase == self.phase else (*self.phases, Phase(phase, now))
        return replace(self, phases=phases, lease_until=now + LEASE_S)

    def with_command(self, step: str, command: Command) -> "Claim":
        return replace(self, commands={**self.commands, step: command})

    def with_tokens(self, tokens: Mapping[str, str]) -> "Claim":
        return replace(self, tokens={**self.tokens, **tokens})

    def ended(self, phase: str, result: str, now: int) -> "Claim":
        """Closed in a final phase."""
        if phase not in FINAL_PHASES:
            raise Permanent(f"{phase!r} is no final phase; it is one of {sorted(FINAL_PHASES)}")
        return replace(self.entered(phase, now), closed_at=now, result=result)


class ReadLedger(Protocol):
    """Where lab hours read the claims on instances."""

    def about(self, instances: Iterable[str]) -> Sequence[Claim]:
        """Every claim on a transition of these instances, in no order; a write just before may be
        missing."""


class Ledger(ReadLedger, Protocol):
    """Where claims are kept. Reads see every write that ended before them."""

    def read_claim(self, instance_id: str, transition: Transition | Errand) -> Claim | None:
        """The claim as it is now, or None."""

    def write_claim(self, claim: Claim) -> bool:
        """Store the claim as the next version of the one read; False if that has changed."""

    def mark_terminating(self, instance_id: str, at: int) -> None:
        """Write the instance's tombstone: it is terminating, also during other work. Idempotent."""

    def is_terminating(self, instance_id: str) -> bool:
        """Whether the instance has a tombstone."""


def granted(existing: Claim | None, wanted: Claim, now: int, runs: Callable[[str], bool]) -> Claim:
    """The claim after `wanted` was asked for; it is granted when the owner is the one who asked.

    It is granted when there is no claim, when the claim is one's own, and when its lease has run
    out and its owner no longer runs. It is also granted for a new lifecycle action (an unknown
    token) after the last one has ended: warm pools bring such actions, and so does an interrupted
    instance's hook when its event is late. Any other claim gets the token, for its owner to
    complete, and the haste, for its owner to know.
    """
    if existing is None:
        return wanted
    if existing.closed:
        new = not wanted.tokens.keys() <= existing.tokens.keys()
        return replace(wanted, version=existing.version) if new else existing
    merged = replace(existing.with_tokens(wanted.tokens), urgent=existing.urgent or wanted.urgent)
    if existing.owner == wanted.owner:
        return replace(merged, lease_until=wanted.lease_until)
    if existing.lease_until <= now and not runs(existing.owner):
        # Commands are kept: those of the dead owner may still be running.
        return replace(
            merged,
            owner=wanted.owner,
            lease_until=wanted.lease_until,
            beats_until=wanted.beats_until,
        )
    return merged


def errand(owner: str) -> Errand:
    """The errands of an execution, by the end of its name: a scheduled one ends in its time."""
    execution = re.sub(r"[^A-Za-z0-9_-]", "-", owner.rsplit(":", 1)[-1])
    return Errand(f"errand:{execution[-36:]}")


def change(
    ledger: Ledger,
    instance_id: str,
    transition: Transition | Errand,
    rule: Callable[[Claim | None], Claim],
) -> Claim:
    """Apply a pure rule to a claim and keep the result, again if another was faster.

    Raises whatever the rule raises, and Transient when others are always faster.
    """
    for _ in range(_RACES):
        existing = ledger.read_claim(instance_id, transition)
        changed = rule(existing)
        if changed == existing or ledger.write_claim(changed):
            return changed
    raise Transient(
        f"gave up on the claim for the {transition} of {instance_id} "
        f"after {_RACES} concurrent changes"
    )


def owned(claim: Claim | None, owner: str) -> Claim:
    """The claim, when `owner` holds it and it is open. Raises Permanent otherwise."""
    if claim is None or claim.owner != owner or claim.closed:
        raise Permanent(f"{owner} does not hold this claim any more")
    return claim
