"""Seats of this hub: the starts in flight, and the line of the servers that wait for a seat."""

from collections import Counter
from collections.abc import Iterable

from labswarm.seats import SeatedNode, choose_node, free_seats
from labswarm_hub.tasks import Task, has_ended, service_of


class Seating:
    """Gives out one group's seats, first come, first served.

    One hub process gives out all seats of its clusters, so it knows every start in flight. Not
    thread-safe: between a choice and the start of its service, await nothing that takes another
    seat.
    """

    def __init__(self) -> None:
        self._starting: dict[str, str] = {}
        self._line: dict[str, None] = {}

    def take(self, name: str, nodes: Iterable[SeatedNode], tasks: Iterable[Task]) -> str | None:
        """Return the id of the node for server `name`, and count its seat as taken from now on.

        None when every free seat belongs to a server that came first: the server is then in line.
        `tasks` are the tasks of all students' servers.
        """
        nodes = list(nodes)
        if self._starting.pop(name, None) is None:
            self._line.setdefault(name)
        else:
            # Its node did not start it after all: it goes to the front of the line.
            self._line = {name: None, **self._line}
        used = self._seats_used(tasks)
        starting = Counter(self._starting.values())
        free = sum(free_seats(node, used, starting) for node in nodes)
        if self.place(name) > free:
            return None
        node_id = choose_node(nodes, used, starting)
        if node_id is not None:
            del self._line[name]
            self._starting[name] = node_id
        return node_id

    def settle(self, name: str) -> None:
        """Forget the start of `name`: its task is listed, or it has failed or was given up."""
        self._starting.pop(name, None)
        self._line.pop(name, None)

    def place(self, name: str) -> int:
        """Return the place of `name` in the line, from 1; 0 when it does not wait."""
        return next((place for place, other in enumerate(self._line, 1) if other == name), 0)

    @property
    def waiting(self) -> int:
        """How many servers wait for a seat."""
        return len(self._line)

    def _seats_used(self, tasks: Iterable[Task]) -> Counter[str]:
        """Count servers by node id, without the starts in flight, which are counted apart."""
        return Counter(
            task["NodeID"]
            for task in tasks
            if task.get("NodeID") and not has_ended(task) and service_of(task) not in self._starting
        )
