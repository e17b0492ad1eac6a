"""`labswarm lab interrupt` and `kill`: a worker is lost, with a warning and without."""

import click
import urllib3

from labswarm_lab.lab import Lab
from labswarm_lab.plane.control import DOOR
from labswarm_lab.plane.spot import NOTICE_S
from labswarm_lab.refusal import Failure, Refusal

_PATIENCE_S = 10


def interrupt_node(lab: Lab, node: str, *, rebalance: bool) -> None:
    """Have EC2 warn of a worker's interruption, or only recommend to rebalance.

    `node` is an instance id, or as much of its beginning as no other has. Raises Refusal when it
    names no worker, or several.
    """
    instance_id = _worker(lab, node)
    if rebalance:
        _ask(lab, "rebalance", instance_id)
        click.echo(f"{instance_id}: EC2 recommends to rebalance; it takes no more servers")
        return
    _ask(lab, "interrupt", instance_id)
    click.echo(f"{instance_id}: EC2 takes it in {NOTICE_S} s")


def kill_node(lab: Lab, node: str) -> None:
    """Take a worker away at once; `node` and what it raises are as for `interrupt_node`."""
    instance_id = _worker(lab, node)
    _ask(lab, "kill", instance_id)
    click.echo(f"{instance_id}: killed")


def _worker(lab: Lab, node: str) -> str:
    groups = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    workers: list[str] = [i["InstanceId"] for group in groups for i in group["Instances"]]
    named = [worker for worker in workers if worker.startswith(node)]
    if node in workers:
        return node
    if len(named) != 1:
        which = "several workers" if named else "no worker"
        raise Refusal(f"NODE {node!r} names {which}; there are: {', '.join(workers) or 'none'}")
    return named[0]


def _ask(lab: Lab, what: str, instance_id: str) -> None:
    """Ask at the plane's own door, for AWS has none for this."""
    url = f"{lab.running.plane}{DOOR}{what}/{instance_id}"
    try:
        answer = urllib3.request("POST", url, timeout=_PATIENCE_S, retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise Failure(f"the plane does not answer: {error}") from error
    if answer.status != 204:
        raise Refusal(str(answer.json()["error"]))
