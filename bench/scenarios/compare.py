"""Run a scenario under every policy, with the same students and the same draws."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bench.scenarios.clairvoyant import node_hours
from bench.scenarios.classes import STARTS, Scenario
from bench.scenarios.policies import (
    CA_UNNEEDED_S,
    KARPENTER_EMPTY_S,
    Buffer,
    SpotOnly,
    TargetTracking,
    nothing,
)

from labswarm.planning.answer import percentile
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.costs import cost, paid_hours
from labswarm.planning.policy import LabHoursPolicy
from labswarm.planning.students import students_of
from labswarm.planning.world import Policy, World
from labswarm_operator.planning.prices import node_prices
from labswarm_operator.planning.reading import Sizes, given

SEATS, TYPE, REGION = 7, "m7i.large", "eu-west-1"
LAB_HOURS, BIG = "labswarm", "one big machine, always on"
SPOT_ONLY = "labswarm, nothing on demand"
TRACKING, CLUSTER_AUTOSCALER = "CPU target tracking at 40 %", "placeholder pods, cluster autoscaler"
KARPENTER, HOT, FULL = "Karpenter, capacity buffer", "hot buffer", "hot buffer for the whole class"
SPARE_NODES = 2
"""The placeholders, buffers and hot nodes that are kept all the time."""
SEED = 1
END_S = 60.0
"""The median end of a node, as the simulation draws it (seconds)."""


@dataclass(frozen=True)
class Outcome:
    """A scenario under a policy. `missed` students got no server; `cut` servers were ended to make
    the cluster smaller."""

    policy: str
    p50_s: float
    p95_s: float
    worst_s: float
    missed: int
    cut: int
    node_hours: float
    usd: float
    of_optimum: float


def outcomes(scenario: Scenario, seed: int = SEED) -> Iterator[Outcome]:
    """Yield the outcome of each policy, labswarm's first."""
    chance = random.Random(seed)  # noqa: S311  # a simulation to be had again, no secret
    students = list(students_of(scenario.labs, scenario.arrivals, chance))
    # The bound pays for the median start and end, and loses no node.
    optimum = node_hours(students, SEATS, STARTS.median_s, END_S)
    for name, (cluster, policy) in _policies(scenario).items():
        world = World(cluster, scenario.times, policy(cluster), seed, scenario.begins)
        world.run(students, scenario.ends)
        yield _outcome(name, world, optimum)


def _policies(
    scenario: Scenario,
) -> dict[str, tuple[PlannedCluster, Callable[[PlannedCluster], Policy]]]:
    whole = -(-scenario.most_students // SEATS)
    cluster = given(Sizes(TYPE, node_seats=SEATS, max_nodes=whole + SPARE_NODES + 1))
    cluster = replace(cluster, prices=node_prices(REGION, TYPE))
    spare = SPARE_NODES * SEATS
    bookings = [lab.booking for lab in scenario.labs if lab.booked]
    ours: dict[str, tuple[PlannedCluster, Callable[[PlannedCluster], Policy]]] = {
        LAB_HOURS: (cluster, lambda planned: LabHoursPolicy(planned, bookings))
    }
    if any(not shortage.zones_left for shortage in scenario.times.shortages):
        ours[SPOT_ONLY] = (cluster, lambda planned: SpotOnly(planned, bookings))
    return ours | {
        BIG: (replace(cluster, least=whole, most=whole), lambda _: nothing),
        TRACKING: (replace(cluster, least=1), lambda _: TargetTracking()),
        CLUSTER_AUTOSCALER: (cluster, lambda _: Buffer(spare, CA_UNNEEDED_S)),
        KARPENTER: (cluster, lambda _: Buffer(spare, KARPENTER_EMPTY_S)),
        HOT: (replace(cluster, least=SPARE_NODES), lambda _: Buffer(0, CA_UNNEEDED_S)),
        FULL: (cluster, lambda _: Buffer(scenario.most_students, CA_UNNEEDED_S)),
    }


def _outcome(name: str, world: World, optimum: float) -> Outcome:
    waits = [server.wait_s for server in world.servers if server.wait_s is not None]
    hours = [(node, paid_hours(node, world.now)) for node in world.nodes.values()]
    bill = cost(hours, 0, world.cluster.prices)
    return Outcome(
        policy=name,
        p50_s=percentile(waits, 0.5),
        p95_s=percentile(waits, 0.95),
        worst_s=percentile(waits, 1),
        missed=sum(server.ready_at is None for server in world.servers),
        cut=sum(server.killed for server in world.servers),
        node_hours=bill.node_hours,
        usd=bill.usd or 0.0,
        of_optimum=bill.node_hours / optimum,
    )
