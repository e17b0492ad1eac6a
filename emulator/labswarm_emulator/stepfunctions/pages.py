"""A long answer in pages: `maxResults` at once, 100 where none are asked for, and 1,000 at most.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from labswarm_emulator.stepfunctions.refusals import invalid, refused

T = TypeVar("T")
USUAL = 100
LARGEST = 1000


def page(items: Sequence[T], size: int | None, token: str | None) -> tuple[list[T], str | None]:
    """The page after `token`, and the next token, None at the end. Raises AWSError."""
    if size is not None and not 0 <= size <= LARGEST:
        bound = f"less than or equal to {LARGEST}" if size > 0 else "greater than or equal to 0"
        raise invalid("maxResults", size, f"have value {bound}")
    begin = _begin(token, len(items))
    end = begin + (size or USUAL)
    return list(items[begin:end]), _token(end) if end < len(items) else None


def _token(at: int) -> str:
    return base64.urlsafe_b64encode(f"from {at}".encode()).decode()


def _begin(token: str | None, count: int) -> int:
    if token is None:
        return 0
    try:
        said, _, at = base64.urlsafe_b64decode(token).decode().partition(" ")
        if said == "from" and 0 <= int(at) < count:
            return int(at)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass  # a token of no such page, as below
    raise refused("InvalidToken", "Invalid Token: 'Invalid token'")
