"""Folders of the class next to the students' homes: who sees which, and who may write in it.

Every server runs as the same user, and the file system knows no other (EFS's access point). To a
folder's own permissions all students are one. So the mounts of their servers decide.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labswarm_hub.homes import GID, UID

FOLDERS = ".folders"
"""The folder among the homes; no home's name has a dot."""


@dataclass(frozen=True)
class Folder:
    """One folder: `target` is where servers have it.

    Members of the hub's groups `writers`, and admins, write in it even if it is `read_only` for the
    others. Servers of people in neither `readers` nor `writers` have no such folder; without
    `readers` everybody has it.
    """

    target: str
    read_only: bool = False
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()

    def writable(self, groups: Collection[str], *, admin: bool) -> bool | None:
        """Return whether a member of these groups may write in it; None: may not see it."""
        if admin or {*self.writers} & {*groups}:
            return True
        if self.readers and not {*self.readers} & {*groups}:
            return None
        return not self.read_only


def make_folder(homes: Path, name: str) -> None:
    """Make a folder, unless it exists. Raises OSError if the homes are not mounted."""
    (homes / FOLDERS).mkdir(mode=0o755, exist_ok=True)
    folder = homes / FOLDERS / name
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid != UID:
        os.chown(folder, UID, GID)


def mounts(
    folders: Mapping[str, Folder], homes: Path, groups: Collection[str], *, admin: bool
) -> Iterator[dict[str, Any]]:
    """Return the mounts for a member of these groups, as the Engine API takes them."""
    for name, folder in sorted(folders.items()):
        writable = folder.writable(groups, admin=admin)
        if writable is not None:
            yield {
                "Type": "bind",
                "Source": str(homes / FOLDERS / name),
                "Target": folder.target,
                "ReadOnly": not writable,
            }
