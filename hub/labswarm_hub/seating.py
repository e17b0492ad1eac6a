"""Who sits where: the starts in flight of this hub, and the line of those who wait for a seat."""

from collections import Counter
from collections.abc import Iterable

from labswarm.seats import SeatedNode, choose_node, free_seats
from labswarm_hub.tasks import Task, has_ended, service_of


class Seating:
    """Gives out one group's seats in the order in which they were asked for.

    One hub process gives out all seats of its clusters, so what is in flight is known here. Not
    thread-safe; between a choice and the start of its service nothing may be awaited that asks
    for another seat.
    """

    def __init__(self) -> None:
        self._starting: dict[str, str] = {}
        self._line: dict[str, None] = {}

    def take(self, name: str, nodes: Iterable[SeatedNode], tasks: Iterable[Task]) -> str | None:
        """The id of the node on which server `name` starts, counted as taken from now on.

        None when every free seat is for someone who came first: the server is then in line.
        `tasks` are those of all students' servers.
        """
        nodes = list(nodes)
        if self._starting.pop(name, None) is None:
            self._line.setdefault(name)
        else:
            # Its node did not take it after all: that costs nobody their place.
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
        """The start of `name` is over: it is among the tasks, or it has failed or been given up."""
        self._starting.pop(name, None)
        self._line.pop(name, None)

    def place(self, name: str) -> int:
        """The place of `name` in the line, from 1; 0 when it does not wait."""
        return next((place for place, other in enumerate(self._line, 1) if other == name), 0)

    @property
    def waiting(self) -> int:
        """How many servers wait for a seat."""
        return len(self._line)

    def _seats_used(self, tasks: Iterable[Task]) -> Counter[str]:
        """Servers by node id, without those whose start is in flight: they are counted by it."""
        return Counter(
            task["NodeID"]
            for task in tasks
            if task.get("NodeID") and not has_ended(task) and service_of(task) not in self._starting
        )
