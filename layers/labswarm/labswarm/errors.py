"""Errors in three kinds, by the caller's reaction.

Lambda reports an exception's class name as `errorType`, so a state machine's Retry and Catch match
these names. They deny: an error is tried again unless it is Gone, Permanent or BadInput.
"""

from typing import ClassVar, Literal

Kind = Literal["transient", "gone", "permanent"]


class LabswarmError(Exception):
    """The base of the three kinds; never raised itself."""

    kind: ClassVar[Kind]


class Transient(LabswarmError):
    """Not now: try again, with jitter."""

    kind = "transient"


class Throttled(Transient):
    """A service takes no more calls for now. It says nothing about the step: wait until it does."""


class Gone(LabswarmError):
    """The object to be ended no longer exists: a success for the caller."""

    kind = "gone"


class Permanent(LabswarmError):
    """Trying again would end the same: stop, compensate, notify a person."""

    kind = "permanent"


class BadInput(Permanent):
    """Something from outside is not as it should be; the message names field and remedy."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field


def error_of(kind: str, message: str) -> LabswarmError:
    """The error of a kind that another process reported by name; an unknown kind is permanent."""
    for error in (Transient, Gone):
        if kind == error.kind:
            return error(message)
    return Permanent(message)
