"""Executions in memory."""

from collections.abc import Mapping
from typing import Any


class TwinExecutions:
    """Implements labswarm.executions.Executions: `running` are ARNs, `given` inputs by name."""

    def __init__(self, *running: str) -> None:
        self.running = set(running)
        self.given: dict[str, Mapping[str, Any]] = {}

    def runs(self, arn: str) -> bool:
        return arn in self.running

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        if name in self.given:
            return False
        self.given[name] = given
        return True
