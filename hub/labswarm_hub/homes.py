"""Students' homes on the shared folder."""

import os
from contextlib import suppress
from pathlib import Path

from labswarm.homes import MARKER

# The user and group of every server's process, as in Jupyter's own images (jovyan, users).
UID, GID = 1000, 100


def mark_homes(homes: Path) -> None:
    """Mark the folder of the homes, so that each worker can see that it has the same one.

    Without the folder nothing is done: then each start fails, and says so.
    """
    with suppress(FileNotFoundError):
        (homes / MARKER).mkdir(mode=0o700, exist_ok=True)


def make_home(home: Path) -> None:
    """Make a student's home, readable by that student only, unless it exists.

    Raises OSError. It is a FileNotFoundError when the folder of the homes is missing: then it is
    not mounted, and a home made in its place would be lost.
    """
    home.mkdir(mode=0o700, exist_ok=True)
    # Also for a home that exists: the hub may have been killed between making it and this line.
    if home.stat().st_uid != UID:
        os.chown(home, UID, GID)
