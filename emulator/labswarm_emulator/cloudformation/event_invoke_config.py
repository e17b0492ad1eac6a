"""AWS::Lambda::EventInvokeConfig: the retries of asynchronous invocations, as SAM writes them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
"""

# ruff: noqa: ARG003  # the type has no name

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel

from labswarm_emulator.cloudformation.resource import Resource

_WANTED = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class EventInvokeConfigResource(Resource, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """The configuration of one function's asynchronous invocations.

    A change replaces it: moto would keep the old next to the new, and report the old.
    """

    TYPE = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def make(cls, name: str, given: Any, account_id: str, region_name: str) -> str:
        config = {name: given[name] for name in _WANTED if name in given}
        lambda_backends[account_id][region_name].put_function_event_invoke_config(
            given["FunctionName"], config
        )
        return f"{given['FunctionName']}|$LATEST"

    @classmethod
    def delete(cls, physical_id: str, account_id: str, region_name: str) -> None:
        function_name = physical_id.split("|")[0]
        lambda_backends[account_id][region_name].delete_function_event_invoke_config(function_name)
