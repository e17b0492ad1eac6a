"""`labswarm lab scale`: the API calls that an operator makes on AWS."""

import time
from collections.abc import Sequence

from labswarm_lab.ground import asg_name
from labswarm_lab.lab import Lab
from labswarm_lab.observe import observe
from labswarm_lab.status import Node, Status
from labswarm_operator.progress import step
from labswarm_operator.refusal import Failure

PATIENCE_S = 300
# Lab hours leave the size of a group alone while this process is suspended.
SCALING = ["AlarmNotification"]
LOOK_S = 0.5


def scale_to(lab: Lab, workers: int, *, wait: bool) -> None:
    """Keep `workers` workers, against lab hours, until `scale_by_itself`.

    Raises Refusal without a lab, Failure if it takes too long.
    """
    seen = observe(lab)
    autoscaling = lab.client("autoscaling")
    autoscaling.suspend_processes(
        AutoScalingGroupName=asg_name(lab.cluster), ScalingProcesses=SCALING
    )
    staying = [node for node in _ours(lab, seen) if _stays(node)]
    for node in chosen_to_go(staying, len(staying) - workers):
        # A lower desired capacity would let the group choose, and it knows no students.
        autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=node.instance_id, ShouldDecrementDesiredCapacity=True
        )
    # Launches more, or cancels launches that have not begun.
    autoscaling.set_desired_capacity(
        AutoScalingGroupName=asg_name(lab.cluster), DesiredCapacity=workers
    )
    if wait:
        with step(f"waiting for {workers} workers in AWS, Swarm and Chef"):
            await_workers(lab, workers)


def scale_by_itself(lab: Lab) -> None:
    """Let lab hours decide the size again. Raises Refusal without a lab."""
    lab.client("autoscaling").resume_processes(
        AutoScalingGroupName=asg_name(lab.cluster), ScalingProcesses=SCALING
    )


def chosen_to_go(nodes: Sequence[Node], count: int) -> list[Node]:
    """Return the `count` nodes with the fewest students; among equals, the youngest."""
    by_students = sorted(nodes, key=lambda n: (n.seats_used or 0, n.age_s or 0, n.instance_id))
    return by_students[: max(0, count)]


def await_workers(lab: Lab, workers: int) -> Status:
    """Wait until exactly `workers` workers exist, and are open on all three sides.

    Raises Failure after PATIENCE_S seconds.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = observe(lab)
        ours = _ours(lab, seen)
        if len(ours) == workers and all(map(_open, ours)):
            return seen
        if time.monotonic() > deadline:
            raise Failure(
                f"After {PATIENCE_S} s {sum(map(_open, ours))} of {workers} workers are open: "
                f"{', '.join(map(_said, ours)) or 'none'}. See {lab.command('logs')}."
            )
        time.sleep(LOOK_S)


def _said(node: Node) -> str:
    sides = (node.asg, node.swarm, node.availability, node.chef)
    return f"{node.instance_id} ({', '.join(side or '-' for side in sides)})"


def _ours(lab: Lab, seen: Status) -> list[Node]:
    """The hub's own workers, without those of its further groups."""
    return [node for node in seen.nodes if node.cluster == lab.cluster]


def _stays(node: Node) -> bool:
    return node.asg is not None and not node.asg.startswith("Terminat")


def _open(node: Node) -> bool:
    return (node.asg, node.swarm, node.availability, node.chef) == (
        "InService",
        "ready",
        "active",
        "known",
    )
