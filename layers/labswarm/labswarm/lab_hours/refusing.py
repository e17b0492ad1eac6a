"""Nodes that cannot start students' servers: servers end there before they run, or the node itself
reports that its homes cannot be used. Such a node takes no more servers, and another one is
launched in its place. Pure."""

from collections.abc import Iterable, Sequence

from labswarm.snapshot import NodeSeen

SERVERS = 2
"""A node that so many students' servers left unstarted refuses servers: one server may have a
reason of its own."""
_PAGE = "docs/how-to/alarms.md#nodes-that-start-no-servers"


def refusing(nodes: Iterable[NodeSeen]) -> frozenset[NodeSeen]:
    """Return the nodes that refuse servers."""
    return frozenset(node for node in nodes if node.unfit or node.refused >= SERVERS)


def to_close(ready: Sequence[NodeSeen]) -> list[NodeSeen]:
    """Return the open node to pause now, if any.

    It pauses one at a time. If the homes are lost on all nodes, new nodes do not help, and with all
    of them closed no node would be open when the homes are back.
    """
    found = refusing(ready)
    if any(node.availability == "pause" for node in found):
        return []
    is_open = [node for node in found if node.availability == "active"]
    return sorted(is_open, key=lambda node: (not node.unfit, -node.refused, node.node_id))[:1]


def sentences(closed: Iterable[NodeSeen]) -> tuple[str, ...]:
    """Return a sentence for each closed node, for the people who answer alarms."""
    return tuple(
        f"{node.instance_id}: {_reason(node)} The node takes no more servers and is replaced. "
        f"{node.seats_used} students are on it. Open {_PAGE}"
        for node in sorted(closed, key=lambda node: node.node_id)
    )


def _reason(node: NodeSeen) -> str:
    if node.unfit:
        return "it reports that its homes cannot be used, so students there cannot save."
    return (
        f"the servers of {node.refused} students ended there before they ran, and start on other "
        "nodes."
    )
