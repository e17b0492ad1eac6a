"""A cluster as its account knows it, for a plan."""

from collections.abc import Sequence

from labswarm.cluster import Cluster
from labswarm.errors import BadInput
from labswarm.lab_hours.demand import MEASURED_ENOUGH
from labswarm.lab_hours.state import LabHoursState
from labswarm.planning.cluster import Kind, Limits, PlannedCluster
from labswarm.planning.distributions import Distributions, LogNormal, Measured
from labswarm.readiness.account import Limit, Quota, WorkerGroup
from labswarm.readiness.fit import seats

QUICK = 0.8
"""The median start of a node as a share of `node_start_s`, where none was measured."""


def planned_cluster(
    described: Cluster,
    group: WorkerGroup,
    limits: Sequence[Limit],
    addresses: int | None,
    state: LabHoursState,
) -> PlannedCluster:
    """Return the cluster with its group's sizes and the free part of each limit. Raises BadInput
    for a group that names no instance type."""
    free = {limit.quota: limit.free for limit in limits}
    return PlannedCluster(
        description=described,
        kind=_kind(described, group),
        most=group.most,
        base=group.base,
        percent=group.percent,
        limits=Limits(
            spot_vcpus=free.get(Quota.SPOT),
            on_demand_vcpus=free.get(Quota.ON_DEMAND),
            concurrency=free.get(Quota.CONCURRENCY),
            subnet_addresses=addresses,
        ),
        had_nodes=state.node_seats is not None,
    )


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


def _kind(cluster: Cluster, group: WorkerGroup) -> Kind:
    """A node as EC2 may choose it at worst: the fewest seats, and the most vCPUs."""
    if not group.kinds:
        raise BadInput(f"group {group.name}", "names no instance type; give --type")
    smallest = min(group.kinds, key=lambda kind: seats(cluster, kind))
    most_vcpus = max(kind.vcpus for kind in group.kinds)
    return Kind(smallest.name, most_vcpus, seats(cluster, smallest))
