"""A worker, found by its instance id alone, as its manager changes it."""

from collections.abc import Sequence
from typing import Any

from labswarm.errors import Gone, Permanent, Transient
from labswarm_node.swarm import Availability, Swarm, SwarmNode


def pause(swarm: Swarm, instance_id: str) -> dict[str, Any]:
    """Pause and label the worker: servers there stay, and nothing new starts."""
    return _set(swarm, instance_id, "pause")


def activate(swarm: Swarm, instance_id: str, cluster: str | None = None) -> dict[str, Any]:
    """Open the worker to new servers and label it, also with `cluster` if given.

    Raises Permanent when its engine has another cluster's label.
    """
    return _set(swarm, instance_id, "active", cluster)


def drain(swarm: Swarm, instance_id: str) -> dict[str, Any]:
    """Drain the worker: end every server there at once."""
    return _set(swarm, instance_id, "drain")


def remove(swarm: Swarm, instance_id: str) -> dict[str, Any]:
    """Remove every node of this instance that is down, earlier ones too.

    Raises Transient while one of them is ready: it has not left yet, or only just.
    """
    nodes = _nodes_of(swarm, instance_id)
    for node in nodes:
        if node.state == "down":
            try:
                swarm.remove(node.node_id)
            except Gone:
                continue
    for node in nodes:
        if node.state != "down":
            raise Transient(f"node {node.node_id} of {instance_id} is still {node.state}")
    return {"removed": True}


def remove_down_nodes(swarm: Swarm, node_ids: Sequence[str]) -> dict[str, Any]:
    """Remove workers that are down by their node ids, also those without a known instance.

    Returns `removed`, the ids that are gone, and `kept`, the ids that are not down. Raises
    Permanent for a manager, before anything is removed.
    """
    states = {node.node_id: node for node in swarm.nodes()}
    if any(states[node_id].role == "manager" for node_id in node_ids if node_id in states):
        raise Permanent("one of these nodes is a manager of the Swarm; only workers come and go")
    kept = []
    for node_id in node_ids:
        try:
            swarm.remove(node_id)
        except Gone:
            continue
        except Transient:
            # Either it is ready again, or the manager is busy: the next pass sees which.
            kept.append(node_id)
    return {"removed": [node_id for node_id in node_ids if node_id not in kept], "kept": kept}


def find(swarm: Swarm, instance_id: str) -> SwarmNode | None:
    """Return an instance's worker: the ready node or else the newest one; others are leftovers.

    Raises Permanent for a manager, and for a node whose two labels disagree.
    """
    nodes = _nodes_of(swarm, instance_id)
    return max(nodes, key=lambda node: (node.state == "ready", node.created_at), default=None)


def _nodes_of(swarm: Swarm, instance_id: str) -> Sequence[SwarmNode]:
    nodes = [
        node
        for node in swarm.nodes()
        # Both labels are looked at, so that one that lies is noticed by `instance_id`.
        if instance_id in (node.node_label, node.engine_label) and node.instance_id == instance_id
    ]
    if any(node.role == "manager" for node in nodes):
        raise Permanent(f"{instance_id} is a manager of the Swarm; only workers come and go")
    return nodes


def _set(
    swarm: Swarm, instance_id: str, availability: Availability, cluster: str | None = None
) -> dict[str, Any]:
    node = find(swarm, instance_id)
    if node is None:
        raise Gone(f"no node of the Swarm is {instance_id}")
    if cluster and node.engine_cluster not in (None, cluster):
        raise Permanent(
            f"{instance_id} belongs to {cluster}, but its engine has the label of "
            f"{node.engine_cluster}: repair the node.json that its image writes"
        )
    of = cluster or node.cluster
    labelled = (node.availability, node.node_label, node.node_cluster)
    if labelled != (availability, instance_id, of):
        swarm.update(node.node_id, availability, instance_id, of)
    return {
        "node_id": node.node_id,
        "state": node.state,
        "availability": availability,
        "servers": [server.service for server in swarm.servers_on(node.node_id)],
    }
