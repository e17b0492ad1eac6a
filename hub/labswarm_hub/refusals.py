"""Nodes on which servers end before they run. Such an end says something about the node, for
example that its homes are not mounted, and not about the student."""

from dataclasses import dataclass

LEFT_OUT_S = 30.0
"""How long a node is left out after its first such end (seconds); twice as long after each more."""
LONGEST_S = 600.0
SERVERS = 2
"""Ends of so many different servers keep all servers away from a node. The end of one server may
have a reason of its own, and keeps only that server away."""


@dataclass
class _Ends:
    count: int
    last: float


class Refusals:
    """Counts such ends per node since the last server that ran there. Times are monotonic
    seconds."""

    def __init__(self) -> None:
        self._ends: dict[str, dict[str, _Ends]] = {}

    def ended(self, node_id: str, server: str, at: float) -> None:
        """Count an end of a server on a node."""
        ends = self._ends.setdefault(node_id, {}).setdefault(server, _Ends(0, at))
        ends.count += 1
        ends.last = at

    def ran(self, node_id: str) -> None:
        """Forget a node's ends: a server runs there."""
        self._ends.pop(node_id, None)

    def refuses(self, node_id: str) -> bool:
        """Return whether the node keeps all servers from running."""
        return len(self._ends.get(node_id, {})) >= SERVERS

    def left_out(self, server: str, at: float) -> frozenset[str]:
        """Return the ids of the nodes on which the server does not start now."""
        return frozenset(node_id for node_id in self._ends if self._is_out(node_id, server, at))

    def _is_out(self, node_id: str, server: str, at: float) -> bool:
        ends = self._ends[node_id]
        counted = list(ends.values()) if self.refuses(node_id) else [ends.get(server)]
        known = [one for one in counted if one is not None]
        if not known:
            return False
        times = sum(one.count for one in known)
        wait_s = min(LONGEST_S, LEFT_OUT_S * 2.0 ** min(times - 1, 10))
        return bool(at - max(one.last for one in known) < wait_s)
