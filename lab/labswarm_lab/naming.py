"""Which instance a NODE on the command line is."""

from collections.abc import Sequence

import click

from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal

HUB = "hub"


def workers(lab: Lab) -> list[str]:
    """The instances of all the lab's groups. Raises Refusal when it is not up."""
    groups = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return [i["InstanceId"] for group in groups for i in group["Instances"]]


def worker_named(lab: Lab, node: str) -> str:
    """The worker that `node` is: an instance id, or as much of its beginning as no other has.

    Raises Refusal when it names none, or several.
    """
    return chosen(node, workers(lab))


def node_named(lab: Lab, node: str) -> str:
    """The same, or the hub's machine for `hub`; its instance id will do too."""
    manager = lab.running.manager
    return manager if node in (HUB, manager) else chosen(node, workers(lab), also=HUB)


def real_node_named(lab: Lab, node: str, remedy: str) -> str:
    """The same. Raises Refusal, with the remedy, where nodes are simulated."""
    if lab.running.simulated:
        raise Refusal(f"NODE {node!r}: the nodes of {lab.cluster!r} are simulated; {remedy}")
    return node_named(lab, node)


def chosen(node: str, there: Sequence[str], also: str = "") -> str:
    """The one of `there` that `node` names or begins. Raises Refusal, which says what there is."""
    named = [worker for worker in there if worker.startswith(node)] if node else []
    if node in there:
        return node
    if len(named) != 1:
        which = "several workers" if named else "no worker"
        known = ", ".join([*there, *([also] if also else [])])
        raise Refusal(f"NODE {node!r} names {which}; there are: {known or 'none'}")
    return named[0]


def complete_node(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The nodes that a shell offers for what is begun; none where there is no lab."""
    return [name for name in [HUB, *_on_disk(context)] if name.startswith(begun)]


def complete_worker(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The same without the hub."""
    return [name for name in _on_disk(context) if name.startswith(begun)]


def _on_disk(context: click.Context) -> list[str]:
    """A shell waits for this at every Tab: no API is asked."""
    above = context
    while above.parent is not None and "name" not in above.params:
        above = above.parent
    try:
        lab = Lab.named(str(above.params.get("name") or "lab"))
        manager = lab.running.manager
    except Refusal:
        return []
    found = sorted(folder.name for folder in lab.place.nodes_dir.glob("i-*") if folder.is_dir())
    return [name for name in found if name != manager]
