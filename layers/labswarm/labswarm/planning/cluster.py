"""A cluster as it is planned: its description, its nodes, and the limits around it."""

from dataclasses import dataclass

from labswarm.cluster import Cluster
from labswarm.groups import Mix

HUB_ADDRESSES = 3
"""Addresses of the overlay network that no server and no node takes: its own, the gateway's and
the broadcast's. The hub's container counts as a server."""
OVERLAY_ADDRESSES = 2**12 - HUB_ADDRESSES
"""Usable addresses of the hub's overlay network, a /20 (cookbooks/labswarm_hub)."""
OTHER_CALLS = 4
"""The functions that run besides a call for each node that starts: the minute, reconcile."""


@dataclass(frozen=True)
class Kind:
    """An instance type of the workers: its vCPUs, and how many seats a node of it has."""

    name: str
    vcpus: int
    seats: int


@dataclass(frozen=True)
class Limits:
    """The free part of each limit outside the cluster. A limit that is None is not checked.

    `spot_vcpus` and `on_demand_vcpus` are the rest of the account's quotas. `concurrency` are
    Lambda's calls at once. `subnet_addresses` are the addresses of the workers' subnets that are
    free or its workers' own, and `overlay_addresses` the usable ones of the hub's overlay network.
    The hub lets `hub_servers` servers run at once, and starts `hub_starts_per_s`.
    """

    spot_vcpus: int | None = None
    on_demand_vcpus: int | None = None
    concurrency: int | None = None
    subnet_addresses: int | None = None
    overlay_addresses: int | None = OVERLAY_ADDRESSES
    hub_servers: int | None = None
    hub_starts_per_s: float = 5.0


@dataclass(frozen=True)
class Prices:
    """The prices of a node in USD per hour, with the day of the list, and where spot's is from."""

    on_demand: float
    spot: float
    volume: float
    region: str
    date: str | None
    spot_source: str = ""


@dataclass(frozen=True)
class PlannedCluster:
    """A cluster and everything that bounds it.

    `had_nodes`: lab hours have seen a node, and so know how many seats one has. `least` and `most`
    are the group's sizes; the description's may be narrower. Of its instances `base` are on demand,
    and so are `percent` of the others (labswarm.groups.Mix).
    """

    description: Cluster
    kind: Kind
    most: int
    least: int = 0
    base: int = 0
    percent: int = 0
    limits: Limits = Limits()
    prices: Prices | None = None
    had_nodes: bool = True

    @property
    def max_nodes(self) -> int:
        """The largest size that lab hours ask for."""
        own = self.description.max_nodes
        return self.most if own is None else min(self.most, own)

    @property
    def mix(self) -> Mix:
        """The group's purchases."""
        return Mix(self.base, self.percent)

    def on_demand(self, nodes: int) -> int:
        """How many of this many nodes are on demand."""
        return self.mix.on_demand(nodes)

    def within_quotas(self, nodes: int) -> bool:
        """Whether the account's vCPU quotas allow this many nodes."""
        on_demand = self.on_demand(nodes)
        limits, each = self.limits, self.kind.vcpus
        return (limits.spot_vcpus is None or (nodes - on_demand) * each <= limits.spot_vcpus) and (
            limits.on_demand_vcpus is None or on_demand * each <= limits.on_demand_vcpus
        )

    @property
    def starts_at_once(self) -> int | None:
        """How many nodes start at the same time; None: no limit is known."""
        if self.limits.concurrency is None:
            return None
        return max(1, self.limits.concurrency - OTHER_CALLS)
