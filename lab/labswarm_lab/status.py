"""The state of a lab: AWS's, Swarm's and Chef's view of each worker, side by side."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from labswarm.snapshot import NodeSeen


@dataclass(frozen=True)
class Node:
    """One worker of a cluster.

    `asg`, `swarm` and `chef` are None where that side does not know it.
    """

    cluster: str
    instance_id: str
    asg: str | None
    swarm: str | None
    availability: str | None
    chef: str | None
    seats: int | None
    seats_used: int | None
    age_s: int | None


@dataclass(frozen=True)
class Status:
    """One lab, as `labswarm lab status --json` prints it."""

    hub: Mapping[str, Any]
    emulator: str
    latency: str
    homes: str
    swarm: str
    chef: str
    nodes: Sequence[Node]
    executions: Mapping[str, int]
    alarms: Sequence[Mapping[str, str]]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def merge(
    cluster: str,
    asg: Mapping[str, tuple[str, float | None]],
    swarm: Mapping[str, NodeSeen],
    chef: Mapping[str, str],
) -> list[Node]:
    """Every worker of a cluster that any side knows, by instance id.

    `asg` maps an instance id to its lifecycle state and launch time (s since the epoch); `chef`
    maps it to the Chef Server's objects of it.
    """
    now = time.time()
    nodes = []
    for instance_id in sorted({*asg, *swarm, *chef}):
        state, launched = asg.get(instance_id, (None, None))
        seen = swarm.get(instance_id)
        nodes.append(
            Node(
                cluster=cluster,
                instance_id=instance_id,
                asg=state,
                swarm=seen.state if seen else None,
                availability=seen.availability if seen else None,
                chef=chef.get(instance_id),
                seats=seen.seats if seen else None,
                seats_used=seen.seats_used if seen else None,
                age_s=None if launched is None else int(now - launched),
            )
        )
    return nodes


def asg_view(autoscaling: Any, ec2: Any, group: str) -> dict[str, tuple[str, float | None]]:
    """Lifecycle state and launch time of each instance of the group."""
    groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    members = {
        member["InstanceId"]: member["LifecycleState"]
        for found in groups["AutoScalingGroups"]
        for member in found["Instances"]
    }
    launched: dict[str, datetime] = {}
    if members:
        for reservation in ec2.describe_instances(InstanceIds=list(members))["Reservations"]:
            for instance in reservation["Instances"]:
                launched[instance["InstanceId"]] = instance["LaunchTime"]
    return {
        instance_id: (state, launched[instance_id].timestamp() if instance_id in launched else None)
        for instance_id, state in members.items()
    }


def chef_view(cluster: str, clients: Sequence[str], nodes: Sequence[str]) -> dict[str, str]:
    """The Chef Server's objects of each instance: `known` (client and node), or one of them."""
    prefix = f"{cluster}-i-"
    found: dict[str, str] = {}
    for name in {*clients, *nodes}:
        if name.startswith(prefix):
            both = name in clients and name in nodes
            only = "client" if name in clients else "node"
            found[name.removeprefix(f"{cluster}-")] = "known" if both else only
    return found


_COUNTED = (
    ("RUNNING", "running"),
    ("FAILED", "failed"),
    ("TIMED_OUT", "failed"),
    ("ABORTED", "failed"),
)


def executions_view(stepfunctions: Any) -> dict[str, int]:
    """How many executions of the app's machines run, and how many have failed."""
    counts = {"running": 0, "failed": 0}
    for machine in stepfunctions.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        for status, key in _COUNTED:
            pages = stepfunctions.get_paginator("list_executions").paginate(
                stateMachineArn=arn, statusFilter=status
            )
            counts[key] += sum(len(page["executions"]) for page in pages)
    return counts


def alarms_view(cloudwatch: Any) -> list[dict[str, str]]:
    """The alarms that are in ALARM, the newest last: their name, since when, and why."""
    found = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    return [
        {
            "name": alarm["AlarmName"],
            "since": alarm["StateUpdatedTimestamp"].isoformat(timespec="seconds"),
            "reason": alarm["StateReason"],
        }
        for alarm in sorted(found, key=lambda alarm: alarm["StateUpdatedTimestamp"])
    ]
