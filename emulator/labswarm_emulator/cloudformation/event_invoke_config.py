"""AWS::Lambda::EventInvokeConfig: the retries of asynchronous invocations, as SAM writes them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
"""

# ruff: noqa: ARG003  # the signatures are moto's

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel


class EventInvokeConfigResource(CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """The configuration of one function's asynchronous invocations."""

    def __init__(self, function_name: str) -> None:
        self.function_name = function_name

    @property
    def physical_resource_id(self) -> str:
        return f"{self.function_name}|$LATEST"

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "EventInvokeConfigResource":
        given = cloudformation_json["Properties"]
        wanted = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        config = {name: given[name] for name in wanted if name in given}
        lambda_backends[account_id][region_name].put_function_event_invoke_config(
            given["FunctionName"], config
        )
        return cls(given["FunctionName"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> "EventInvokeConfigResource":
        # moto would keep the old next to the new, and report the old.
        cls.delete_from_cloudformation_json(
            original_resource.physical_resource_id, cloudformation_json, account_id, region_name
        )
        return cls.create_from_cloudformation_json("", cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        function_name = resource_name.split("|")[0]
        lambda_backends[account_id][region_name].delete_function_event_invoke_config(function_name)
