"""Replace an instance of a group, or add one for a claim; each may be asked for again."""

from dataclasses import replace

from labswarm.clock import Clock
from labswarm.groups import Groups
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Ledger, change, owned


def replace_instance(groups: Groups, instance_id: str) -> bool:
    """Have the group replace an instance; whether that was left to do. Idempotent."""
    member = groups.member(instance_id)
    if member is None or member.leaving:
        return False
    groups.terminate(instance_id)
    return True


def add_one(
    ledger: Ledger, groups: Groups, clock: Clock, subject: tuple[str, Transition, str]
) -> int:
    """Have a claim's group hold one instance more, within its bound; returns its capacity.

    `subject` is instance id, transition and owner. The capacity is written down before it is asked
    for, so that asking again does not add another.
    """
    instance_id, transition, owner = subject
    held = owned(ledger.read_claim(instance_id, transition), owner)
    size = groups.size(held.asg)
    wanted = min(size.desired + 1, size.most)

    def rule(existing: Claim | None) -> Claim:
        claim = owned(existing, owner)
        if claim.capacity is not None:
            return claim
        return replace(claim.entered("add-node", int(clock.now())), capacity=wanted)

    capacity = change(ledger, instance_id, transition, rule).capacity
    if capacity is not None and capacity > size.desired:
        groups.resize(held.asg, capacity)
    return wanted if capacity is None else capacity
