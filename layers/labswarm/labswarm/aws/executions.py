"""The executions of the app's machines: whether one still runs, and starting one."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.errors import Gone, Permanent

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
        except Gone:
            return False
        except Permanent as error:
            # What is no ARN runs nowhere.
            if code_of(error) == "InvalidArn":
                return False
            raise

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        """Start an execution under a name; False when that name was given to one before."""
        try:
            with named():
                self._client.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(given)
                )
        except Gone:
            return False
        return True
