"""What the Swarm's listings say of students' servers; tasks and nodes as the Engine API gives them.

States: https://docs.docker.com/engine/swarm/how-swarm-mode-works/swarm-task-states/
"""

from collections.abc import Iterable, Mapping
from typing import Any

from labswarm.seats import Seat, SeatedNode, seats_of
from labswarm_hub.settings import Group
from labswarm_hub.task_spec import CLUSTER_LABEL, SERVICE_LABEL

Task = Mapping[str, Any]
Node = Mapping[str, Any]

_ENDED = frozenset({"complete", "failed", "shutdown", "rejected", "orphaned", "remove"})
# What Swarm wants of a task that it has not given up.
_WANTED = frozenset({"ready", "accepted", "running"})


def seated(node: Node, seat: Seat, overhead: Seat) -> SeatedNode:
    """A node of the Swarm as the packing sees it."""
    spec, resources = node["Spec"], node["Description"]["Resources"]
    return SeatedNode(
        node_id=node["ID"],
        seats=seats_of(
            resources.get("MemoryBytes", 0), resources.get("NanoCPUs", 0), seat, overhead
        ),
        open=spec["Role"] == "worker"
        and spec["Availability"] == "active"
        and node["Status"]["State"] == "ready",
    )


def seated_of(nodes: Iterable[Node], group: Group, own: str) -> list[SeatedNode]:
    """The nodes of one group; a node that names no cluster is of the hub's `own`."""
    return [
        seated(node, group.seat, group.overhead)
        for node in nodes
        if (cluster_of(node) or own) == group.cluster
    ]


def cluster_of(node: Node) -> str | None:
    """The cluster whose worker a node is: what its manager wrote, else what its engine says."""
    engine = node["Description"].get("Engine") or {}
    for labels in (node["Spec"].get("Labels"), engine.get("Labels")):
        if labels and labels.get(CLUSTER_LABEL):
            return str(labels[CLUSTER_LABEL])
    return None


def newest(tasks: Iterable[Task], service_id: str) -> Task | None:
    """The last task of a service: the earlier ones are its history."""
    own = (task for task in tasks if task["ServiceID"] == service_id)
    return max(own, key=lambda task: str(task["CreatedAt"]), default=None)


def lingering(tasks: Iterable[Task], nodes: Iterable[Node], service: str) -> bool:
    """Whether a task of a removed service, by its name, may still answer.

    A task on a node that is down does not, and its end is never reported.
    """
    down = {node["ID"] for node in nodes if node["Status"]["State"] == "down"}
    return any(
        not has_ended(task) and task.get("NodeID") not in down
        for task in tasks
        if service_of(task) == service
    )


def service_of(task: Task) -> str:
    """The name of the service that a student's task belongs to, also when it is removed."""
    return str(task["Spec"]["ContainerSpec"]["Labels"][SERVICE_LABEL])


def state(task: Task) -> str:
    """The state that Swarm last heard of."""
    return str(task["Status"]["State"])


def has_ended(task: Task) -> bool:
    """Whether the task's container is gone for certain."""
    return state(task) in _ENDED


def end_of(task: Task) -> str | None:
    """Why a server is no longer one, in a few words; None while it runs or is still to run.

    Without a restart policy a task that Swarm wants ended is not replaced, so its server has ended
    even where its state says `running`: that is the last word of a node that went away.
    """
    if task["DesiredState"] in _WANTED and not has_ended(task):
        return None
    status = task["Status"]
    why = status.get("Err") or status.get("Message") or "no reason given"
    return f"{state(task)} (wanted: {task['DesiredState']}): {why}"


def address(task: Task, network: str) -> str | None:
    """The task's own address on the network, without its prefix length; None if it has none yet.

    A name would do, were it not that it is remembered for up to a minute after the task behind it
    has changed.
    """
    for attachment in task.get("NetworksAttachments") or ():
        if attachment["Network"]["Spec"]["Name"] == network and attachment.get("Addresses"):
            return str(attachment["Addresses"][0]).partition("/")[0]
    return None
