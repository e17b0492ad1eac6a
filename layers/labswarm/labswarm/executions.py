"""Whether the execution that holds a claim still runs."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from labswarm.aws_errors import classified, code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Executions:
    """The executions of Standard state machines."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def runs(self, arn: str) -> bool:
        """Whether this execution is running; one that is not there (any more) is not."""
        try:
            return self._client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        except ClientError as error:
            if code_of(error) in ("ExecutionDoesNotExist", "InvalidArn"):
                return False
            raise classified(error) from error
