"""An instance's way to AWS, cut and healed: while it is cut, its agent cannot be commanded.

The link itself is the machine's, and the caller that cuts it reports it over the control API
(`control_api`). Differences from AWS: an instance's status checks do not see it.
"""

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.spot import Spot
from labswarm_emulator.ssm import Agents


class Links:
    """The links of the instances."""

    def __init__(self, emulator: Emulator, spot: Spot, agents: Agents) -> None:
        self._emulator = emulator
        self._spot = spot
        self._agents = agents

    def cut(self, instance_id: str) -> None:
        """Cut the instance's link; a link that is cut is no error. Raises NotRunning."""
        self._spot.running(instance_id)
        if self._agents.silence(instance_id):
            self._emulator.record.write("network", "cut", instance=instance_id)

    def heal(self, instance_id: str) -> None:
        """Restore the instance's link; one that is up is no error. Raises NotRunning."""
        self._spot.running(instance_id)
        if self._agents.hear(instance_id):
            self._emulator.record.write("network", "healed", instance=instance_id)
