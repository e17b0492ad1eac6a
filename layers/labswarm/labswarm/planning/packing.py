"""The free seats of open nodes, in the order in which labswarm.seats.choose_node gives them out.

The hub looks through all nodes for each server. A simulated day of 20,000 servers has no time for
that, so the order is kept here; a test compares each choice.
"""

import heapq


class FreeSeats:
    """The open nodes by free seats, of at most `seats` each."""

    def __init__(self, seats: int) -> None:
        self._free: dict[str, int] = {}
        # A heap of node ids for each number of free seats; an entry counts while it is still true.
        self._heaps: list[list[str]] = [[] for _ in range(seats + 1)]

    def put(self, node_id: str, free: int) -> None:
        """An open node has so many free seats from now on."""
        self._free[node_id] = free
        heapq.heappush(self._heaps[free], node_id)

    def remove(self, node_id: str) -> None:
        """A node is not open any more."""
        self._free.pop(node_id, None)

    def change(self, node_id: str, by: int) -> None:
        """Count seats of a node as free, or as taken (negative); ignored where it is not open."""
        if node_id in self._free:
            self.put(node_id, self._free[node_id] + by)

    def chosen(self) -> str | None:
        """The fullest open node with a free seat, of equals the first by id; None without one."""
        for free, heap in enumerate(self._heaps[1:], 1):
            while heap:
                if self._free.get(heap[0]) == free:
                    return heap[0]
                heapq.heappop(heap)
        return None
