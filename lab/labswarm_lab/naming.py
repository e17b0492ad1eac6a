"""The instance that NODE on the command line means."""

from collections.abc import Sequence

import click

from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

HUB = "hub"


def workers(lab: Lab) -> list[str]:
    """List the instances of all the lab's groups. Raises Refusal if the lab is not up."""
    groups = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return [i["InstanceId"] for group in groups for i in group["Instances"]]


def worker_named(lab: Lab, node: str) -> str:
    """Return the worker that `node` names: its instance id, or a unique beginning of it.

    Raises Refusal if it names none, or several.
    """
    return chosen(node, workers(lab))


def node_named(lab: Lab, node: str) -> str:
    """Return the same, or the hub's machine for `hub` or its instance id."""
    manager = lab.running.manager
    return manager if node in (HUB, manager) else chosen(node, workers(lab), also=HUB)


def real_node_named(lab: Lab, node: str, remedy: str) -> str:
    """Return the same. Raises Refusal, with the remedy, if nodes are simulated."""
    if lab.running.simulated:
        raise Refusal(
            f"NODE {node!r}: the nodes of the lab {lab.cluster!r} are simulated. {remedy}"
        )
    return node_named(lab, node)


def chosen(node: str, there: Sequence[str], also: str = "") -> str:
    """Return the one of `there` that `node` names or begins. Raises Refusal with the known ones."""
    if node in there:
        return node
    named = [worker for worker in there if worker.startswith(node)] if node else []
    if not named:
        raise Refusal(f"NODE: {unknown('node', node, [*there, *([also] if also else [])])}")
    if len(named) > 1:
        raise Refusal(
            f"NODE: {node!r} is the beginning of several nodes: {', '.join(named)}. Write more."
        )
    return named[0]


def complete_node(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """List the nodes that begin so, for the Tab key; none if there is no lab."""
    return [name for name in [HUB, *_on_disk(context)] if name.startswith(begun)]


def complete_worker(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """List the same without the hub."""
    return [name for name in _on_disk(context) if name.startswith(begun)]


def _on_disk(context: click.Context) -> list[str]:
    """Read the lab's folder only: the shell waits for this at every Tab."""
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
