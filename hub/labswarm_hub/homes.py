"""Students' homes on the shared folder."""

import os
from pathlib import Path

# The user and group of every server's process, as in Jupyter's own images (jovyan, users).
UID, GID = 1000, 100


def make_home(home: Path) -> None:
    """Make a student's home if it is not there: theirs alone, and nobody else may look inside.

    Raises OSError, FileNotFoundError among them when the folder of the homes is missing: it is
    then not mounted, and a home made in its place would be lost.
    """
    home.mkdir(mode=0o700, exist_ok=True)
    # Again where it was there: whoever made it may have been killed before this.
    if home.stat().st_uid != UID:
        os.chown(home, UID, GID)
