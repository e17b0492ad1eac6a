"""`labswarm lab cut` and `heal`: take a node's link down and up again."""

import click

from labswarm_lab.asking import ask_emulator
from labswarm_lab.lab import Lab
from labswarm_lab.naming import real_node_named
from labswarm_lab.nodes import network, numbers
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_operator.refusal import Refusal


def cut_node(lab: Lab, node: str) -> None:
    """Cut the node off from the Swarm and from AWS until `heal_node`; twice is no error.

    Raises Refusal if `node` names none, or nodes are simulated.
    """
    instance_id = real_node_named(lab, node, _remedy(lab))
    ask_emulator(lab, "cut", instance_id)
    _set(lab, instance_id, up=False)
    click.echo(f"{instance_id} is cut off. Connect it again: {lab.command(f'heal {node}')}.")


def heal_node(lab: Lab, node: str) -> None:
    """Undo `cut_node`; a node that was not cut is no error. Raises Refusal as `cut_node` does."""
    instance_id = real_node_named(lab, node, _remedy(lab))
    _set(lab, instance_id, up=True)
    ask_emulator(lab, "heal", instance_id)
    click.echo(f"{instance_id} is connected.")


def _remedy(lab: Lab) -> str:
    return (
        f"They have no link. Kill one with {lab.command('kill NODE')}, or start real nodes as root."
    )


def _set(lab: Lab, instance_id: str, *, up: bool) -> None:
    number = numbers.number_of(lab.place, instance_id)
    if number is None:
        raise Refusal(f"NODE {instance_id}: its machine is not running. Choose another one.")
    network.set_cable(NodesSettings.read(lab.place).subnet, number, up=up)
