"""Error names of AWS SDK tasks: `Ssm.InvocationDoesNotExistException`, where moto says `ssm.…`.

They are the names of the Java SDK: the service's exception prefix, and the error with the suffix
Exception; an error that the service's model does not name is the prefix's own (`Ec2.Ec2Exception`).
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import re
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk as aws_sdk,
)

from labswarm_emulator.stepfunctions.service_model import service_model

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def prefix(service_id: str) -> str:
    """The exception prefix of a service: "DynamoDB" -> "DynamoDb", "Auto Scaling" -> "AutoScaling".

    The Java SDK writes each word of the service id with one capital.
    """
    words = [word.capitalize() for word in _WORD.findall(service_id)]
    return "".join(words)


def error_name(service_prefix: str, error: ClientError) -> str:
    """The name that Retry and Catch match."""
    name = type(error).__name__
    if name == "ClientError":  # not in the service's model
        name = service_prefix
    if name.endswith("Fault"):
        name = name.removesuffix("Fault")
    if not name.endswith("Exception"):
        name += "Exception"
    return f"{service_prefix}.{name}"


def install() -> None:
    """Name errors as the Java SDK does."""

    def service_error_name(boto_or_sdk_name: str) -> str:
        return prefix(service_model(boto_or_sdk_name).service_id)

    def exception_name(service_prefix: str, error: Any) -> str:
        return error_name(service_prefix, error)

    task = aws_sdk.StateTaskServiceAwsSdk
    task._normalise_service_error_name = staticmethod(service_error_name)
    task._normalise_exception_name = staticmethod(exception_name)
