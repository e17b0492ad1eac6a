"""Where a timetable's text comes from."""

from typing import Protocol


class Feeds(Protocol):
    """Feeds, by where they are."""

    def read_feed(self, where: str) -> str:
        """The feed's text. Raises Transient when it cannot be had now, BadInput when never."""
