"""Spot instances that EC2 has warned, as EC2 lists them: its warnings are best effort."""

from collections.abc import Mapping
from typing import Protocol


class SpotRequests(Protocol):
    """The requests for spot instances of this account and region."""

    def interrupted(self) -> Mapping[str, float]:
        """The instances that EC2 is about to take back, and since when (epoch seconds)."""
