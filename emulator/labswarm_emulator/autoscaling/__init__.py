"""Auto Scaling: groups whose instances go through lifecycle hooks, and their events.

Differences from AWS: EC2's state is noticed at once and its status checks pass, and only faults
limit spot and on-demand capacity (`faults.CapacityFaults`); an absent API says so (`absent`).
"""

from labswarm_emulator.autoscaling import api
from labswarm_emulator.emulator import Emulator


def install(emulator: Emulator) -> None:
    """Give moto's groups a lifecycle."""
    api.install(emulator)
