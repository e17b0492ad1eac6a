"""Notices to a student about the machine under their server, before it is taken away.

A server accepts a notice from anyone who knows its key. The key is made from the token that the hub
and labswarm-manager share, and of the server's own name: the server's student may read it, and can
send notices to no other server. The token itself never reaches a server.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["interruption", "terminate"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Notice:
    """Why the machine goes, and until when (epoch s) servers are left on it at the latest."""

    kind: Kind
    deadline: int


def key_of(token: str, user: str, server: str) -> str:
    """The key of a user's server, hexadecimal; `server` is empty for the default one."""
    whose = json.dumps(["labswarm notice", user, server])
    return hmac.new(token.encode(), whose.encode(), hashlib.sha256).hexdigest()
