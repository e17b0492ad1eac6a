"""Copies a folder that belongs to a student, and proves that the copy is complete.

Nothing is looked up by a path: the student may have put links anywhere. Links, pipes and devices
are not copied, and the list of hashes names them.
"""

import hashlib
import os
import stat
from pathlib import Path

from labswarm_hub.homes import GID, UID

_AT_ONCE = 2**20
_DEEPEST = 64
NOT_COPIED = "not a file"


class Incomplete(OSError):
    """A copy differs from its original."""


def copied(source: Path, target: int, name: str) -> dict[str, str]:
    """Copy a folder into the open folder `target`, as `name`; return the SHA-256 of each file, by
    its path. Raises Incomplete, and OSError, also when `name` is there."""
    opened = os.open(source, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        return _folder(opened, target, name, "", 0)
    finally:
        os.close(opened)


def _folder(source: int, parent: int, name: str, path: str, depth: int) -> dict[str, str]:
    if depth > _DEEPEST:
        raise Incomplete(f"{path} is over {_DEEPEST} folders deep")
    os.mkdir(name, mode=0o700, dir_fd=parent)
    target = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    found: dict[str, str] = {}
    try:
        with os.scandir(source) as entries:
            names = sorted(entry.name for entry in entries)
        for each in names:
            found |= _entry(source, target, each, f"{path}{each}", depth)
        os.chown(target, UID, GID)
    finally:
        os.close(target)
    return found


def _entry(source: int, target: int, name: str, path: str, depth: int) -> dict[str, str]:
    kind = os.stat(name, dir_fd=source, follow_symlinks=False).st_mode
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        return {path: NOT_COPIED}
    # The entry may have become a link or a pipe since then.
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=source)
    try:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            return _folder(opened, target, name, f"{path}/", depth + 1)
        return {path: _file(opened, target, name, path)}
    finally:
        os.close(opened)


def _file(source: int, target: int, name: str, path: str) -> str:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    opened = os.open(name, flags, mode=0o600, dir_fd=target)
    try:
        written = hashlib.sha256()
        while piece := os.read(source, _AT_ONCE):
            written.update(piece)
            _write(opened, piece)
        os.fsync(opened)
        os.lseek(opened, 0, os.SEEK_SET)
        read = hashlib.sha256()
        while piece := os.read(opened, _AT_ONCE):
            read.update(piece)
        if read.digest() != written.digest():
            raise Incomplete(f"{path} was written and reads differently")
        os.fchown(opened, UID, GID)
    finally:
        os.close(opened)
    return written.hexdigest()


def _write(opened: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(opened, piece) :]
