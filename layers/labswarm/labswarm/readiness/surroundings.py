"""Where the facts around a cluster are read that its labs need."""

from collections.abc import Sequence
from typing import Protocol


class Surroundings(Protocol):
    """A cluster's image, homes and spot capacity. Every call raises AWS's errors by kind."""

    def images(self, asg: str) -> dict[str, str]:
        """The images from which the group launches, each with its state, empty for one that is
        gone."""

    def homes(self, cluster: str) -> dict[str, str]:
        """The cluster's file system and its mount targets, each with its state; empty without a
        file system."""

    def score(self, types: Sequence[str], nodes: int) -> int | None:
        """EC2's placement score for so many spot instances of these types in this region; None
        where it gives none."""
