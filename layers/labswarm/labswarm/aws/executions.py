"""Executions of state machines, over Step Functions."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.errors import Gone, Permanent

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsExecutions:
    """Implements labswarm.executions.Executions."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def runs(self, arn: str) -> bool:
        try:
            with named():
                return self._client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        except Gone:
            return False
        except Permanent as error:
            # A text that is not an ARN names no running execution.
            if code_of(error) == "InvalidArn":
                return False
            raise

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        try:
            with named():
                self._client.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(given)
                )
        except Gone:
            return False
        return True
