"""The launch breaker counts a cluster's failed launches; three in a row make it hold.

A broken image, or a Chef Server that is down, must not launch and terminate instances for ever.
While the breaker holds, a failed launch makes its group one smaller, so Auto Scaling does not
replace it. Lab hours then try one launch at a time (labswarm.lab_hours.hold). The first node that
joins resets it.
"""

from dataclasses import dataclass
from typing import Protocol

MOST_FAILED = 3


@dataclass(frozen=True)
class Breaker:
    """The instances of a cluster whose launches failed since one last joined, and when the last of
    them did (epoch seconds)."""

    failed: frozenset[str] = frozenset()
    failed_at: int = 0

    @property
    def holds(self) -> bool:
        return len(self.failed) >= MOST_FAILED


class ReadBreakers(Protocol):
    """Where lab hours read a cluster's breaker."""

    def read_breaker(self, cluster: str) -> Breaker:
        """The cluster's breaker; one that holds nothing when there is none."""


class Breakers(ReadBreakers, Protocol):
    """Where each cluster's breaker is kept."""

    def failed(self, cluster: str, instance_id: str, at: int) -> Breaker:
        """Count a failed launch once, also if reported twice; return the breaker after that."""

    def joined(self, cluster: str) -> None:
        """Record a launch that joined: earlier failures no longer count."""
