"""Read a cluster to plan for: from an account, or from given sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.errors import code_of
from labswarm.cluster import Chef, Cluster, Resources, asg_name
from labswarm.errors import LabswarmError
from labswarm.lab_hours.demand import MEASURED_ENOUGH
from labswarm.lab_hours.state import LabHoursState
from labswarm.planning.cluster import Kind, Limits, PlannedCluster
from labswarm.planning.distributions import Distributions, LogNormal, Measured
from labswarm_operator.account import Clients, asked
from labswarm_operator.doctor.facts import Kind as InstanceType
from labswarm_operator.doctor.facts import Limit, Quota, WorkerGroup
from labswarm_operator.doctor.fit import seats
from labswarm_operator.doctor.reading import read_group, read_kinds, read_limits
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

QUICK = 0.8
"""The median start of a node as a share of `node_start_s`, where none was measured."""


@dataclass(frozen=True)
class Account:
    """A cluster as its account knows it; `state` has the bookings and the measured starts."""

    cluster: PlannedCluster
    state: LabHoursState
    region: str


@dataclass(frozen=True)
class Sizes:
    """Sizes that are given in place of a cluster's own; None: its own."""

    instance_type: str | None = None
    node_seats: int | None = None
    vcpus: int | None = None
    max_nodes: int | None = None
    node_start_s: float | None = None
    headroom: int | None = None


def read_account(clients: Clients, name: str, sizes: Sizes) -> Account:
    """Read a cluster, its group and its limits, with some sizes changed.

    Raises Refusal for an unknown cluster or instance type, and AWS's errors by kind.
    """
    with asked():
        names = SsmClusters(clients("ssm")).names()
        if name not in names:
            raise Refusal(f"--cluster: {unknown('cluster', name, names)}")
        described = SsmClusters(clients("ssm")).read_cluster(name)
        group = read_group(clients, described.asg)
        if group is None:
            raise Refusal(f"--cluster {name}: There is no group {described.asg}. Apply its stack.")
        if sizes.instance_type:
            group = replace(group, kinds=_kinds(clients, sizes.instance_type))
        state = DynamoLabHoursStates(clients("dynamodb"), TABLE).read_state(name)
        cluster = PlannedCluster(
            description=described,
            kind=_kind(described, group),
            most=group.most,
            base=group.base,
            percent=group.percent,
            limits=_limits(
                list(read_limits(clients, described.asg)), _addresses(clients, described.asg)
            ),
            had_nodes=state.node_seats is not None,
        )
        return Account(changed(cluster, sizes), state, clients("ec2").meta.region_name)


def given(sizes: Sizes) -> PlannedCluster:
    """Return a cluster of given sizes, without an account. Raises Refusal for a missing one."""
    if sizes.node_seats is None or sizes.max_nodes is None:
        raise Refusal("Give --cluster, or --node-seats and --max-nodes.")
    described = Cluster(
        name="given",
        asg=asg_name("given"),
        manager="",
        chef=Chef("", None, None, "", ""),
        seat=Resources(0, 0),
        overhead=Resources(0, 0),
        headroom=0,
        images=(),
        empty_deadline_s=0,
        timetable=None,
    )
    kind = Kind(sizes.instance_type or "", sizes.vcpus or 2, sizes.node_seats)
    return changed(PlannedCluster(described, kind, most=sizes.max_nodes), sizes)


def changed(cluster: PlannedCluster, sizes: Sizes) -> PlannedCluster:
    """Return the cluster with the sizes that are given."""
    kind, described = cluster.kind, cluster.description
    if sizes.max_nodes is not None:
        described = replace(described, max_nodes=sizes.max_nodes)
        cluster = replace(cluster, most=max(cluster.most, sizes.max_nodes))
    if sizes.headroom is not None:
        described = replace(described, headroom=sizes.headroom)
    if sizes.node_start_s is not None:
        described = replace(described, node_start_s=max(1, round(sizes.node_start_s)))
    if sizes.node_seats is not None:
        kind = replace(kind, seats=sizes.node_seats)
    if sizes.vcpus is not None:
        kind = replace(kind, vcpus=sizes.vcpus)
    return replace(cluster, kind=kind, description=described)


def distributions(
    cluster: PlannedCluster, measured_s: Sequence[float], losses_per_hour: float
) -> Distributions:
    """Return the durations of a cluster: the starts measured, where there are enough."""
    longest_s = cluster.description.node_start_s
    enough = len(measured_s) >= MEASURED_ENOUGH
    return Distributions(
        node_start=Measured(tuple(measured_s))
        if enough
        else LogNormal(QUICK * longest_s, longest_s),
        spot_losses_per_hour=losses_per_hour,
        measured_starts_s=tuple(measured_s),
    )


def _kinds(clients: Clients, instance_type: str) -> Sequence[InstanceType]:
    try:
        with asked():
            return read_kinds(clients, [instance_type])
    except LabswarmError as error:
        if code_of(error) != "InvalidInstanceType":
            raise
        raise Refusal(
            f"--type: There is no instance type {instance_type!r} in this region. Give one like "
            "m7i.large."
        ) from error


def _kind(cluster: Cluster, group: WorkerGroup) -> Kind:
    """A node as EC2 may choose it at worst: the fewest seats, and the most vCPUs."""
    if not group.kinds:
        raise Refusal(f"The group {group.name} names no instance type. Give --type.")
    smallest = min(group.kinds, key=lambda kind: seats(cluster, kind))
    most_vcpus = max(kind.vcpus for kind in group.kinds)
    return Kind(smallest.name, most_vcpus, seats(cluster, smallest))


def _limits(found: Sequence[Limit], addresses: int | None) -> Limits:
    free = {limit.quota: limit.free for limit in found}
    return Limits(
        spot_vcpus=free.get(Quota.SPOT),
        on_demand_vcpus=free.get(Quota.ON_DEMAND),
        concurrency=free.get(Quota.CONCURRENCY),
        subnet_addresses=addresses,
    )


def _addresses(clients: Clients, asg: str) -> int | None:
    """The free addresses of the workers' subnets, with those that its workers have now."""
    (group,) = clients("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[asg])[
        "AutoScalingGroups"
    ]
    ids = [name for name in group.get("VPCZoneIdentifier", "").split(",") if name]
    if not ids:
        return None
    subnets = clients("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
    free = sum(subnet["AvailableIpAddressCount"] for subnet in subnets)
    return int(free) + len(group["Instances"])
