"""Tasks of state machines that wait for the answer to their token."""

from collections.abc import Mapping
from typing import Any, Protocol

from labswarm.errors import LabswarmError


class Tasks(Protocol):
    """Ends the waits of Tasks. A token whose Task waits no more is no error: it was answered, or
    its time was over and the next attempt has a token of its own."""

    def succeed(self, token: str, answer: Mapping[str, Any]) -> bool:
        """End the Task's wait with this result; False when it waits no more."""

    def fail(self, token: str, error: LabswarmError) -> bool:
        """End the Task's wait with this error, by its class's name; False when it waits no more."""
