"""Students' homes on the shared folder."""

import itertools
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from labswarm.homes import MARKER

# The user and group of every server's process, as in Jupyter's own images (jovyan, users).
UID, GID = 1000, 100
EXAMS = ".exams"
"""The folder of the students' homes in exams, among the homes. No student has its name."""


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


def make_exam_home(homes: Path, exam: str, name: str) -> Path:
    """Make a student's home in an exam, empty at first, and return it. Raises OSError as
    `make_home`."""
    folder = homes
    for part in (EXAMS, exam):
        folder = folder / part
        # A known name in it can be opened, and nobody can list it.
        folder.mkdir(mode=0o711, exist_ok=True)
    home = folder / name
    make_home(home)
    return home


# Packages of `pip install --user`, kernels, and the settings of Jupyter and IPython.
_SETTINGS = (".local", ".jupyter", ".ipython")


def set_settings_aside(home: Path, now: datetime) -> str | None:
    """Move a student's settings into a new folder of the home; return its name, None without any.

    The home belongs to its student, who may put links there at any moment. So nothing is looked up
    by a path but the home itself. Raises OSError.
    """
    opened = os.open(home, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(opened) as entries:
            found = {entry.name for entry in entries}
        there = [name for name in _SETTINGS if name in found]
        if not there:
            return None
        name = new_folder(opened, f"settings-{now:%Y-%m-%d-%H%M}")
        aside = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
        try:
            os.chown(aside, UID, GID)
            for setting in there:
                os.rename(setting, setting, src_dir_fd=opened, dst_dir_fd=aside)
        finally:
            os.close(aside)
        return name
    finally:
        os.close(opened)


def new_folder(opened: int, name: str) -> str:
    """Make a folder in an open one, of this name or of the next free one; return its name."""
    for number in itertools.count(1):
        numbered = name if number == 1 else f"{name}-{number}"
        with suppress(FileExistsError):
            os.mkdir(numbered, mode=0o700, dir_fd=opened)
            return numbered
    raise AssertionError("count has no end")
