"""Whether the execution that holds a claim still runs."""

from typing import TYPE_CHECKING

from labswarm.aws_errors import code_of, named
from labswarm.errors import LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Executions:
    """The executions of Standard state machines."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def runs(self, arn: str) -> bool:
        """Whether this execution is running; one that is not there (any more) is not."""
        try:
            with named():
                return self._client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        except LabswarmError as error:
            if code_of(error) in ("ExecutionDoesNotExist", "InvalidArn"):
                return False
            raise
