"""The SSM agents of the plane's machines."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from labswarm_lab.plane.plane import Plane

COMMANDS_AT_ONCE = 5
"""Of one agent (CommandWorkersLimit),
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html"""
FORGOTTEN_S = 300.0
"""How long a terminated machine's agent is still listed, as ConnectionLost."""


@dataclass
class Agent:
    """One machine's agent: its ping, and room for the commands that it runs at once."""

    instance_id: str
    registered_at: datetime
    last_ping_at: datetime
    ping_status: str = "Online"
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(COMMANDS_AT_ONCE))


class Agents:
    """Which machines can be commanded."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._agents: dict[str, Agent] = {}
        self._silent: set[str] = set()

    def register(self, instance_id: str) -> None:
        """A machine has booted: its agent is online."""
        now = datetime.now(UTC)
        self._agents[instance_id] = Agent(instance_id, now, now)
        if self.is_silent(instance_id):
            self._agents[instance_id].ping_status = "ConnectionLost"
            return
        self._plane.record.write("ssm", "Online", instance=instance_id)

    def lose(self, instance_id: str) -> None:
        """A machine has ended; its agent is listed as ConnectionLost for a while."""
        agent = self._agents.get(instance_id)
        if agent is None:
            return
        agent.ping_status, agent.last_ping_at = "ConnectionLost", datetime.now(UTC)
        self._plane.record.write("ssm", "ConnectionLost", instance=instance_id)
        self._plane.clock.after(FORGOTTEN_S, lambda: self._forget(instance_id))

    def silence(self, instance_id: str) -> bool:
        """The machine runs and its agent is not heard of; False when that was so already."""
        if self.is_silent(instance_id):
            return False
        self._silent.add(instance_id)
        self._show(instance_id, "ConnectionLost")
        return True

    def hear(self, instance_id: str) -> bool:
        """A silenced agent is heard of again; False when it was not silent."""
        if not self.is_silent(instance_id):
            return False
        self._silent.discard(instance_id)
        self._show(instance_id, "Online")
        return True

    def is_silent(self, instance_id: str) -> bool:
        """Whether the agent of a machine that may run is not heard of."""
        return instance_id in self._silent

    def online(self, instance_id: str) -> Agent | None:
        """The machine's agent, if it can be commanded now."""
        agent = self._agents.get(instance_id)
        return agent if agent and agent.ping_status == "Online" else None

    def listed(self) -> list[Agent]:
        """All agents, lost ones too, in the order they registered."""
        agents = list(self._agents.values())
        for agent in agents:
            if agent.ping_status == "Online":
                agent.last_ping_at = datetime.now(UTC)
        return agents

    def _show(self, instance_id: str, status: str) -> None:
        agent = self._agents.get(instance_id)
        if agent is not None:  # else it has not booted yet
            agent.ping_status, agent.last_ping_at = status, datetime.now(UTC)
            self._plane.record.write("ssm", status, instance=instance_id)

    def _forget(self, instance_id: str) -> None:
        self._silent.discard(instance_id)
        self._agents.pop(instance_id, None)
