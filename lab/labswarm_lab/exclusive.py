"""A lock, so that one command at a time starts or ends a lab."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal

LOCK = ".lock"
"""A file in the lab's folder while a command starts or ends the lab."""


@contextmanager
def exclusively(lab: Lab) -> Iterator[None]:
    """Let no other command start or end this lab meanwhile; leave nothing behind.

    Raises Refusal if another command does. A killed command holds no lock.
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
            # Its last holder removed it, and another command may have made a new one.
            raise _busy(lab)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty: something of the lab is there
                folder.rmdir()


def _busy(lab: Lab) -> Refusal:
    return Refusal(
        f"Another command is starting or ending the lab {lab.cluster!r}. Wait until it is done."
    )
