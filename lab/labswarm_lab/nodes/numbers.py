"""Which machine has which number, and so which address; remembered on disk, not in a process."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from labswarm.errors import Permanent
from labswarm_lab.nodes.place import Place

MANAGER = 10
_WORKERS = range(11, 255)


def take(place: Place, instance_id: str, role: str) -> int:
    """The machine's number: the hub's is always the same, a worker's is free for the longest.

    A neighbour remembers an address for a while. Raises Permanent when it or all are taken.
    """
    with _locked(place):
        taken = _taken(place)
        if role == "hub":
            number = MANAGER
            if number in taken:
                raise Permanent(f"the lab has a hub already: {taken[number]}")
        else:
            number = _next(place, taken)
            (place.nodes_dir / "last-number").write_text(str(number))
        node_dir = place.node_dir(instance_id)
        node_dir.mkdir(mode=0o711, exist_ok=True)
        (node_dir / "number").write_text(str(number))
        return number


def number_of(place: Place, instance_id: str) -> int | None:
    """The machine's number; None when it has none."""
    file = place.node_dir(instance_id) / "number"
    return int(file.read_text()) if file.exists() else None


def _next(place: Place, taken: dict[int, str]) -> int:
    last = place.nodes_dir / "last-number"
    before = int(last.read_text()) if last.exists() else _WORKERS.start - 1
    for step in range(len(_WORKERS)):
        number = _WORKERS[(before + 1 - _WORKERS.start + step) % len(_WORKERS)]
        if number not in taken:
            return number
    raise Permanent(
        f"the lab has {len(_WORKERS)} machines, and no address for another one; remove one"
    )


def _taken(place: Place) -> dict[int, str]:
    return {int(file.read_text()): file.parent.name for file in place.nodes_dir.glob("i-*/number")}


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    place.nodes_dir.mkdir(parents=True, exist_ok=True)
    with (place.nodes_dir / "numbers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
