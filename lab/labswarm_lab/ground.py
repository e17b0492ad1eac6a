"""The resources that Terraform's stacks create on AWS, created in the emulator: the ground that the
app stands on.

The groups are made as Terraform plans them. The app knows only the names of all else, which is
made here.
"""

import base64
import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from labswarm_lab.plan import GroupPlan

CHEF_ADMIN = "labswarm"
CHEF_KEY_ALIAS = "alias/labswarm-chef-admin"
HUB_TYPE = "t3.large"


class Aws(Protocol):
    """Gives boto3 clients of one account and region."""

    def client(self, service: str) -> Any: ...


@dataclass(frozen=True)
class ChefGround:
    """How the app reaches the Chef Server of this ground."""

    url: str
    organization: str | None
    ca_pem: str


def asg_name(cluster: str) -> str:
    """The name of a cluster's Auto Scaling group (a contract with the Terraform stack)."""
    return f"labswarm-{cluster}-workers"


def join_secret_name(cluster: str) -> str:
    """The name of the secret that holds a cluster's Swarm join token."""
    return f"labswarm/{cluster}/swarm-join"


def lay_chef_key(aws: Aws) -> str:
    """Make the Chef admin identity's key in KMS; returns its public half (PEM)."""

    kms = aws.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=CHEF_KEY_ALIAS, TargetKeyId=key)
    return chef_public_key(aws)


def chef_public_key(aws: Aws) -> str:
    """The public half (PEM) of the key that `lay_chef_key` made."""
    der = aws.client("kms").get_public_key(KeyId=CHEF_KEY_ALIAS)["PublicKey"]
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def launch_hub(aws: Aws, cluster: str) -> str:
    """Start the hub's instance; returns its id."""
    ec2 = aws.client("ec2")
    reservation = ec2.run_instances(
        ImageId=_image(ec2),
        InstanceType=HUB_TYPE,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": _ec2_tags(cluster, "hub")}],
    )
    return str(reservation["Instances"][0]["InstanceId"])


def write_join_secret(aws: Aws, cluster: str, token: str, manager: str) -> None:
    """Write the Swarm's worker token where the workers' own role reads it."""
    aws.client("secretsmanager").create_secret(
        Name=join_secret_name(cluster),
        SecretString=json.dumps({"token": token, "manager": manager}),
    )


def describe_cluster(
    aws: Aws,
    settings: Mapping[str, Any],
    *,
    manager: str,
    chef: ChefGround,
    images: list[str],
    min_nodes: int,
) -> None:
    """Write the parameter that describes a cluster to the app: its settings, and those known
    only now.
    """
    description = {
        **settings,
        "manager": manager,
        "chef": {
            "url": chef.url,
            "organization": chef.organization,
            "ca_pem": chef.ca_pem,
            "admin": CHEF_ADMIN,
            "key_id": CHEF_KEY_ALIAS,
        },
        "images": images,
        "min_nodes": min_nodes,
    }
    _write_description(aws, str(settings["name"]), description)


def name_timetable(aws: Aws, cluster: str, feed: str) -> None:
    """Keep an iCalendar feed in a parameter, and have the cluster's description name it."""
    ssm = aws.client("ssm")
    parameter = f"/labswarm/timetables/{cluster}"
    # Over 4 KB it becomes an advanced parameter by itself.
    ssm.put_parameter(
        Name=parameter, Type="String", Value=feed, Overwrite=True, Tier="Intelligent-Tiering"
    )
    described = ssm.get_parameter(Name=f"/labswarm/clusters/{cluster}")["Parameter"]["Value"]
    timetable = {"timetable": f"ssm:{parameter}"}
    _write_description(aws, cluster, {**json.loads(described), **timetable})


def _write_description(aws: Aws, cluster: str, description: Mapping[str, Any]) -> None:
    aws.client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{cluster}",
        Type="String",
        Value=json.dumps(description),
        Overwrite=True,
    )


def make_group(aws: Aws, plan: GroupPlan) -> None:
    """Make a group of workers and its launch template, empty, with its hooks, as planned."""
    ec2, autoscaling = aws.client("ec2"), aws.client("autoscaling")
    name = plan.group["name"]
    (metadata,) = plan.template["metadata_options"]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": _image(ec2),
            "InstanceType": plan.template["instance_type"],
            "MetadataOptions": {
                "HttpTokens": metadata["http_tokens"],
                "HttpPutResponseHopLimit": metadata["http_put_response_hop_limit"],
            },
        },
    )
    subnets = ec2.describe_subnets()["Subnets"]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=plan.group["min_size"],
        MaxSize=plan.group["max_size"],
        DesiredCapacity=0,
        NewInstancesProtectedFromScaleIn=plan.group["protect_from_scale_in"],
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"},
                "Overrides": [{"InstanceType": kind} for kind in plan.instance_types],
            },
            "InstancesDistribution": plan.distribution,
        },
        VPCZoneIdentifier=",".join(subnet["SubnetId"] for subnet in subnets),
        Tags=[
            {
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
            }
            for key, value in plan.tags.items()
        ],
        LifecycleHookSpecificationList=[
            {
                "LifecycleHookName": hook["name"],
                "LifecycleTransition": hook["lifecycle_transition"],
                "HeartbeatTimeout": hook["heartbeat_timeout"],
                "DefaultResult": hook["default_result"],
            }
            for hook in plan.hooks
        ],
    )
    if plan.suspended:
        autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=plan.suspended)


def _image(ec2: Any) -> str:
    images = ec2.describe_images(Owners=["amazon"])["Images"]
    return str(images[0]["ImageId"])


def _ec2_tags(cluster: str, role: str) -> list[Mapping[str, str]]:
    return [
        {"Key": "labswarm:cluster", "Value": cluster},
        {"Key": "labswarm:role", "Value": role},
        {"Key": "Name", "Value": f"labswarm-{cluster}-{role}"},
    ]
