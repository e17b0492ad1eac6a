"""`labswarm lab cut` and `heal`: a node's link, down and up again."""

import click

from labswarm_lab.asking import ask_emulator
from labswarm_lab.lab import Lab
from labswarm_lab.naming import real_node_named
from labswarm_lab.nodes import network, numbers
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_operator.refusal import Refusal

_REMEDY = "they have no link; `labswarm lab kill` loses one, or bring a lab of real nodes up"


def cut_node(lab: Lab, node: str) -> None:
    """Neither the Swarm nor AWS hears of the node until `heal_node`; again is no error.

    Raises Refusal when `node` names none, or nodes are simulated.
    """
    instance_id = real_node_named(lab, node, _REMEDY)
    ask_emulator(lab, "cut", instance_id)
    _set(lab, instance_id, up=False)
    click.echo(f"{instance_id}: cut off; `labswarm lab heal {node}` joins it again")


def heal_node(lab: Lab, node: str) -> None:
    """Undo `cut_node`; a node that was not cut is no error. Raises Refusal as that does."""
    instance_id = real_node_named(lab, node, _REMEDY)
    _set(lab, instance_id, up=True)
    ask_emulator(lab, "heal", instance_id)
    click.echo(f"{instance_id}: its link is up")


def _set(lab: Lab, instance_id: str, *, up: bool) -> None:
    number = numbers.number_of(lab.place, instance_id)
    if number is None:
        raise Refusal(f"NODE {instance_id}: its machine does not run (any more)")
    network.set_cable(NodesSettings.read(lab.place).subnet, number, up=up)
