"""The resource policies of queues and topics, which moto's CloudFormation does not have.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html
"""

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from labswarm_emulator.cloudformation.resource import Resource


class _Policy(Resource):
    """The policy of one or more resources; `attach` attaches it."""

    @classmethod
    def attach(cls, given: Any, policy: str, account_id: str, region_name: str) -> None:
        raise NotImplementedError

    @classmethod
    def make(cls, name: str, given: Any, account_id: str, region_name: str) -> str:
        cls.attach(given, json.dumps(given["PolicyDocument"]), account_id, region_name)
        return name

    @classmethod
    def change(cls, old_id: str, given: Any, account_id: str, region_name: str) -> str:
        return cls.make(old_id, given, account_id, region_name)

    @classmethod
    def delete(cls, physical_id: str, account_id: str, region_name: str) -> None:
        """The policy is deleted with its role, queue or topic."""


class QueuePolicy(_Policy, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """Permissions to send to queues, named by their URLs."""

    TYPE = "AWS::SQS::QueuePolicy"

    @classmethod
    def attach(cls, given: Any, policy: str, account_id: str, region_name: str) -> None:
        for url in given["Queues"]:
            sqs_backends[account_id][region_name].set_queue_attributes(
                url.rsplit("/", 1)[-1], {"Policy": policy}
            )


class TopicPolicy(_Policy, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """Permissions to publish to topics, named by their ARNs."""

    TYPE = "AWS::SNS::TopicPolicy"

    @classmethod
    def attach(cls, given: Any, policy: str, account_id: str, region_name: str) -> None:
        for arn in given["Topics"]:
            sns_backends[account_id][region_name].set_topic_attribute(arn, "policy", policy)
