"""Which resources an action is allowed on, as the Service Authorization Reference has it.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from tests.support.deployed import Grant, arn
from tests.support.reached_calls import Call

EVERYWHERE = "*"
_TABLE = (arn("dynamodb", "table/{TableName}"),)
_GROUP = (arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/{AutoScalingGroupName}"),)
_PARAMETER = (arn("ssm", "parameter{Name}"),)
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
LOG_DELIVERY = (
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
)
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
TRACES = (
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
)
# Each is needed; {X} is the call's argument X. None: the action knows no resource.
_RESOURCES: Mapping[str, tuple[str, ...]] = {
    "autoscaling:CompleteLifecycleAction": _GROUP,
    "autoscaling:DescribeAutoScalingGroups": (),
    "autoscaling:DescribeAutoScalingInstances": (),
    "autoscaling:DescribeLifecycleHooks": (),
    "autoscaling:DescribeScalingActivities": (),
    "autoscaling:RecordLifecycleActionHeartbeat": _GROUP,
    "autoscaling:SetDesiredCapacity": _GROUP,
    # It names an instance, and is allowed by the instance's group.
    "autoscaling:TerminateInstanceInAutoScalingGroup": _GROUP,
    "autoscaling:UpdateAutoScalingGroup": _GROUP,
    "cloudwatch:DescribeAlarms": (arn("cloudwatch", "alarm:*"),),
    "dynamodb:BatchGetItem": (arn("dynamodb", "table/{RequestItems}"),),
    "dynamodb:GetItem": _TABLE,
    "dynamodb:PutItem": _TABLE,
    "dynamodb:Query": _TABLE,
    "dynamodb:Scan": _TABLE,
    "dynamodb:UpdateItem": _TABLE,
    "ec2:DescribeAddresses": (),
    "ec2:DescribeImages": (),
    "ec2:DescribeInstanceTypes": (),
    "ec2:DescribeInstances": (),
    "ec2:DescribeLaunchTemplateVersions": (),
    "ec2:DescribeSpotInstanceRequests": (),
    "ec2:DescribeSubnets": (),
    "ec2:GetSpotPlacementScores": (),
    "elasticfilesystem:DescribeFileSystems": (arn("elasticfilesystem", "file-system/*"),),
    "elasticfilesystem:DescribeMountTargets": (arn("elasticfilesystem", "file-system/*"),),
    "kms:Sign": (arn("kms", "key/*"),),
    "lambda:InvokeFunction": ("{FunctionName}",),
    "servicequotas:GetAWSDefaultServiceQuota": (),
    "servicequotas:GetServiceQuota": (),
    "servicequotas:ListAWSDefaultServiceQuotas": (),
    "servicequotas:ListServiceQuotas": (),
    "sns:ListSubscriptionsByTopic": (arn("sns", "*"),),
    "sns:Publish": ("{TopicArn}",),
    "sqs:SendMessage": ("{QueueUrl}",),
    "ssm:DescribeInstanceInformation": (),
    "ssm:GetCommandInvocation": (),
    "ssm:GetParameter": _PARAMETER,
    # Each of its names; all of them are below one path.
    "ssm:GetParameters": (arn("ssm", "parameter/labswarm/clusters/*"),),
    "ssm:GetParametersByPath": (arn("ssm", "parameter{Path}"),),
    "ssm:ListCommands": (),
    "ssm:SendCommand": (arn("ssm", "document/{DocumentName}"), arn("ec2", "instance/*")),
    "states:DescribeExecution": ("{executionArn}",),
    # A call names a token only, and is allowed by the machine that gave it out.
    "states:SendTaskFailure": (arn("states", "stateMachine:*"),),
    "states:SendTaskSuccess": (arn("states", "stateMachine:*"),),
    "states:StartExecution": ("{stateMachineArn}",),
    **dict.fromkeys((*LOG_DELIVERY, *TRACES), ()),
}


@dataclass(frozen=True)
class Need:
    """One action on one resource that a program has to be allowed."""

    action: str
    resource: str


def needs(calls: Iterable[Call]) -> set[Need]:
    """The permissions that the calls need. Raises KeyError for an action that this table does not
    have: look it up, and add it.
    """
    found: set[Need] = set()
    for call in calls:
        for resource in _RESOURCES[call.action] or (EVERYWHERE,):
            found |= {Need(call.action, one) for one in _filled(resource, call.arguments)}
    return found


def knows_no_resource(action: str) -> bool:
    """Whether the action can only be allowed on "*"."""
    return not _RESOURCES[action]


def missing(needed: Iterable[Need], grants: Sequence[Grant]) -> set[Need]:
    """The needed permissions that are not granted."""
    return {need for need in needed if not any(_covers(grant, need) for grant in grants)}


def unused(needed: Iterable[Need], grants: Sequence[Grant]) -> set[Grant]:
    """The granted permissions that are not needed."""
    needed = list(needed)
    return {grant for grant in grants if not any(_covers(grant, need) for need in needed)}


def _covers(grant: Grant, need: Need) -> bool:
    if grant.action != need.action:
        return False
    if knows_no_resource(need.action):
        return grant.resource == EVERYWHERE
    return overlap(grant.resource, need.resource)


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text is meant by both patterns, in which "*" is any text."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def _filled(resource: str, arguments: Mapping[str, frozenset[str]]) -> Iterable[str]:
    names = [part.partition("}")[0] for part in resource.split("{")[1:]]
    for values in product(*(arguments.get(name) or {"*"} for name in names)):
        yield resource.format(**dict(zip(names, values, strict=True)))
