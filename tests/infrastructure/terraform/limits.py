"""Limits of AWS on single resources, which Terraform's schema does not have.

AWS refuses most of these only during an apply. The stand-in refuses them at plan, as far as a value
is known there, so that a test finds them.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KIB = 1024


@dataclass(frozen=True)
class Limit:
    """The most that an attribute may hold, counted by `size`, and the least."""

    most: int
    size: Callable[[Any], int] = len
    least: int = 0


def in_bytes(text: str) -> int:
    return len(text.encode())


def decoded(text: str) -> int:
    """The bytes behind base64; of other text its own."""
    try:
        return len(base64.b64decode(text, validate=True))
    except binascii.Error:
        return in_bytes(text)


def itself(number: int) -> int:
    return number


GROUPS = Limit(5)  # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
LIMITS: Mapping[str, Mapping[str, Limit]] = {
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
    "aws_instance": {"user_data": Limit(16 * KIB, in_bytes)},
    "aws_launch_template": {"user_data": Limit(16 * KIB, decoded), "name": Limit(128, least=3)},
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    "aws_security_group": {"name": Limit(255), "description": Limit(255, least=1)},
    "aws_vpc_security_group_egress_rule": {"description": Limit(255)},
    "aws_vpc_security_group_ingress_rule": {"description": Limit(255)},
    "aws_network_interface": {"security_groups": GROUPS},
    "aws_efs_mount_target": {"security_groups": GROUPS},
    # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
    "aws_autoscaling_lifecycle_hook": {"heartbeat_timeout": Limit(7200, itself, least=30)},
    "aws_autoscaling_group": {"name": Limit(255, least=1)},
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    "aws_iam_role": {
        "name": Limit(64, least=1),
        "name_prefix": Limit(38),
        "description": Limit(1000),
        "assume_role_policy": Limit(2048),
        "max_session_duration": Limit(43200, itself, least=3600),
    },
    "aws_iam_role_policy": {"policy": Limit(10240)},
    "aws_iam_instance_profile": {"name": Limit(128, least=1)},
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    "aws_ssm_parameter": {"value": Limit(8 * KIB, in_bytes), "description": Limit(1024)},
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
    "aws_ssm_document": {"content": Limit(64 * KIB, in_bytes), "name": Limit(128, least=3)},
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    "aws_s3_bucket": {"bucket": Limit(63, least=3)},
    "aws_s3_bucket_policy": {"policy": Limit(20 * KIB, in_bytes)},
    # https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html
    "aws_efs_file_system": {"creation_token": Limit(64, least=1)},
    "aws_efs_file_system_policy": {"policy": Limit(20000)},
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    "aws_cloudwatch_metric_alarm": {
        "alarm_name": Limit(255, least=1),
        "alarm_description": Limit(1024),
        "alarm_actions": Limit(5),
        "ok_actions": Limit(5),
    },
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    "aws_secretsmanager_secret": {"name": Limit(512, least=1), "description": Limit(2048)},
    # https://docs.aws.amazon.com/dlm/latest/APIReference/API_CreateLifecyclePolicy.html
    "aws_dlm_lifecycle_policy": {"description": Limit(500)},
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
    "aws_kms_key": {"description": Limit(8 * KIB), "policy": Limit(32 * KIB, in_bytes)},
}

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAGS, TAG_KEY, TAG_VALUE = 50, 128, 256


def problems(resource: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each attribute that AWS would refuse, with a sentence. Unknown values are passed over."""
    for attribute, limit in LIMITS.get(resource, {}).items():
        held = value.get(attribute)
        if isinstance(held, str | list | int) and not isinstance(held, bool):
            size = limit.size(held)
            if not limit.least <= size <= limit.most:
                yield attribute, f"{attribute} has {size}: AWS takes {limit.least} to {limit.most}"
    tags = value.get("tags_all")
    if isinstance(tags, dict):
        if len(tags) > TAGS:
            yield "tags_all", f"there are {len(tags)} tags: AWS takes {TAGS}"
        for key, text in tags.items():
            if len(key) > TAG_KEY or (isinstance(text, str) and len(text) > TAG_VALUE):
                yield "tags_all", f"the tag {key[:40]} is too long: AWS takes {TAG_KEY} characters"
