"""A student's name as Swarm and the file system can carry it, never the same for two students."""

import hashlib
import string

_SAFE = frozenset(string.ascii_lowercase + string.digits)
# swarmkit refuses a longer service name, since it is also a DNS label (RFC 1035).
_SERVICE_NAME_LIMIT = 63
# The longest file name of ext4, XFS and NFS.
_FILE_NAME_LIMIT = 255
_DIGEST_DIGITS = 24


def escaped(name: str) -> str:
    """The name with every byte but a-z and 0-9 as `-` and two hexadecimal digits.

    Every `-` starts an escape of fixed length, so that the way back is unique, no two names escape
    alike, and `--` never occurs.
    """
    return "".join(
        character if character in _SAFE else "".join(f"-{byte:02x}" for byte in character.encode())
        for character in name
    )


def service_name(user: str, server: str = "") -> str:
    """The name of the Swarm service of a student's server; `server` is empty for the default one.

    Joined by `--`, which is in no escaped name: by a single dash, server `2db` of `a` would be
    `a-b`'s own.
    """
    name = f"jupyter-{escaped(user)}"
    return _fitting(f"{name}--{escaped(server)}" if server else name, _SERVICE_NAME_LIMIT)


def home_name(user: str) -> str:
    """The name of a student's folder among the homes."""
    return _fitting(escaped(user), _FILE_NAME_LIMIT)


def _fitting(name: str, limit: int) -> str:
    """Cut a name that is too long, and add `---` and a digest: names have `---` nowhere else."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_DIGITS]
    return f"{name[: limit - _DIGEST_DIGITS - 3].rstrip('-')}---{digest}"
