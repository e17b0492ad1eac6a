"""An instance's way to AWS, cut and healed: while it is cut, its agent cannot be commanded.

The link itself is the machine's, and the caller that cuts it reports it over the control API
(`control`). Differences from AWS: an instance's status checks do not see it.
"""

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.spot import Spot
from labswarm_emulator.ssm import Agents


class Links:
    """Which instances of an emulator AWS hears."""

    def __init__(self, emulator: Emulator, spot: Spot, agents: Agents) -> None:
        self._emulator = emulator
        self._spot = spot
        self._agents = agents

    def cut(self, instance_id: str) -> None:
        """The instance is not heard of from now on; again is no error. Raises NotRunning."""
        self._spot.running(instance_id)
        if self._agents.silence(instance_id):
            self._emulator.record.write("network", "cut", instance=instance_id)

    def heal(self, instance_id: str) -> None:
        """The instance is heard of again; one that was is no error. Raises NotRunning."""
        self._spot.running(instance_id)
        if self._agents.hear(instance_id):
            self._emulator.record.write("network", "healed", instance=instance_id)
