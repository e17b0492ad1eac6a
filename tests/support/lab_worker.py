"""A worker of a lab that runs, as pytest-testinfra looks at a host."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.settings import NodesSettings

_TIMEOUT_S = 60


class NodeBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """Runs what testinfra asks for on a node of a lab, in the node's own namespaces.

    https://testinfra.readthedocs.io/en/latest/backends.html has testinfra's own.
    """

    NAME = "lab"

    def __init__(self, machines: NamespaceMachines, instance_id: str) -> None:
        super().__init__(instance_id)
        self._machines = machines

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        script = self.get_command(command, *args)
        done = self._machines.run(self.hostname, script, {}, _TIMEOUT_S)
        return self.result(done.exit_code, self.encode(script), done.stdout, done.stderr)


@dataclass(frozen=True)
class Worker:
    """A worker of a lab that runs."""

    settings: NodesSettings
    machines: NamespaceMachines
    instance_id: str

    @cached_property
    def host(self) -> Any:
        """The worker to testinfra, which has no types."""
        return Host(NodeBackend(self.machines, self.instance_id))

    def run(self, script: str) -> str:
        """The output of a script on the node; a script that fails fails the test."""
        printed: str = self.host.check_output(script)
        return printed

    def rules(self, chain: str) -> list[str]:
        """The rules of the node's own firewall in a chain."""
        found: list[str] = self.host.iptables.rules("filter", chain)
        return found
