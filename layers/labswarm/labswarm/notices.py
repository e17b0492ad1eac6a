"""Notices to a student: about the machine under their server, about the hub, from an instructor.

A server accepts a notice from anyone who knows its key. The key is made from the token that the hub
and labswarm-manager share, and from the server's own name. So the server's student may read it, and
can send notices to no other server. The token itself never reaches a server.
"""

import hashlib
import hmac
import json
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, get_args

from labswarm.errors import BadInput

Kind = Literal["interruption", "terminate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_MESSAGE = 500
"""Characters of an instructor's message."""
# They turn the text after them around, beyond the message's end:
# https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Notice:
    """Why the machine goes, and until when (epoch s) servers are left on it at the latest.

    Of kind `hub`: the hub goes down at `deadline`, and servers run on. Of kind `lab`: the booked
    lab ends then, and a server on which nobody works is stopped.
    """

    kind: Kind | Literal["hub", "lab"]
    deadline: int


@dataclass(frozen=True)
class Message:
    """An instructor's own words. The page shows them as text, and marks whose they are."""

    text: str
    kind: Literal["message"] = field(default="message", init=False)

    def __post_init__(self) -> None:
        """Raise BadInput for a text that is empty, too long, or has control characters."""
        text = self.text.strip()
        if not text:
            raise BadInput("message", "is empty; write a sentence or two")
        if len(text) > LONGEST_MESSAGE:
            raise BadInput(
                "message", f"has {len(text)} characters; write {LONGEST_MESSAGE} at most"
            )
        for sign in text:
            if sign in _TURNING or (sign != "\n" and unicodedata.category(sign) in ("Cc", "Cs")):
                raise BadInput("message", f"has the control character U+{ord(sign):04X}; delete it")


def key_of(token: str, user: str, server: str) -> str:
    """The key of a user's server, hexadecimal; `server` is empty for the default one."""
    whose = json.dumps(["labswarm notice", user, server])
    return hmac.new(token.encode(), whose.encode(), hashlib.sha256).hexdigest()
