"""The cgroup folders of a lab, in every hierarchy: version 1 has several, version 2 one."""

import os
import time
from pathlib import Path

from labswarm_lab.nodes.place import Place

# A killed process leaves its cgroup a moment after it is gone from everywhere else.
_PATIENCE_S = 5.0
_LOOK_S = 0.02


def folders(place: Place, instance_id: str = "") -> list[Path]:
    """The top folders of a lab, or of one machine of it, that are there.

    Without being root there are none: they are those of root's lab of the same name.
    """
    if os.geteuid() != 0:
        return []
    tops = [mount / place.cgroup / instance_id for mount in _mounts()]
    return [top for top in tops if top.is_dir()]


def remove(place: Place, instance_id: str = "") -> None:
    """Remove these folders, deepest first. Raises OSError when a process stays in one."""
    deadline = time.monotonic() + _PATIENCE_S
    for top in folders(place, instance_id):
        while top.is_dir():
            try:
                for folder in sorted(top.rglob("*/"), key=lambda path: -len(path.parts)):
                    folder.rmdir()
                top.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_S)


def mountinfo() -> list[str]:
    """The mounts, a line each, as proc(5) has it; none without Linux."""
    path = Path("/proc/self/mountinfo")
    return path.read_text().splitlines() if path.exists() else []


def _mounts() -> list[Path]:
    fields = [line.split() for line in mountinfo()]
    # mountinfo: the mount point is field 5; the file system's type follows a lone `-` (proc(5)).
    return [
        Path(field[4]) for field in fields if field[field.index("-") + 1] in ("cgroup", "cgroup2")
    ]
