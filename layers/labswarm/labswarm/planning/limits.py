"""How many students each limit of a cluster allows, and how to raise it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from labswarm.planning.cluster import OTHER_CALLS, PlannedCluster


class Limit(StrEnum):
    """The limits that a class can meet."""

    SEATS = "seats"
    MAX_NODES = "max_nodes"
    VCPUS = "vcpus"
    CONCURRENCY = "concurrency"
    SUBNET = "subnet"
    OVERLAY = "overlay"
    HUB = "hub"


@dataclass(frozen=True)
class Bound:
    """The most `students` at once that a limit allows, and the `remedy` for the number wanted."""

    limit: Limit
    students: int
    remedy: str


def bounds(cluster: PlannedCluster, wanted: int) -> list[Bound]:
    """Return the limits that allow fewer than `wanted` students at once, the narrowest first."""
    found = [bound for bound in _all(cluster, wanted) if bound.students < wanted]
    return sorted(found, key=lambda bound: bound.students)


def _all(cluster: PlannedCluster, wanted: int) -> Iterator[Bound]:
    seats, limits = cluster.kind.seats, cluster.limits
    if not seats:
        yield Bound(
            Limit.SEATS,
            0,
            f"A seat does not fit into {cluster.kind.name}: give the group a larger instance type, "
            "or make the seat smaller.",
        )
        return
    nodes = math.ceil(wanted / seats)
    yield Bound(
        Limit.MAX_NODES,
        cluster.max_nodes * seats,
        f"Raise max_nodes from {cluster.max_nodes} to {nodes}.",
    )
    yield from _vcpus(cluster, nodes)
    if limits.subnet_addresses is not None:
        yield Bound(
            Limit.SUBNET,
            limits.subnet_addresses * seats,
            f"Give the workers subnets with {nodes - limits.subnet_addresses} more addresses: "
            f"{limits.subnet_addresses} are free, and {nodes} nodes need one each.",
        )
    if limits.overlay_addresses is not None:
        yield _overlay(limits.overlay_addresses, seats, wanted + nodes + 2)
    if limits.hub_servers is not None:
        yield Bound(
            Limit.HUB,
            limits.hub_servers,
            f"Raise the hub's active_server_limit from {limits.hub_servers} to {wanted}, or give "
            "the class a hub of its own.",
        )


def _vcpus(cluster: PlannedCluster, nodes: int) -> Iterator[Bound]:
    if cluster.within_quotas(nodes):
        return
    most = next(n for n in range(nodes, -1, -1) if n == 0 or cluster.within_quotas(n))
    on_demand = cluster.on_demand(nodes)
    each, limits = cluster.kind.vcpus, cluster.limits
    wanted = [
        f"{count * each} vCPUs of standard {name} instances (the quota leaves {free})"
        for name, count, free in (
            ("spot", nodes - on_demand, limits.spot_vcpus),
            ("on-demand", on_demand, limits.on_demand_vcpus),
        )
        if free is not None and count * each > free
    ]
    yield Bound(Limit.VCPUS, most * cluster.kind.seats, f"Ask AWS for {' and '.join(wanted)}.")


def _overlay(addresses: int, seats: int, wanted: int) -> Bound:
    # The hub's container and its node have two; then a node has one, and each of its servers.
    nodes, left = divmod(max(0, addresses - 2), seats + 1)
    return Bound(
        Limit.OVERLAY,
        nodes * seats + max(0, left - 1),
        f"Give the hub's overlay network {wanted} addresses: it has {addresses}. Set "
        f"labswarm_hub.subnet_size to {_mask(wanted)} before the Swarm is made.",
    )


def _mask(addresses: int) -> int:
    """The prefix length of the smallest network with so many addresses to use."""
    return 32 - math.ceil(math.log2(addresses + 3))


def concurrency(cluster: PlannedCluster, nodes: int, late: int) -> Bound:
    """The bound of Lambda's concurrent executions, when `nodes` start together: so many students
    get a seat by the nodes that start first."""
    at_once = cluster.starts_at_once or 0
    return Bound(
        Limit.CONCURRENCY,
        late,
        f"Ask AWS for {nodes + OTHER_CALLS} concurrent executions of Lambda: with "
        f"{cluster.limits.concurrency}, {at_once} of {nodes} nodes start at the same time.",
    )
