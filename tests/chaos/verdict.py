"""The problems at the end, in sentences; none when all is well. Pure but for `look`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labswarm_lab.lab import Lab
from labswarm_lab.swarm_seen import swarm_of
from labswarm_node.swarm import Server, StudentTask, SwarmNode
from tests.chaos.hub_log import Ending
from tests.chaos.injector import HUB_BACK_WITHIN_S, Injected
from tests.chaos.students import Leave
from tests.e2e.conftest import LabUnderTest
from tests.support.interrupted import NOTICE_S

HOOKS = ("labswarm-node-launch", "labswarm-node-terminate", "labswarm-spot-interruption")
MOVER = "labswarm-manager"
_TRANSITIONS = ("launch", "terminate", "rebalance")


@dataclass(frozen=True)
class Seen:
    """A lab at one moment, as all its sides say.

    `status` is that of `labswarm lab status --json`; `group` the state of each instance in the
    group and `desired` its size; `online` the instances whose SSM agents answer; `open_claims` are
    (instance, transition) of the ledger; `running` the executions of the machines that hold hooks;
    `tasks` those of students' servers.
    """

    status: Mapping[str, Any]
    swarm: Sequence[SwarmNode]
    group: Mapping[str, str]
    desired: int
    online: frozenset[str]
    open_claims: Sequence[tuple[str, str]]
    running: Sequence[str]
    tasks: Sequence[StudentTask]


def look(lab: LabUnderTest) -> Seen:
    """Ask every side. Raises AssertionError when the lab says no status."""
    status = lab.status()
    (group,) = lab.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[f"labswarm-{lab.name}-workers"]
    )["AutoScalingGroups"]
    agents = [
        agent
        for page in lab.client("ssm").get_paginator("describe_instance_information").paginate()
        for agent in page["InstanceInformationList"]
    ]
    items = [
        item
        for page in lab.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName="labswarm-ledger")
        for item in page["Items"]
    ]
    swarm = swarm_of(Lab.named(lab.name))
    return Seen(
        status=status,
        swarm=swarm.nodes(),
        group={member["InstanceId"]: member["LifecycleState"] for member in group["Instances"]},
        desired=group["DesiredCapacity"],
        online=frozenset(a["InstanceId"] for a in agents if a["PingStatus"] == "Online"),
        open_claims=[
            (item["instance_id"]["S"], item["transition"]["S"])
            for item in items
            if item["transition"]["S"] in _TRANSITIONS and "N" not in item.get("closed_at", {})
        ],
        running=[name for machine in HOOKS for name in lab.executions(machine, "RUNNING")],
        tasks=swarm.tasks(),
    )


def ghosts(seen: Seen) -> list[str]:
    """Objects of an instance that one side knows and another does not."""
    wrong = []
    living = {node.instance_id for node in seen.swarm if node.state == "ready"}
    workers = [node for node in seen.swarm if node.role == "worker"]
    for node in workers:
        if node.instance_id not in seen.group:
            wrong.append(f"the Swarm has node {node.node_id} of {node.instance_id}, which is gone")
        elif node.state != "ready":
            other = ", beside one that is ready" if node.instance_id in living else ""
            wrong.append(f"the Swarm's node of {node.instance_id} is {node.state}{other}")
    ready = [node.instance_id for node in workers if node.state == "ready"]
    wrong += [
        f"{i} is two nodes of the Swarm" for i in sorted({*ready}, key=str) if ready.count(i) > 1
    ]
    wrong += _twice(seen)
    for node_seen in seen.status["nodes"]:
        instance = node_seen["instance_id"]
        if instance not in seen.group and node_seen["chef"] is not None:
            wrong.append(f"the Chef Server has {instance} ({node_seen['chef']}), which is gone")
        if instance in seen.group and node_seen["chef"] != "known":
            wrong.append(f"the Chef Server has of {instance} only {node_seen['chef']}")
        if instance in seen.group and node_seen["swarm"] is None:
            wrong.append(f"the Swarm does not have {instance}")
    workers_online = seen.online - {n.instance_id for n in seen.swarm if n.role == "manager"}
    wrong += [f"SSM has {i}, which is gone" for i in sorted(workers_online - set(seen.group))]
    wrong += [f"SSM does not have {i}" for i in sorted(set(seen.group) - seen.online)]
    return wrong


def _twice(seen: Seen) -> list[str]:
    """A sentence for each server that runs on more than one node."""
    ready = {node.node_id for node in seen.swarm if node.state == "ready"}
    nodes: dict[Server, list[str]] = {}
    for task in seen.tasks:
        if task.node_id in ready:
            nodes.setdefault(task.server, []).append(str(task.node_id))
    return [f"{s.service} runs on {' and '.join(on)}" for s, on in nodes.items() if on[1:]]


def hung(seen: Seen) -> list[str]:
    """Work that waits for an event that does not come."""
    wrong = [f"{i} is {state}" for i, state in sorted(seen.group.items()) if state != "InService"]
    if len(seen.group) != seen.desired:
        wrong.append(f"the group has {len(seen.group)} instances and wants {seen.desired}")
    wrong += [f"the ledger's claim on {i}, {what}, is open" for i, what in seen.open_claims]
    wrong += [f"the execution {name.rpartition(':')[2]} runs" for name in seen.running]
    return wrong


def unwell(seen: Seen) -> list[str]:
    """The state of the hub, the Chef Server and the alarms."""
    wrong = [] if seen.status["hub"]["healthy"] else ["the hub is not healthy"]
    if seen.status["chef"] == "unreachable":
        wrong.append("the Chef Server is unreachable")
    return wrong + [f"{a['name']} is on: {a['reason']}" for a in seen.status["alarms"]]


def unrest(seen: Seen) -> list[str]:
    """All of these."""
    return ghosts(seen) + hung(seen) + unwell(seen)


def instances_of(nodes: Sequence[SwarmNode]) -> dict[str, str]:
    """The instance of each node that says it: one that has only just joined does not yet."""
    return {node.node_id: node.instance_id for node in nodes if node.instance_id}


def early(endings: Sequence[Ending], leaves: Mapping[str, Sequence[Leave]]) -> list[Ending]:
    """Those that their students have not asked for; `leaves` are those of each student."""
    return [
        ending
        for ending in endings
        if ending.who != ending.student
        and not any(one.since <= ending.at <= one.until for one in leaves.get(ending.student, ()))
    ]


def cause(ending: Ending, injected: Sequence[Injected], instances: Mapping[str, str]) -> str | None:
    """Return the fault that may have ended a server early, or None.

    `instances` are those of the Swarm's node ids.
    """
    instance = instances.get(ending.node_id or "")
    hubs = [s for s in injected if s.fault.kind.name == "hub-restart"]
    found = [s for s in injected if s.explains(instance, ending.at) and _may_end(s, ending, hubs)]
    return found[-1].fault.kind.name if found else None


def _may_end(one: Injected, ending: Ending, hubs: Sequence[Injected]) -> bool:
    """Whether this fault at the ending's node may have caused it: between EC2's warning and
    its kill only by a move. The request is lost with a hub that is killed then."""
    if one.fault.kind.name != "interrupt" or ending.at >= one.at + NOTICE_S:
        return True
    return ending.who == MOVER or any(
        hub.at <= ending.at <= (hub.until or ending.at) + HUB_BACK_WITHIN_S for hub in hubs
    )


def cut_off(
    early: Sequence[Ending], injected: Sequence[Injected], instances: Mapping[str, str]
) -> list[str]:
    """Return a sentence for each early ending on a node without such a fault."""
    return [
        f"{e.student}'s server on {instances.get(e.node_id or '') or e.node_id} ended early at "
        f"{e.at:.0f} ({e.who or 'by itself'}: {e.why}), and no fault explains it"
        for e in early
        if cause(e, injected, instances) is None
    ]
