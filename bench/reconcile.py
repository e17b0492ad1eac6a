"""How long a reconcile pass compares and decides: 1,000 nodes, and 200 of them are orphans
on some side. Run it with python."""

import statistics
import time

from labswarm.groups import Roster
from labswarm.reconcile.findings import Identities, Listings
from labswarm.reconcile.plan import decide
from labswarm.snapshot import NodeSeen, Snapshot

NODES, ORPHANS, ROUNDS = 1000, 200, 50
NOW = 1_800_000_000.0


def listings(taken_at: float) -> Listings:
    """The first 100 instances have left the group; the last 100 have never joined the Swarm."""
    ids = [f"i-{number:017x}" for number in range(NODES + ORPHANS)]
    in_group, in_swarm = ids[ORPHANS // 2 :], ids[: -ORPHANS // 2]
    left = set(ids) - set(in_group)
    nodes = tuple(
        NodeSeen(f"n{i}", i, "down" if i in left else "ready", "active", 20, 5, "2026-11-24")
        for i in in_swarm
    )
    return Listings(
        cluster="bench",
        manager="i-0fedcba9876543210",
        group=Roster(len(in_group), dict.fromkeys(in_group, "InService")),
        swarm=Snapshot("bench", taken_at, nodes, running=5 * NODES, waiting=0),
        chef=Identities(frozenset(in_swarm), frozenset(in_swarm)),
        online=frozenset(in_group),
        working=frozenset(ids[500:520]),
        joined=frozenset(in_swarm),
    )


def main() -> None:
    """Print the median and the slowest, in milliseconds."""
    _, last = decide(listings(NOW), None, NOW, 240)
    given = listings(NOW + 300)
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        plan, _ = decide(given, last, NOW + 300, 240)
        took.append(1000 * (time.perf_counter() - begun))
    print(
        f"{NODES} nodes, {len(plan.due)} due and {len(plan.over_cap)} over the cap: "
        f"median {statistics.median(took):.2f} ms, slowest {max(took):.2f} ms"
    )


if __name__ == "__main__":
    main()
