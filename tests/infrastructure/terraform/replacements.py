"""The attributes that replace a resource when they change, where the modules set them.

As the provider's documentation has them ("Forces new resource"), version 6.25; its schema in the
npm package does not say so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

REPLACING: Mapping[str, frozenset[str]] = {
    f"aws_{kind}": frozenset(names.split())
    for kind, names in {
        "autoscaling_group": "name name_prefix",
        "autoscaling_lifecycle_hook": "name autoscaling_group_name",
        "autoscaling_policy": "name autoscaling_group_name",
        "cloudwatch_log_group": "name name_prefix",
        "cloudwatch_log_metric_filter": "name log_group_name",
        "cloudwatch_metric_alarm": "alarm_name",
        "default_security_group": "vpc_id",
        "dlm_lifecycle_policy": "",
        "dynamodb_table_item": "table_name hash_key range_key",
        "ebs_volume": "availability_zone encrypted kms_key_id snapshot_id",
        "efs_access_point": "file_system_id posix_user root_directory",
        "efs_backup_policy": "file_system_id",
        "efs_file_system": "creation_token encrypted kms_key_id performance_mode",
        "efs_file_system_policy": "file_system_id",
        "efs_mount_target": "file_system_id subnet_id ip_address",
        "eip": "domain",
        "flow_log": "vpc_id traffic_type log_destination iam_role_arn max_aggregation_interval",
        "iam_instance_profile": "name path",
        "iam_openid_connect_provider": "url",
        "iam_role": "name name_prefix path",
        "iam_role_policy": "name role",
        "iam_role_policy_attachment": "policy_arn role",
        "instance": "ami availability_zone key_name primary_network_interface subnet_id",
        "internet_gateway": "",
        "kms_alias": "name",
        "kms_key": "customer_master_key_spec key_usage",
        "launch_template": "name name_prefix",
        "nat_gateway": "allocation_id subnet_id",
        "network_interface": "subnet_id",
        "route": "route_table_id destination_cidr_block",
        "route53_record": "name type zone_id",
        "route53_zone": "name",
        "route_table": "vpc_id",
        "route_table_association": "subnet_id",
        "s3_bucket": "bucket bucket_prefix",
        "s3_bucket_lifecycle_configuration": "bucket",
        "s3_bucket_ownership_controls": "bucket",
        "s3_bucket_policy": "bucket",
        "s3_bucket_public_access_block": "bucket",
        "s3_bucket_server_side_encryption_configuration": "bucket",
        "s3_bucket_versioning": "bucket",
        "secretsmanager_secret": "name name_prefix",
        "security_group": "name name_prefix description vpc_id",
        "ssm_association": "name",
        "ssm_document": "name document_type",
        "ssm_parameter": "name",
        "subnet": "availability_zone cidr_block vpc_id",
        "volume_attachment": "device_name instance_id volume_id",
        "vpc": "cidr_block",
        "vpc_endpoint": "service_name vpc_endpoint_type vpc_id",
        "vpc_security_group_egress_rule": "security_group_id",
        "vpc_security_group_ingress_rule": "security_group_id",
    }.items()
}


def replacing(resource: str, prior: Mapping[str, Any], planned: Mapping[str, Any]) -> Iterator[str]:
    """The attributes whose change replaces this resource; an unknown value is another one."""
    names = set(REPLACING.get(resource, ()))
    if resource == "aws_instance" and planned.get("user_data_replace_on_change"):
        names.add("user_data")
    return (name for name in sorted(names) if prior.get(name) != planned.get(name))
