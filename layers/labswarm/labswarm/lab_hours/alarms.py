"""Alarms that need a text which no metric can carry: they name the wrong thing."""

from collections.abc import Sequence
from typing import Protocol


class Alarms(Protocol):
    """Where the alarms of this account go."""

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        """Send the sentences, one a line, under a subject."""
