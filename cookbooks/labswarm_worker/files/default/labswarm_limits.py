"""Notices about a server's limits: its time, a program killed for its memory, a full home.

labswarm_notice shows it. It needs nothing but Linux: the counters of the container's own control
group, of either version.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MB = 2**20
# How long a student reads of a program that was stopped (s).
SHOWN_S = 600
# From the notice of a lab's end until that end (s): who has not worked in it is gone. The hub's
# host sends the notice so long before.
LAB_NOTICE_S = 300
# The culler stops such a server within so many seconds.
LAB_SHOWN_S = 120
# A home with less room than this, in parts of the whole or in bytes, is nearly full.
LEAST_FREE, LEAST_FREE_BYTES = 0.02, 50 * MB
# A home of this part of its size, or more, is nearly full. It is measured so often (s).
FULL, MEASURED_S = 0.9, 600
# Of each version: the file that counts stopped programs, and the file and name of memory in use.
GROUPS = (
    (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory.stat"), "anon"),
    (
        Path("/sys/fs/cgroup/memory/memory.oom_control"),
        Path("/sys/fs/cgroup/memory/memory.stat"),
        "total_rss",
    ),
)


def counter(file: Path, name: str) -> int:
    """The value of a counter in a file of `name value` lines; 0 where there is none."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    values = dict(line.split() for line in lines if len(line.split()) == 2)
    return int(values.get(name, 0))


class Memory:
    """Whether the system has stopped a program of this server because of its memory limit."""

    def __init__(
        self, limit: int | None, groups: tuple[tuple[Path, Path, str], ...] = GROUPS
    ) -> None:
        """`limit` is in bytes; None where there is none."""
        self._limit, self._groups = limit, groups
        self._killed = self._kills()
        self._at = 0.0

    def _kills(self) -> int:
        return sum(counter(events, "oom_kill") for events, *_ in self._groups)

    def look(self, now: float) -> bool:
        """Look at the counter; whether a program was stopped since the last look."""
        kills = self._kills()
        was_stopped, self._killed = kills > self._killed, kills
        if was_stopped:
            self._at = now
        return was_stopped

    def notice(self, now: float) -> dict[str, object] | None:
        """The notice for the student at `now` (epoch s)."""
        if now > self._at + SHOWN_S:
            return None
        limit = f"{self._limit // MB} MB is your limit. " if self._limit else ""
        used = sum(counter(stat, name) for _, stat, name in self._groups) // MB
        return {
            "kind": "memory",
            "deadline": None,
            "id": self._killed,
            "message": (
                f"{limit}A program that needed more was stopped, most likely the kernel of a "
                f"notebook; its variables are gone. Your server uses {used} MB now. "
                "Work on less data at a time, or shut down kernels that you do not need."
            ),
        }


@dataclass(frozen=True)
class TimeLimits:
    """When the hub stops the server; in seconds, `ends_at` in epoch seconds. None: it does not.

    `warning_s`: how long before that the student is notified.
    """

    idle_s: float | None
    ends_at: float | None
    warning_s: float

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> TimeLimits:
        """The limits that the hub has put into the server's environment."""
        idle, ends, warning = (
            float(text) if text.isdecimal() else None
            for text in (
                environment.get(f"LABSWARM_{name}", "")
                for name in ("IDLE_TIMEOUT_S", "ENDS_AT", "IDLE_WARNING_S")
            )
        )
        # Of a short limit the first half is free of warnings.
        warning = min(300.0 if warning is None else warning, (idle or 600.0) / 2)
        return cls(idle, ends, warning)

    def notice(self, worked_at: float, now: float) -> dict[str, object] | None:
        """The notice for the student at `now`; somebody worked at `worked_at` last (epoch s)."""
        if self.ends_at is not None and now >= self.ends_at - self.warning_s:
            return {
                "kind": "age",
                "deadline": int(self.ends_at),
                "id": 0,
                "message": (
                    "It has run for as long as a server may. Your files stay. "
                    "Start it again when you need it."
                ),
            }
        if self.idle_s is None or now < worked_at + self.idle_s - self.warning_s:
            return None
        return {
            "kind": "idle",
            "deadline": int(worked_at + self.idle_s),
            "id": 0,
            "message": (
                "Nobody has worked on it for a while, and others may need its place. "
                "Your files stay; the variables of your notebooks do not."
            ),
        }


