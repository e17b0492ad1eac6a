"""Systems Manager: agents that register, documents, and commands that run.

Differences from AWS: a document has one aws:runShellScript step with parameters of type String.
Targets are instance ids. There are no AWS-owned documents. A script that runs when its command is
cancelled is not killed. Options of SendCommand that only AWS supports are refused (`api.NOT_HERE`).
"""

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.ssm import api
from labswarm_emulator.ssm.agents import Agents
from labswarm_emulator.ssm.commands import Commands

__all__ = ["Agents", "install"]


def install(emulator: Emulator, agents: Agents) -> None:
    """Make moto's Run Command run, on the machines of these agents."""
    api.install(agents, Commands(emulator, agents))
