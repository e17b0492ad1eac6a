"""The passes that were made: each marks the orphans that it found, for the next to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Pass:
    """A complete pass: when it was (epoch seconds), and the snapshot it saw.

    `first_seen` says since when each orphan, by `what key`, has been found by every pass. `version`
    counts the changes made. `at_rest` is True when there was nothing in the cluster.
    """

    at: float
    snapshot_at: float
    first_seen: Mapping[str, float]
    version: int = 0
    at_rest: bool = False


class Passes(Protocol):
    """The last complete pass of each cluster, and since when another one is wanted."""

    def read_pass(self, cluster: str) -> Pass | None:
        """The last one, or None. Sees every write that ended before."""

    def write_pass(self, cluster: str, made: Pass) -> bool:
        """Store it as the next version of the one read; False if that has changed.

        The stored item is the wanted one.
        """

    def wanted(self, cluster: str, now: float) -> float:
        """Want a pass from `now` on, unless one is wanted already; since when (epoch seconds)."""
