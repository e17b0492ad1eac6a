"""The remains of a lab's machines on this one, found in the kernel and on disk, not in memory."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from labswarm.errors import Permanent
from labswarm_lab.nodes import cgroups, machine, network
from labswarm_lab.nodes.place import MARK, Place

_PATIENCE_S = 10.0
_LOOK_S = 0.05


def leftovers(place: Place) -> list[str]:
    """Everything of the lab on this machine, a line each; empty when there is nothing.

    The students' homes and other files of the lab's folder, besides machines and registry, are not
    among them.
    """
    return [
        *(f"process {pid}" for pid in processes(place)),
        *(f"mount {mount}" for mount in _mounts(place)),
        *(f"cgroup {folder}" for folder in cgroups.folders(place)),
        *_network(place),
        *(f"folder {folder}" for folder in _folders(place) if folder.exists()),
    ]


def clear(place: Place) -> None:
    """End and remove everything that `leftovers` names; doing it twice is no error.

    Raises Permanent when a process of the lab does not end.
    """
    _end_processes(place)
    for mount in reversed(_mounts(place)):
        network.command("umount", "--lazy", str(mount))
    cgroups.remove(place)
    if _network(place):
        network.lower_bridge(place)
    for folder in _folders(place):
        machine.remove_tree(folder)


def processes(place: Place) -> list[int]:
    """The processes that were started for the lab, without the one that asks and its parents."""
    mark = f"{MARK}={place.mark[MARK]}"
    started = _environments() if Path("/proc/self").exists() else _environments_by_ps()
    own = _ancestry(started)
    return sorted(pid for pid, (_, words) in started.items() if mark in words and pid not in own)


def _end_processes(place: Place) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while found := processes(place):
        if time.monotonic() > deadline:
            raise Permanent(f"processes {found} of the lab {place.lab} have not ended; end them")
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended with another one
        time.sleep(_LOOK_S)


def _environments() -> dict[int, tuple[int, list[str]]]:
    """Each process's parent and command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The program's name, in brackets, may have anything in it (proc(5)).
                parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
                words = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has just ended, or is another user's
            found[int(folder.name)] = (int(parent), words)
    return found


def _environments_by_ps() -> dict[int, tuple[int, list[str]]]:
    """The same where there is no /proc: BSD's ps, and macOS's, can show environments."""
    lines = network.command("ps", "axeww", "-o", "pid=,ppid=,command=").splitlines()
    rows = [line.split() for line in lines]
    return {int(pid): (int(parent), words) for pid, parent, *words in rows}


def _ancestry(started: Mapping[int, tuple[int, list[str]]]) -> set[int]:
    """This process and its parents."""
    pid, found = os.getpid(), set[int]()
    while pid in started:
        found.add(pid)
        pid = started[pid][0]
    return found


def _network(place: Place) -> list[str]:
    if not network.is_ours_to_change():
        return []
    found = [f"link {name}" for name in network.cables(place)]
    if network.has_bridge(place):
        found.append(f"bridge {place.bridge}")
    return [*found, *(f"iptables {rule}" for rule in network.rules(place))]


def _mounts(place: Place) -> list[Path]:
    points = [Path(line.split()[4]) for line in cgroups.mountinfo()]
    return [
        point
        for point in points
        if any(point.is_relative_to(folder) for folder in (place.nodes_dir, place.run_dir))
    ]


def _folders(place: Place) -> list[Path]:
    return [place.nodes_dir, place.registry_dir, place.run_dir]
