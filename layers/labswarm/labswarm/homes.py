"""The folder of the students' homes, the same on the hub and on each worker, and their names in it.

A name is one that the file system and Swarm can carry, never the same for two students.
"""

import hashlib
import string

MARKER = ".labswarm"
"""An empty folder among the homes, made by the hub. A worker that does not find it has another
folder, or none, in place of the homes."""

_SAFE = frozenset(string.ascii_lowercase + string.digits)
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


def home_name(user: str) -> str:
    """The name of a student's folder among the homes."""
    return fitting(escaped(user), _FILE_NAME_LIMIT)


def fitting(name: str, limit: int) -> str:
    """Cut a name that is too long, and add `---` and a digest: names have `---` nowhere else."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_DIGITS]
    return f"{name[: limit - _DIGEST_DIGITS - 3].rstrip('-')}---{digest}"
