"""The size of the class that fits into a cluster, under the quotas of its account."""

from dataclasses import dataclass

from labswarm.cluster import Cluster
from labswarm.readiness.account import Facts, Kind, Quota, WorkerGroup
from labswarm.seats import Seat, seats_of


@dataclass(frozen=True)
class Fit:
    """A number of nodes and of students, and the limit that allows no more.

    `wanted` is the number of nodes at the cluster's maximum.
    """

    nodes: int
    students: int
    wanted: int
    seats_per_node: int
    limited_by: str


def fit(facts: Facts) -> Fit | None:
    """Return the largest class that fits; None if the cluster or its group is unknown.

    A group with several instance types counts as many seats as its smallest, and as many vCPUs as
    its largest: EC2 chooses.
    """
    cluster, group = facts.cluster, facts.group
    if cluster is None or group is None or not group.kinds:
        return None
    wanted, limited_by = _maximum(cluster, group)
    nodes = wanted
    for quota in (Quota.SPOT, Quota.ON_DEMAND):
        limit = facts.limit(quota)
        while limit and nodes and vcpus(group, nodes, quota) > limit.free:
            nodes, limited_by = nodes - 1, quota.label
    each = min(seats(cluster, kind) for kind in group.kinds)
    return Fit(nodes, nodes * each, wanted, each, limited_by)


def vcpus(group: WorkerGroup, nodes: int, quota: Quota) -> int:
    """How many vCPUs of a quota this many nodes need at most."""
    on_demand = group.on_demand(nodes)
    count = on_demand if quota is Quota.ON_DEMAND else nodes - on_demand
    return count * max(kind.vcpus for kind in group.kinds)


def _maximum(cluster: Cluster, group: WorkerGroup) -> tuple[int, str]:
    if cluster.max_nodes is not None and cluster.max_nodes < group.most:
        return cluster.max_nodes, "max_nodes of the cluster"
    return group.most, f"the maximum size of the group {group.name}"


def seats(cluster: Cluster, kind: Kind) -> int:
    """Return how many seats a node of this type has."""
    seat = Seat(cluster.seat.memory_bytes, cluster.seat.nano_cpus)
    overhead = Seat(cluster.overhead.memory_bytes, cluster.overhead.nano_cpus)
    return seats_of(kind.memory_bytes, kind.vcpus * 10**9, seat, overhead)
