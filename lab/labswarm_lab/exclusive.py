"""One command at a time that changes a lab."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal

LOCK = ".lock"
"""In the lab's folder while a command changes the lab."""


@contextmanager
def exclusively(lab: Lab) -> Iterator[None]:
    """Nothing else brings this lab up or down meanwhile; leaves nothing behind.

    Raises Refusal when another command does. One that was killed holds nothing.
    """
    folder = lab.place.state_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(lab) from None
        if not path.exists() or os.fstat(lock.fileno()).st_ino != path.stat().st_ino:
            # Its last holder has removed it meanwhile, and another may have made a new one.
            raise _busy(lab)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty: something of the lab is there
                folder.rmdir()


def _busy(lab: Lab) -> Refusal:
    return Refusal(f"another command is bringing the lab {lab.cluster!r} up or down; wait for it")
