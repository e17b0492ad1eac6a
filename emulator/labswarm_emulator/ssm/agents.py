"""The SSM agents of the emulator's machines."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import AgentFaults

VERSION = "3.3.2746.0"
COMMANDS_AT_ONCE = 5
"""Of one agent (CommandWorkersLimit),
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html"""
FORGOTTEN_S = 300.0
"""How long the agent of a terminated machine is still listed as ConnectionLost."""


@dataclass
class Agent:
    """One machine's agent: its ping, and room for the commands that it runs at once.

    `ping_status` is the service's view of it, which lags behind `heard`.
    """

    instance_id: str
    registered_at: datetime
    last_ping_at: datetime
    ping_status: str = "Online"
    heard: bool = True
    ended: bool = False
    """Its machine is terminated: it will not be heard again."""
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(COMMANDS_AT_ONCE))


class Agents:
    """Which machines can be commanded."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._agents: dict[str, Agent] = {}
        self._cut: set[str] = set()
        self._booted: set[str] = set()
        self._change = threading.Condition()

    def register(self, instance_id: str) -> None:
        """A machine has booted: its agent is online, unless nobody hears it."""
        with self._change:
            self._booted.add(instance_id)
            if instance_id not in self._cut:
                self._appear(instance_id)

    def lose(self, instance_id: str) -> None:
        """A machine has ended; its agent is listed for a while, at first as it was."""
        with self._change:
            self._booted.discard(instance_id)
            agent = self._agents.get(instance_id)
            if agent is None or agent.ended:
                return
            agent.ended = True
            self._fall_silent(agent)
        listed_s = self._emulator.latency.silence_s + FORGOTTEN_S
        self._emulator.clock.after(listed_s, lambda: self._forget(instance_id))

    def silence(self, instance_id: str) -> bool:
        """The machine runs and its agent is not heard of; False when that was so already."""
        with self._change:
            if instance_id in self._cut:
                return False
            self._cut.add(instance_id)
            agent = self._agents.get(instance_id)
            if agent is not None:  # else it has not booted yet
                self._fall_silent(agent)
            return True

    def hear(self, instance_id: str) -> bool:
        """A silenced agent is heard of again; False when it was not silent."""
        with self._change:
            if instance_id not in self._cut:
                return False
            self._cut.discard(instance_id)
            agent = self._agents.get(instance_id)
            if agent is None and instance_id in self._booted:
                self._appear(instance_id)
            elif agent is not None and not agent.ended:
                agent.heard, agent.last_ping_at = True, datetime.now(UTC)
                self._show(agent, "Online")
            self._change.notify_all()
            return True

    def online(self, instance_id: str) -> Agent | None:
        """The machine's agent, if Systems Manager takes commands for it now."""
        agent = self._agents.get(instance_id)
        return agent if agent and agent.ping_status == "Online" and not agent.ended else None

    def await_heard(self, agent: Agent, within_s: float) -> bool:
        """Wait until the agent is heard of, at most `within_s` real seconds; whether it is."""
        with self._change:
            self._change.wait_for(lambda: agent.heard or agent.ended, within_s)
            return agent.heard

    @property
    def version(self) -> str:
        """The version that all agents report."""
        return self._emulator.faults.on(AgentFaults).version or VERSION

    def listed(self) -> list[Agent]:
        """All agents, lost ones too, in the order they registered."""
        agents = list(self._agents.values())
        for agent in agents:
            if agent.heard:
                agent.last_ping_at = datetime.now(UTC)
        return agents

    def _appear(self, instance_id: str) -> None:
        now = datetime.now(UTC)
        self._agents[instance_id] = Agent(instance_id, now, now)
        self._emulator.record.write("ssm", "Online", instance=instance_id)

    def _fall_silent(self, agent: Agent) -> None:
        """Not heard of from now on, which the service shows once it has been so for a while."""
        agent.heard = False
        since = agent.last_ping_at = datetime.now(UTC)
        self._change.notify_all()

        def missed() -> None:
            if not agent.heard and agent.last_ping_at == since:
                self._show(agent, "ConnectionLost")

        silence_s = self._emulator.latency.silence_s
        if silence_s == 0:
            missed()
        else:
            self._emulator.clock.after(silence_s, missed)

    def _show(self, agent: Agent, status: str) -> None:
        if agent.ping_status != status:
            agent.ping_status = status
            self._emulator.record.write("ssm", status, instance=agent.instance_id)

    def _forget(self, instance_id: str) -> None:
        with self._change:
            self._cut.discard(instance_id)
            self._agents.pop(instance_id, None)
