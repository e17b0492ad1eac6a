"""AWS's default quotas that a growing number of clusters could meet, each per region.

Each has its source. Of those that AWS raises on request, `labswarm doctor` says which to request.
"""

RULES_PER_GROUP = 60
"""Inward and outward each.
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
"""


PER_REGION = {
    # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    "aws_security_group": 2500,
    # https://docs.aws.amazon.com/ebs/latest/userguide/dlm-quotas.html
    "aws_dlm_lifecycle_policy": 100,
    # https://docs.aws.amazon.com/efs/latest/ug/limits.html
    "aws_efs_file_system": 1000,
    "aws_efs_mount_target": 1400,
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
    "aws_autoscaling_group": 500,
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    "aws_iam_role": 1000,
    "aws_iam_instance_profile": 1000,
    # https://docs.aws.amazon.com/general/latest/gr/kms.html
    "aws_kms_key": 100000,
}
"""How many of a resource an account may have."""

ON_REQUEST = {
    # One per hub: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    "aws_eip": 5,
}
"""Quotas under which many clusters do not fit, and which AWS raises."""
