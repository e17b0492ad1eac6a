"""Executions in memory."""

from collections.abc import Mapping
from typing import Any


class TwinExecutions:
    """Implements labswarm.executions.Executions: `running` are ARNs, `given` inputs by ARN."""

    def __init__(self, *running: str) -> None:
        self.running = set(running)
        self.given: dict[str, Mapping[str, Any]] = {}

    def runs(self, arn: str) -> bool:
        return arn in self.running

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        if arn in self.given:
            return arn in self.running and self.given[arn] == given
        self.given[arn] = given
        self.running.add(arn)
        return True
