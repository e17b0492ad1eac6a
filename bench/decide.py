"""How long a decision takes: 1,000 nodes, 20,000 seats, 50 booked labs. Run it with python."""

import statistics
import time

from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.demand import Situation, decide
from labswarm.snapshot import NodeSeen, Snapshot

NODES, SEATS, ROUNDS = 1000, 20, 50
NOW = 1_800_000_000.0


def situation() -> Situation:
    """Three quarters of the nodes open, the others paused; every node a different number of
    students."""
    nodes = tuple(
        NodeSeen(
            f"n{i:04}",
            f"i-{i:08x}",
            "ready",
            "active" if i % 4 else "pause",
            SEATS,
            i % SEATS,
            "2026-11-24T08:00:00Z",
        )
        for i in range(NODES)
    )
    ids = frozenset(str(node.instance_id) for node in nodes)
    running = sum(node.seats_used for node in nodes)
    return Situation(
        cluster="bench",
        now=NOW,
        snapshot=Snapshot("bench", NOW, nodes, running, waiting=500),
        group=Group(desired=NODES, least=0, most=2 * NODES, in_service=ids),
        bookings=tuple(Booking(f"lab {i}", NOW - 60, NOW + 3600, 100) for i in range(50)),
        headroom=20,
        ahead_s=300,
    )


def main() -> None:
    """Print the median and the slowest, in milliseconds."""
    given = situation()
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        decide(given)
        took.append(1000 * (time.perf_counter() - begun))
    print(
        f"{NODES} nodes, {NODES * SEATS} seats: median {statistics.median(took):.2f} ms, "
        f"slowest {max(took):.2f} ms"
    )


if __name__ == "__main__":
    main()
