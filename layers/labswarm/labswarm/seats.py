"""Seats: how many servers a node has room for, and on which node the next one goes.

Swarm only spreads services over nodes (https://github.com/moby/moby/issues/26700), and a cluster
of half-full nodes never shrinks: so servers are packed here, and each service names its node.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

START_WITHIN_S = 600
"""How long a student's server may take to start (seconds), with the start of a node for which the
student waits in line. A wait that a page shows has no limit."""


@dataclass(frozen=True)
class Seat:
    """One server's guarantee: memory in bytes and CPU in units of 1e-9 cores.

    A node's overhead, which is no server's, is measured the same way.

    Raises ValueError for a negative amount.
    """

    memory_bytes: int
    nano_cpus: int

    def __post_init__(self) -> None:
        if self.memory_bytes < 0 or self.nano_cpus < 0:
            raise ValueError(f"a seat's memory and CPU are not negative: {self}")


@dataclass(frozen=True)
class SeatedNode:
    """A node as the packing sees it. `open`: a worker that is Ready and whose availability is
    active."""

    node_id: str
    seats: int
    open: bool = True


def seats_of(memory_bytes: int, nano_cpus: int, seat: Seat, overhead: Seat) -> int:
    """The whole number of seats of a node of that size, less its overhead; never negative.

    Raises ValueError when the seat guarantees neither memory nor CPU: such seats have no number.
    """
    if not (seat.memory_bytes or seat.nano_cpus):
        raise ValueError("a seat guarantees some memory or some CPU")
    rooms = (
        (memory_bytes - overhead.memory_bytes, seat.memory_bytes),
        (nano_cpus - overhead.nano_cpus, seat.nano_cpus),
    )
    return max(0, min(room // need for room, need in rooms if need))


def seats_with(
    memory_bytes: int, nano_cpus: int, seat: Seat, overhead: Seat, taken: Collection[Seat]
) -> int:
    """The seats of a node with these servers: theirs, and as many of size `seat` as fit besides.

    After a change of the seat's size a node has servers of both sizes. Swarm reserves what each of
    them was started with, so only the rest of the node can be given out.
    """
    memory_bytes -= sum(one.memory_bytes for one in taken)
    nano_cpus -= sum(one.nano_cpus for one in taken)
    return len(taken) + seats_of(memory_bytes, nano_cpus, seat, overhead)


def free_seats(node: SeatedNode, seats_used: Mapping[str, int], starting: Mapping[str, int]) -> int:
    """The seats of a node that a server could still start on; 0 when it is not open."""
    if not node.open:
        return 0
    taken = seats_used.get(node.node_id, 0) + starting.get(node.node_id, 0)
    return max(0, node.seats - taken)


def choose_node(
    nodes: Iterable[SeatedNode], seats_used: Mapping[str, int], starting: Mapping[str, int]
) -> str | None:
    """The id of the fullest open node that has a free seat, or None: then the server waits.

    `seats_used` counts the servers of each node id, `starting` the starts in flight that are not
    yet among them. The fullest is the one with the fewest free seats, so that the others can
    empty. Of equals it is the first by id, so that the same state always gives the same answer.
    """
    free = {node.node_id: free_seats(node, seats_used, starting) for node in nodes}
    with_room = [node_id for node_id, seats in free.items() if seats]
    return min(with_room, key=lambda node_id: (free[node_id], node_id), default=None)
