"""The instances of a group that wait in a lifecycle hook, and the claims on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labswarm.groups import Groups
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Ledger

_WAITS: Mapping[str, Transition] = {"Pending:Wait": "launch", "Terminating:Wait": "terminate"}


@dataclass(frozen=True)
class Waits:
    """The lifecycle state of every instance of a group, and the claims on those that wait."""

    asg: str
    states: Mapping[str, str]
    claims: Sequence[Claim] = ()


def waits_for(state: str) -> Transition | None:
    """The transition for which an instance in this lifecycle state waits; None when it does not.

    Those on their way into or out of a warm pool are not among a group's instances.
    """
    return _WAITS.get(state)


def read_waits(groups: Groups, ledger: Ledger, asg: str) -> Waits:
    """Look at a group once. One in which no instance waits costs one call.

    Raises the errors of listing the group and of reading the ledger.
    """
    states = groups.roster(asg).states
    waiting = [instance_id for instance_id, state in states.items() if state.endswith(":Wait")]
    return Waits(asg, states, ledger.about(waiting) if waiting else ())
