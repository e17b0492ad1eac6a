"""The resource policies of queues and topics, which moto's CloudFormation does not have.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html
"""

# ruff: noqa: ARG003  # the signatures are moto's

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends


class _Policy:
    """The policy of one or more resources; `attached` attaches it.

    No model itself: moto knows the direct subclasses of its CloudFormationModel.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def physical_resource_id(self) -> str:
        return self.name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def attached(given: Any, policy: str, account_id: str, region_name: str) -> None:
        raise NotImplementedError

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "_Policy":
        given = cloudformation_json["Properties"]
        cls.attached(given, json.dumps(given["PolicyDocument"]), account_id, region_name)
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> "_Policy":
        return cls.create_from_cloudformation_json(
            original_resource.name, cloudformation_json, account_id, region_name
        )

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """The policy is deleted with its role, queue or topic."""


class QueuePolicy(_Policy, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """Permissions to send to queues, named by their URLs."""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SQS::QueuePolicy"

    @staticmethod
    def attached(given: Any, policy: str, account_id: str, region_name: str) -> None:
        for url in given["Queues"]:
            sqs_backends[account_id][region_name].set_queue_attributes(
                url.rsplit("/", 1)[-1], {"Policy": policy}
            )


class TopicPolicy(_Policy, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """Permissions to publish to topics, named by their ARNs."""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SNS::TopicPolicy"

    @staticmethod
    def attached(given: Any, policy: str, account_id: str, region_name: str) -> None:
        for arn in given["Topics"]:
            sns_backends[account_id][region_name].set_topic_attribute(arn, "policy", policy)
