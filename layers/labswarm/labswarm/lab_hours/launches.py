"""How long nodes took to start."""

from collections.abc import Sequence
from typing import Protocol


class Launches(Protocol):
    """The measured launches."""

    def durations_s(self, cluster: str) -> Sequence[float]:
        """The seconds from the claim to the end of the newest launches that joined."""
