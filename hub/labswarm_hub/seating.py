"""Seats of this hub: the starts in flight, and the line of the servers that wait for a seat."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from labswarm.seats import SeatedNode, choose_node, free_seats
from labswarm_hub.tasks import Task, has_ended, service_of

KEPT_S = 120.0
"""How long a server keeps its place in line after its start was given up (seconds)."""


class Seating:
    """Gives out one group's seats, first come, first served.

    One hub process gives out all seats of its clusters, so it knows every start in flight. Not
    thread-safe: between a choice and the start of its service, await nothing that takes another
    seat.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._starting: dict[str, str] = {}
        # In their order: None for a server that waits, else until when its place is kept.
        self._line: dict[str, float | None] = {}

    def take(self, name: str, nodes: Iterable[SeatedNode], tasks: Iterable[Task]) -> str | None:
        """Return the id of the node for server `name`, and count its seat as taken from now on.

        None when every free seat belongs to a server that came first: the server is then in line.
        `tasks` are the tasks of all students' servers.
        """
        nodes = list(nodes)
        now = self._now()
        self._line = {o: kept for o, kept in self._line.items() if kept is None or kept > now}
        if self._starting.pop(name, None) is None:
            self._line[name] = None
        else:
            # Its node did not start it after all: it goes to the front of the line.
            self._line = {name: None, **self._line}
        if self.place(name) > self.free(nodes, tasks):
            return None
        node_id = choose_node(nodes, self._seats_used(tasks), Counter(self._starting.values()))
        if node_id is not None:
            del self._line[name]
            self._starting[name] = node_id
        return node_id

    def free(self, nodes: Iterable[SeatedNode], tasks: Iterable[Task]) -> int:
        """Return how many seats of the nodes are free."""
        used, starting = self._seats_used(tasks), Counter(self._starting.values())
        return sum(free_seats(node, used, starting) for node in nodes)

    def settle(self, name: str) -> None:
        """Forget the start of `name`: its task is listed, or it has failed. A place that was given
        up stays kept."""
        self._starting.pop(name, None)
        if name in self._waiting:
            del self._line[name]

    def give_up(self, name: str) -> bool:
        """End the wait of `name` and keep its place for KEPT_S seconds; False if it did not wait.

        A place that is kept holds no seat.
        """
        if name not in self._waiting:
            return False
        self._line[name] = self._now() + KEPT_S
        return True

    def place(self, name: str) -> int:
        """Return the place of `name` in the line, from 1; 0 when it does not wait."""
        return next((place for place, other in enumerate(self._waiting, 1) if other == name), 0)

    @property
    def waiting(self) -> int:
        """How many servers wait for a seat."""
        return len(self._waiting)

    @property
    def _waiting(self) -> list[str]:
        return [name for name, kept in self._line.items() if kept is None]

    def _seats_used(self, tasks: Iterable[Task]) -> Counter[str]:
        """Count servers by node id, without the starts in flight, which are counted apart."""
        return Counter(
            task["NodeID"]
            for task in tasks
            if task.get("NodeID") and not has_ended(task) and service_of(task) not in self._starting
        )
