"""Auto Scaling: groups whose instances go through lifecycle hooks, and the events that say so.

What differs from AWS: no health checks of its own (an instance ended outside the group is noticed
at once), no warm pools, refresh, scheduled actions or policies that fire; capacity is not spread
over zones, and the group chooses its oldest unprotected instance when it scales in.
"""

from labswarm_lab.plane.autoscaling import api
from labswarm_lab.plane.plane import Plane


def install(plane: Plane) -> None:
    """Give moto's groups a lifecycle."""
    api.install(plane)
