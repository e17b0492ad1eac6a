"""What a lab's machines leave on this one, found in the kernel and on disk and not from memory."""

import os
import signal
import time
from pathlib import Path

from labswarm.errors import Permanent
from labswarm_lab.nodes import cgroups, machine, network
from labswarm_lab.nodes.place import MARK, Place

_PATIENCE_S = 10.0
_LOOK_S = 0.05


def leftovers(place: Place) -> list[str]:
    """Everything of the lab on this machine, a line each; empty when there is nothing.

    The students' homes, and whatever else the lab's folder has beside machines and registry, are
    not among it.
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
    mark = f"{MARK}={place.lab}".encode()
    own = _ancestry()
    return sorted(
        pid
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (pid := int(folder.name)) not in own
        if mark in _environ(folder)
    )


def _end_processes(place: Place) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while found := processes(place):
        if time.monotonic() > deadline:
            raise Permanent(f"processes {found} of the lab {place.lab} have not ended")
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended with another one
        time.sleep(_LOOK_S)


def _environ(folder: Path) -> list[bytes]:
    """What a process was started with; nothing for one that has just ended."""
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def _ancestry() -> set[int]:
    pid, found = os.getpid(), set[int]()
    while pid > 0:
        found.add(pid)
        # The name of the program, in brackets, may have anything in it (proc(5)).
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def _network(place: Place) -> list[str]:
    found = [f"link {name}" for name in network.cables(place)]
    if network.has_bridge(place):
        found.append(f"bridge {place.bridge}")
    return [*found, *(f"iptables {rule}" for rule in network.rules(place))]


def _mounts(place: Place) -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[4]) for line in lines]
    return [
        point
        for point in points
        if any(point.is_relative_to(folder) for folder in (place.nodes_dir, place.run_dir))
    ]


def _folders(place: Place) -> list[Path]:
    return [place.nodes_dir, place.registry_dir, place.run_dir]
