"""Read students' servers from the Swarm's listings: tasks and nodes as the Engine API gives them.

States: https://docs.docker.com/engine/swarm/how-swarm-mode-works/swarm-task-states/
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from labswarm.seats import Seat, SeatedNode, seats_with
from labswarm_hub.settings import Group
from labswarm_hub.task_spec import CLUSTER_LABEL, SERVICE_LABEL, UNFIT_LABEL

Task = Mapping[str, Any]
Node = Mapping[str, Any]

_ENDED = frozenset({"complete", "failed", "shutdown", "rejected", "orphaned", "remove"})
# Desired states of a task that Swarm has not given up.
_WANTED = frozenset({"ready", "accepted", "running"})


def seated(node: Node, seat: Seat, overhead: Seat, taken: Collection[Seat] = ()) -> SeatedNode:
    """Return a node of the Swarm as the packing sees it; `taken` are the seats of its servers."""
    spec, resources = node["Spec"], node["Description"]["Resources"]
    return SeatedNode(
        node_id=node["ID"],
        seats=seats_with(
            resources.get("MemoryBytes", 0), resources.get("NanoCPUs", 0), seat, overhead, taken
        ),
        open=spec["Role"] == "worker"
        and spec["Availability"] == "active"
        and node["Status"]["State"] == "ready",
    )


def is_unfit(node: Node) -> bool:
    """Return whether the node reports that its homes cannot be used."""
    return UNFIT_LABEL in _engine_labels(node)


def seated_of(
    nodes: Iterable[Node], group: Group, own: str, tasks: Iterable[Task] = ()
) -> list[SeatedNode]:
    """Return the nodes of one group on which servers may start; `tasks` are all servers' tasks.

    A node without a cluster label belongs to the hub's `own`. Unfit nodes are left out. If all of
    several nodes are unfit, other nodes would not be better: none is left out, and the start
    itself names the fault.
    """
    theirs = [node for node in nodes if (cluster_of(node) or own) == group.cluster]
    fit = [node for node in theirs if not is_unfit(node)]
    usable = theirs if len(theirs) > 1 and not fit else fit
    taken: defaultdict[str, list[Seat]] = defaultdict(list)
    for task in tasks:
        if task.get("NodeID") and not has_ended(task):
            taken[task["NodeID"]].append(_reserved(task) or group.seat)
    return [seated(node, group.seat, group.overhead, taken[node["ID"]]) for node in usable]


def _reserved(task: Task) -> Seat | None:
    reserved = (task["Spec"].get("Resources") or {}).get("Reservations") or {}
    seat = Seat(reserved.get("MemoryBytes", 0), reserved.get("NanoCPUs", 0))
    return seat if seat.memory_bytes or seat.nano_cpus else None


def cluster_of(node: Node) -> str | None:
    """Return the cluster of a worker: the node's label, or without one the engine's label."""
    for labels in (node["Spec"].get("Labels"), _engine_labels(node)):
        if labels and labels.get(CLUSTER_LABEL):
            return str(labels[CLUSTER_LABEL])
    return None


def _engine_labels(node: Node) -> Mapping[str, str]:
    engine = node["Description"].get("Engine") or {}
    return engine.get("Labels") or {}


def newest(tasks: Iterable[Task], service_id: str) -> Task | None:
    """Return the newest task of a service; earlier ones are its history."""
    own = (task for task in tasks if task["ServiceID"] == service_id)
    return max(own, key=lambda task: str(task["CreatedAt"]), default=None)


def lingering(tasks: Iterable[Task], nodes: Iterable[Node], service: str) -> bool:
    """Return whether a task of a removed service may still answer.

    A task on a node that is down does not answer, and its end is never reported.
    """
    down = {node["ID"] for node in nodes if node["Status"]["State"] == "down"}
    return any(
        not has_ended(task) and task.get("NodeID") not in down
        for task in tasks
        if service_of(task) == service
    )


def service_of(task: Task) -> str:
    """Return the name of a task's service, also when the service is removed."""
    return str(task["Spec"]["ContainerSpec"]["Labels"][SERVICE_LABEL])


def state(task: Task) -> str:
    """Return the state that Swarm heard last."""
    return str(task["Status"]["State"])


def has_ended(task: Task) -> bool:
    """Return whether the task's container is certainly gone."""
    return state(task) in _ENDED


def end_of(task: Task) -> str | None:
    """Return why a server has ended, in a few words; None while it runs or starts.

    Without a restart policy Swarm does not replace a task that it wants to end. Its server has
    ended even if the state is still `running`: that is the last report of a node that is lost.
    """
    if task["DesiredState"] in _WANTED and not has_ended(task):
        return None
    status = task["Status"]
    why = status.get("Err") or status.get("Message") or "no reason given"
    return f"{state(task)} (wanted: {task['DesiredState']}): {why}"


def address(task: Task, network: str) -> str | None:
    """Return the task's own address on the network, without prefix length; None if it has none yet.

    Not a name: JupyterHub remembers a name's address for up to a minute after the task changed.
    """
    for attachment in task.get("NetworksAttachments") or ():
        if attachment["Network"]["Spec"]["Name"] == network and attachment.get("Addresses"):
            return str(attachment["Addresses"][0]).partition("/")[0]
    return None
