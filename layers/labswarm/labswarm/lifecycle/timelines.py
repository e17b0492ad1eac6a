"""The timelines of nodes: the phases of their launches and ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Phase


@dataclass(frozen=True)
class Timeline:
    """A launch or an end of a node from `opened_at` on (epoch seconds). `result` is None while it
    is going on."""

    instance_id: str
    transition: Transition
    opened_at: int
    phases: tuple[Phase, ...]
    result: str | None


class Timelines(Protocol):
    """Where timelines are read, without the tokens of lifecycle actions."""

    def read_timelines(self, cluster: str, instances: Iterable[str]) -> Sequence[Timeline]:
        """The timelines of a cluster's instances, the newest first."""
