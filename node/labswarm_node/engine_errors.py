"""What Docker's errors mean here: their kinds are in labswarm.error_table."""

from labswarm.error_table import DOCKER, http_kind
from labswarm.errors import LabswarmError, Transient


class OutOfSequence(Transient):
    """Someone else updated the object since it was read."""


def engine_error(status: int, message: str) -> LabswarmError:
    """The error of an answer of the Engine API with this status (400 or more)."""
    if "update out of sequence" in message:
        return OutOfSequence(message)
    return http_kind(DOCKER, status, message)(message)
