"""The executions of the app's state machines."""

from collections.abc import Mapping
from typing import Any, Protocol


class Executions(Protocol):
    """The executions of Standard state machines."""

    def runs(self, arn: str) -> bool:
        """Whether this execution is running; one that does not exist (any more) is not."""

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        """Start an execution under a name; False when an earlier one had that name.

        True also when that one has the same input and still runs:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
