"""Tasks that wait for their token, over Step Functions."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import named
from labswarm.errors import Gone, LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# The longest that SendTaskFailure takes.
_CAUSE = 32_768


class StepFunctionsTasks:
    """Implements labswarm.tasks.Tasks."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def succeed(self, token: str, answer: Mapping[str, Any]) -> bool:
        try:
            with named():
                self._client.send_task_success(taskToken=token, output=json.dumps(answer))
        except Gone:
            return False
        return True

    def fail(self, token: str, error: LabswarmError) -> bool:
        kind = type(error).__name__
        # As the cause of a function's own error.
        cause = json.dumps({"errorMessage": str(error), "errorType": kind})[:_CAUSE]
        try:
            with named():
                self._client.send_task_failure(taskToken=token, error=kind, cause=cause)
        except Gone:
            return False
        return True
