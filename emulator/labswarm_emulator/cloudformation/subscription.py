"""AWS::SNS::Subscription, which moto's CloudFormation does not have.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
"""

# ruff: noqa: ARG003  # the type has no name

from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends

from labswarm_emulator.cloudformation.resource import Resource


class Subscription(Resource, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """The subscribers of a topic's messages. The emulator sends no mail."""

    TYPE = "AWS::SNS::Subscription"

    @classmethod
    def make(cls, name: str, given: Any, account_id: str, region_name: str) -> str:
        subscribed = sns_backends[account_id][region_name].subscribe(
            given["TopicArn"], given["Endpoint"], given["Protocol"]
        )
        return str(subscribed.arn)

    @classmethod
    def delete(cls, physical_id: str, account_id: str, region_name: str) -> None:
        sns_backends[account_id][region_name].unsubscribe(physical_id)
