"""How long a lifecycle hook is kept waiting for its work, and whether by heartbeats.

A hook that hears nothing waits one heartbeat timeout; each heartbeat restarts it, up to 48 hours or
100 timeouts, the shorter of both.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from labswarm.cluster import Cluster
from labswarm.lifecycle.events import Transition

TICK_S = 60
"""How often heartbeats are sent (seconds)."""
LEAST_TIMEOUT_S = 3 * TICK_S
"""The shortest timeout that outlasts a tick that failed and one that came late."""
LONGEST_S = 48 * 3600
MOST_TIMEOUTS = 100
# A launch: the agent online, the first chef-client run and the class images, each ten minutes at
# most by its own bound, are never all that long.
LAUNCH_S = 1800
# A termination, after its students' time: moving those who are left, as long as a node needs to
# start elsewhere, and then draining, leaving and removing.
MOVES_S = 300
CLEANUP_S = 120


def is_kept_up(timeout_s: int) -> bool:
    """Whether heartbeats can keep a hook of this heartbeat timeout (seconds) waiting."""
    return timeout_s >= LEAST_TIMEOUT_S


def total_s(transition: Transition, cluster: Cluster, timeout_s: int) -> int:
    """The seconds that a hook of this heartbeat timeout waits for the work on a transition."""
    if not is_kept_up(timeout_s):
        return timeout_s
    own = LAUNCH_S if transition == "launch" else cluster.empty_deadline_s + MOVES_S + CLEANUP_S
    return min(own, LONGEST_S, MOST_TIMEOUTS * timeout_s)