class LabEnd:
    """The end of the booked lab (epoch s), from the notice that the hub's host has sent."""

    def __init__(self) -> None:
        self.ends_at = 0

    def is_over(self, worked_at: float, now: float) -> bool:
        """Whether the lab is over and its student gone: somebody worked at `worked_at` last."""
        return now >= self.ends_at > worked_at + LAB_NOTICE_S

    def notice(self, worked_at: float, now: float) -> dict[str, object] | None:
        """The notice for the student at `now`."""
        shown_until = self.ends_at + (LAB_SHOWN_S if self.is_over(worked_at, now) else 0)
        if now >= shown_until:
            return None
        return {
            "kind": "lab",
            "deadline": self.ends_at,
            "id": 0,
            "message": (
                "Your server stops then, unless somebody works on it. "
                "Your files stay; the variables of your notebooks do not."
            ),
        }


class HomeUse:
    """The size of a home's files, measured from time to time in a thread of its own.

    A home on EFS has no limit, so that the file system itself cannot say how full it is.
    """

    def __init__(self, home: Path, capacity: int | None) -> None:
        """`capacity` is in bytes; None where a home has no size of its own."""
        self._home, self._capacity = home, capacity
        self.used: int | None = None

    @classmethod
    def of(cls, home: Path, environment: Mapping[str, str]) -> HomeUse:
        """The use of a home, with the size that the hub has put into the server's environment."""
        text = environment.get("LABSWARM_HOME_BYTES", "")
        return cls(home, int(text) if text.isdecimal() else None)

    def begin(self) -> None:
        """Measure now and every MEASURED_S seconds, if the home has a size."""
        if self._capacity is not None:
            threading.Thread(target=self._measure_for_ever, daemon=True).start()

    def _measure_for_ever(self) -> None:
        while True:
            self.measure()
            time.sleep(MEASURED_S)

    def measure(self) -> None:
        """Add up the files of the home itself: no link, and no other file system in it."""
        self.used = size_of(self._home)

    def shown(self) -> dict[str, int] | None:
        """The use and the size in bytes, for pages; None while it is not known."""
        if self.used is None or self._capacity is None:
            return None
        return {"used": self.used, "capacity": self._capacity}

    def notice(self) -> dict[str, object] | None:
        """The notice of a home that is nearly full; None while there is room."""
        if self.used is None or self._capacity is None or self.used < FULL * self._capacity:
            return None
        return _nearly_full(
            f"Your home has {self.used // MB} MB of the {self._capacity // MB} MB that it may "
            "have. Delete files that you do not need."
        )


def size_of(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> int:
    """The size (bytes) of the files below a folder, without links and mounted folders.

    A class's folder in the home is on the same file system: only the list of mounts shows it.
    """
    try:
        mounted = {line.split()[4] for line in mountinfo.read_text().splitlines()}
    except OSError:
        mounted = set()
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.path not in mounted:
                            folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            # It was removed in the meantime.
            continue
    return total


def home_notice(home: Path) -> dict[str, object] | None:
    """The notice of a home that is nearly full; None while there is room."""
    try:
        there = os.statvfs(home)
    except OSError:
        return None
    free, whole = there.f_bavail * there.f_frsize, there.f_blocks * there.f_frsize
    if free > min(LEAST_FREE * whole, LEAST_FREE_BYTES):
        return None
    return _nearly_full(
        f"Your home has {free // MB} MB left of {max(1, whole // MB)} MB. "
        "Delete files that you do not need, or nothing more can be saved."
    )


def _nearly_full(message: str) -> dict[str, object]:
    return {"kind": "home", "deadline": None, "id": 0, "message": message}
