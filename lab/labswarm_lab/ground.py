"""What Terraform's stacks lay on AWS, laid on the plane: the ground that the app stands on."""

import base64
import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CHEF_ADMIN = "labswarm"
CHEF_KEY_ALIAS = "alias/labswarm-chef-admin"
WORKER_TYPE = "t3.medium"
HUB_TYPE = "t3.large"
MEBIBYTE = 1024 * 1024
SEAT = {"memory_bytes": 512 * MEBIBYTE, "nano_cpus": 250_000_000}
OVERHEAD = {"memory_bytes": 448 * MEBIBYTE, "nano_cpus": 100_000_000}
HOOK_HEARTBEAT_S = 600
NODE_START_S = 60


class Aws(Protocol):
    """Gives boto3 clients of one account and region."""

    def client(self, service: str) -> Any: ...


@dataclass(frozen=True)
class ChefGround:
    """How the app reaches the Chef Server of this ground."""

    url: str
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
    der = kms.get_public_key(KeyId=key)["PublicKey"]
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
    cluster: str,
    *,
    manager: str,
    chef: ChefGround,
    images: list[str],
    empty_deadline_s: int,
    min_nodes: int = 0,
) -> None:
    """Write the parameter by which the app knows the cluster."""
    description = {
        "name": cluster,
        "asg": asg_name(cluster),
        "manager": manager,
        "chef": {
            "url": chef.url,
            "organization": None,
            "ca_pem": chef.ca_pem,
            "admin": CHEF_ADMIN,
            "key_id": CHEF_KEY_ALIAS,
        },
        "seat": SEAT,
        "overhead": OVERHEAD,
        "headroom": 2,
        "images": images,
        "empty_deadline_s": empty_deadline_s,
        "timetable": None,
        "min_nodes": min_nodes,
        "node_start_s": NODE_START_S,
    }
    _write_description(aws, cluster, description)


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


def make_group(aws: Aws, cluster: str, *, most: int) -> None:
    """Make the workers' launch template and group, empty, with its two hooks."""
    ec2, autoscaling = aws.client("ec2"), aws.client("autoscaling")
    ec2.create_launch_template(
        LaunchTemplateName=asg_name(cluster),
        LaunchTemplateData={
            "ImageId": _image(ec2),
            "InstanceType": WORKER_TYPE,
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        },
    )
    subnets = ec2.describe_subnets()["Subnets"]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=asg_name(cluster),
        MinSize=0,
        MaxSize=most,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": asg_name(cluster), "Version": "$Latest"},
        VPCZoneIdentifier=",".join(subnet["SubnetId"] for subnet in subnets),
        Tags=[
            {
                "Key": tag["Key"],
                "Value": tag["Value"],
                "PropagateAtLaunch": True,
                "ResourceId": asg_name(cluster),
                "ResourceType": "auto-scaling-group",
            }
            for tag in _ec2_tags(cluster, "worker")
        ],
    )
    for hook, transition, default in (
        ("launch", "autoscaling:EC2_INSTANCE_LAUNCHING", "ABANDON"),
        ("terminate", "autoscaling:EC2_INSTANCE_TERMINATING", "CONTINUE"),
    ):
        autoscaling.put_lifecycle_hook(
            LifecycleHookName=hook,
            AutoScalingGroupName=asg_name(cluster),
            LifecycleTransition=transition,
            HeartbeatTimeout=HOOK_HEARTBEAT_S,
            DefaultResult=default,
        )


def _image(ec2: Any) -> str:
    images = ec2.describe_images(Owners=["amazon"])["Images"]
    return str(images[0]["ImageId"])


def _ec2_tags(cluster: str, role: str) -> list[Mapping[str, str]]:
    return [
        {"Key": "labswarm:cluster", "Value": cluster},
        {"Key": "labswarm:role", "Value": role},
        {"Key": "Name", "Value": f"labswarm-{cluster}-{role}"},
    ]
