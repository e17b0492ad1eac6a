"""Docker's errors as our kinds: the table is in labswarm.error_table."""

from collections.abc import Mapping

from labswarm.error_table import DOCKER, http_kind
from labswarm.errors import LabswarmError, Transient


class OutOfSequence(Transient):
    """Someone else updated the object since it was read."""


class StaleToken(Transient):
    """The join token is none of the Swarm's any more: it was read before it was rotated."""


_OWN: Mapping[str, type[LabswarmError]] = {
    "update out of sequence": OutOfSequence,
    "valid join token is necessary": StaleToken,
}


def engine_error(status: int, message: str) -> LabswarmError:
    """The error of an answer of the Engine API with this status (400 or more)."""
    for text, error in _OWN.items():
        if text in message:
            return error(message)
    return http_kind(DOCKER, status, message)(message)
