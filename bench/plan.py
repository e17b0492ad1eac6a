"""How long the plan of a large day takes: 1,000 nodes, 20,000 students, 5 % of the spot nodes lost
per hour. Run it with python; the time is that of one core.
"""

import time

from labswarm.lab_hours.booking import Booking
from labswarm.planning.cluster import Kind, Limits, PlannedCluster
from labswarm.planning.distributions import Distributions, LogNormal
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm_operator.planning.reading import Sizes, given

NODES, SEATS = 1000, 20
EIGHT = 1_800_000_000.0
LABS = 10


def main() -> None:
    """Print the answer and the processor's seconds."""
    small = given(Sizes(node_seats=SEATS, max_nodes=NODES))
    limits = Limits(overlay_addresses=None, hub_starts_per_s=50)
    cluster = PlannedCluster(small.description, Kind("", 16, SEATS), most=NODES, limits=limits)
    each = NODES * SEATS // LABS
    labs = [
        Lab(Booking(f"lab {n}", EIGHT + n * 3600, EIGHT + 12 * 3600, each), each)
        for n in range(LABS)
    ]
    times = Distributions(LogNormal(190, 240), spot_losses_per_hour=0.05)
    begun = time.process_time()
    answer = plan(labs, cluster, Arrivals(600), times, seed=1)
    took = time.process_time() - begun
    print(answer.headline)
    print(
        f"{answer.nodes} nodes, {sum(lab.students for lab in answer.labs)} students, "
        f"{answer.lost_nodes} nodes lost, {answer.moved} servers moved: {took:.1f} s"
    )


if __name__ == "__main__":
    main()
