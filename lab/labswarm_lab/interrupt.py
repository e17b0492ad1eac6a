"""`labswarm lab interrupt` and `kill`: a worker is lost, with a warning and without."""

import click

from labswarm_emulator.spot import NOTICE_S
from labswarm_lab.asking import ask_emulator
from labswarm_lab.lab import Lab
from labswarm_lab.naming import worker_named


def interrupt_node(lab: Lab, node: str, *, rebalance: bool) -> None:
    """Have EC2 warn of a worker's interruption, or only recommend to rebalance.

    `node` is an instance id, or as much of its beginning as no other has. Raises Refusal when it
    names no worker, or several.
    """
    instance_id = worker_named(lab, node)
    if rebalance:
        ask_emulator(lab, "rebalance", instance_id)
        click.echo(f"{instance_id}: EC2 sent a rebalance recommendation. It takes no new servers.")
        return
    ask_emulator(lab, "interrupt", instance_id)
    click.echo(f"{instance_id}: EC2 ends it in {NOTICE_S} s.")


def kill_node(lab: Lab, node: str) -> None:
    """Take a worker away at once; `node` and its errors are as for `interrupt_node`."""
    instance_id = worker_named(lab, node)
    ask_emulator(lab, "kill", instance_id)
    click.echo(f"{instance_id} is killed.")
