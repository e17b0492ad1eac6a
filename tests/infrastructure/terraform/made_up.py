"""Values that AWS would have chosen: well-formed, never equal, and nobody's."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"

# Resource type -> prefix of its ids. The rest are called by their name or by a UUID.
PREFIXES = {
    "aws_ami": "ami",
    "aws_ebs_snapshot": "snap",
    "aws_ebs_volume": "vol",
    "aws_efs_access_point": "fsap",
    "aws_efs_file_system": "fs",
    "aws_efs_mount_target": "fsmt",
    "aws_eip": "eipalloc",
    "aws_eip_association": "eipassoc",
    "aws_flow_log": "fl",
    "aws_instance": "i",
    "aws_internet_gateway": "igw",
    "aws_launch_template": "lt",
    "aws_nat_gateway": "nat",
    "aws_network_acl": "acl",
    "aws_network_interface": "eni",
    "aws_placement_group": "pg",
    "aws_default_security_group": "sg",
    "aws_route": "r",
    "aws_route_table": "rtb",
    "aws_route_table_association": "rtbassoc",
    "aws_security_group": "sg",
    "aws_subnet": "subnet",
    "aws_volume_attachment": "vai",
    "aws_vpc": "vpc",
    "aws_vpc_endpoint": "vpce",
    "aws_vpc_security_group_egress_rule": "sgr",
    "aws_vpc_security_group_ingress_rule": "sgr",
}
# Attribute -> prefix, where it names a resource of another type.
ID_PREFIXES = {
    "allocation_id": "eipalloc",
    "association_id": "eipassoc",
    "default_network_acl_id": "acl",
    "default_route_table_id": "rtb",
    "default_security_group_id": "sg",
    "main_route_table_id": "rtb",
    "network_interface_id": "eni",
    "primary_network_interface_id": "eni",
    "security_group_rule_id": "sgr",
    "volume_id": "vol",
}
ARN_IS_ID = {
    "aws_acm_certificate",
    "aws_iam_policy",
    "aws_lb",
    "aws_lb_listener",
    "aws_lb_target_group",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sns_topic_subscription",
}
NO_NAMES = {"aws_kms_key", "aws_acm_certificate", "aws_backup_plan", "aws_dlm_lifecycle_policy"}
# Resource type -> what follows `arn:aws:`.
ARNS = {
    "aws_acm_certificate": "acm:{region}:{account}:certificate/{uuid}",
    "aws_autoscaling_group": (
        "autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}"
    ),
    "aws_autoscaling_policy": (
        "autoscaling:{region}:{account}:scalingPolicy:{uuid}:policyName/{name}"
    ),
    "aws_backup_plan": "backup:{region}:{account}:backup-plan:{uuid}",
    "aws_backup_vault": "backup:{region}:{account}:backup-vault:{name}",
    "aws_cloudwatch_event_rule": "events:{region}:{account}:rule/{name}",
    "aws_cloudwatch_log_group": "logs:{region}:{account}:log-group:{name}",
    "aws_cloudwatch_metric_alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "aws_dlm_lifecycle_policy": "dlm:{region}:{account}:policy/{id}",
    "aws_dynamodb_table": "dynamodb:{region}:{account}:table/{name}",
    "aws_efs_access_point": "elasticfilesystem:{region}:{account}:access-point/{id}",
    "aws_efs_file_system": "elasticfilesystem:{region}:{account}:file-system/{id}",
    "aws_iam_instance_profile": "iam::{account}:instance-profile/{name}",
    "aws_iam_policy": "iam::{account}:policy/{name}",
    "aws_iam_role": "iam::{account}:role/{name}",
    "aws_kms_alias": "kms:{region}:{account}:{name}",
    "aws_kms_key": "kms:{region}:{account}:key/{id}",
    "aws_route53_zone": "route53:::hostedzone/{id}",
    "aws_s3_bucket": "s3:::{name}",
    "aws_secretsmanager_secret": "secretsmanager:{region}:{account}:secret:{name}-{six}",
    "aws_sns_topic": "sns:{region}:{account}:{name}",
    "aws_ssm_parameter": "ssm:{region}:{account}:parameter/{path}",
}
# Attributes of several resources, and values that are more than a name with a suffix.
PLAIN: Mapping[str, Any] = {
    "account_id": ACCOUNT,
    "availability_zone": f"{REGION}a",
    "instance_state": "running",
    "owner_id": ACCOUNT,
    "private_ip": "10.0.0.10",
    "public_ip": "203.0.113.10",
    "state": "available",
    "status": "ISSUED",
    "version": 1,
    "latest_version": 1,
    "default_version": 1,
}
EMPTY: Mapping[str, Any] = {"string": "", "number": 0, "bool": False, "dynamic": None}


def identity(resource: str, known: Mapping[str, Any]) -> str:
    """The id of a new resource."""
    if resource in PREFIXES:
        letters = secrets.token_hex(9)[:17]
        if resource == "aws_subnet" and isinstance(known.get("availability_zone"), str):
            # Its zone comes from a look-up: `answers.subnet`.
            letters = f"{letters[:-1]}{(ord(known['availability_zone'][-1]) - ord('a')) % 3}"
        return f"{PREFIXES[resource]}-{letters}"
    if resource in ARN_IS_ID:
        return arn(resource, known)
    name = _name(known)
    return name if name and resource not in NO_NAMES else str(uuid.uuid4())


def arn(resource: str, known: Mapping[str, Any]) -> str:
    """The ARN of a resource whose id, or name, is known."""
    service, _, kind = resource.removeprefix("aws_").partition("_")
    if resource in PREFIXES:
        service, kind = "ec2", resource.removeprefix("aws_").replace("_", "-")
    pattern = ARNS.get(resource, f"{service}:{{region}}:{{account}}:{kind or service}/{{id}}")
    name = _name(known)
    return "arn:aws:" + pattern.format(
        region=known.get("region") or REGION,
        account=ACCOUNT,
        id=known.get("id") or name,
        name=name,
        path=name.lstrip("/"),
        uuid=uuid.uuid4(),
        six=secrets.token_urlsafe(4)[:6].replace("-", "x").replace("_", "y"),
    )


def _name(known: Mapping[str, Any]) -> str:
    for attribute in ("name", "bucket", "alarm_name", "function_name", "domain_name"):
        if isinstance(known.get(attribute), str):
            return str(known[attribute])
    return ""


def value(resource: str, attribute: str, type_: Any, known: Mapping[str, Any]) -> Any:
    """A value that AWS might have chosen for an attribute.

    `known` is the known part of the resource; the caller asks for the name, the id, then the rest.
    """
    if attribute == "id":
        return identity(resource, known)
    if attribute == "arn":
        return known["id"] if resource in ARN_IS_ID else arn(resource, known)
    if attribute == "key_id" and resource == "aws_kms_key":
        return known["id"]
    if attribute == "unique_id":
        return "AROA" + secrets.token_hex(8).upper() + "A"
    if attribute in ID_PREFIXES:
        return f"{ID_PREFIXES[attribute]}-{secrets.token_hex(9)[:17]}"
    if attribute in PLAIN:
        return _typed(PLAIN[attribute], type_)
    if attribute == "name" and type_ == "string":
        return f"{known.get('name_prefix') or 'terraform-'}{secrets.token_hex(13)}"
    if type_ == "string" and attribute.endswith(("dns_name", "domain_name", "private_dns")):
        return f"{known.get('id', resource)}.{REGION}.example.internal"
    if type_ == "string" and attribute.endswith("_arn"):
        return (
            f"arn:aws:{attribute.removesuffix('_arn').replace('_', '-')}:{REGION}:{ACCOUNT}:made-up"
        )
    return blank(type_)


def _typed(plain: Any, type_: Any) -> Any:
    if type_ == "string":
        return str(plain)
    return plain if type_ == "number" and isinstance(plain, int) else blank(type_)


def blank(type_: Any) -> Any:
    """The empty value of a type."""
    if isinstance(type_, str):
        return EMPTY[type_]
    kind, inner = type_
    if kind == "object":
        return {name: blank(each) for name, each in inner.items()}
    return {} if kind == "map" else []
