"""The answers of data sources: an account with everything that the stacks look up.

An answer is a function of the data source's configuration. One that is missing is an error that
names the place to add it.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.infrastructure.terraform import policy
from tests.infrastructure.terraform.made_up import ACCOUNT

Config = Mapping[str, Any]
Answer = Callable[[Config], dict[str, Any]]
ANSWERS: dict[str, Answer] = {}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"


class NoAnswer(Exception):
    """There is no answer for this data source."""


def answer(data_source: str, config: Config) -> dict[str, Any]:
    """The attributes that a data source adds to its configuration, which has its region.

    Raises NoAnswer.
    """
    if data_source not in ANSWERS:
        raise NoAnswer(f"no answer for data.{data_source}: add one to {__name__}")
    return {"id": config.get("id") or data_source.removeprefix("aws_")} | ANSWERS[data_source](
        config
    )


def answers(data_source: str) -> Callable[[Answer], Answer]:
    """Marks the function that answers a data source."""

    def registered(function: Answer) -> Answer:
        ANSWERS[data_source] = function
        return function

    return registered


def zones(config: Config) -> list[str]:
    """The zones of the data source's region."""
    return [f"{config['region']}{zone}" for zone in "abc"]


@answers("aws_caller_identity")
def caller_identity(config: Config) -> dict[str, Any]:
    return {
        "id": ACCOUNT,
        "account_id": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/operator",
        "user_id": "AIDA0123456789ABCDEFG",
    }


@answers("aws_region")
def region(config: Config) -> dict[str, Any]:
    name = config.get("name") or config["region"]
    return {"id": name, "name": name, "region": name, "description": "a region"}


@answers("aws_partition")
def partition(config: Config) -> dict[str, Any]:
    return {
        "id": "aws",
        "partition": "aws",
        "dns_suffix": "amazonaws.com",
        "reverse_dns_prefix": "com.amazonaws",
    }


@answers("aws_availability_zones")
def availability_zones(config: Config) -> dict[str, Any]:
    names = zones(config)
    return {
        "id": config["region"],
        "names": [name for name in names if name not in (config.get("exclude_names") or [])],
        "zone_ids": ["euw1-az1", "euw1-az2", "euw1-az3"],
        "group_names": [f"{config['region']}-zg-1"],
    }


DEREGISTERED = "ami-0000000000000dead"

SIZES = {"medium": 1, "large": 2, "xlarge": 4, "metal": 96}
MEMORY_GIB_PER_CPU = {"c": 2, "m": 4, "r": 8, "g": 4, "p": 8, "x": 16}
BURSTABLE_MEMORY_GIB = {"nano": 0.5, "micro": 1, "small": 2, "medium": 4, "large": 8}


@answers("aws_ec2_instance_type")
def ec2_instance_type(config: Config) -> dict[str, Any]:
    """Sizes by the rules that the families' names follow."""
    name = str(config["instance_type"])
    family, _, size = name.partition(".")
    times = re.fullmatch(r"(\d+)xlarge", size)
    cpus = 4 * int(times[1]) if times else SIZES.get(size, 2)
    memory_gib: float = cpus * MEMORY_GIB_PER_CPU.get(family[0], 4)
    if family[0] == "t":
        cpus = max(cpus, 2)
        memory_gib = BURSTABLE_MEMORY_GIB.get(size, cpus * 4)
    arm = re.match(r"[a-z]+\d+g", family) is not None
    gpus = [{"count": 1, "manufacturer": "NVIDIA", "memory_size": 16384, "name": "T4"}]
    return {
        "id": name,
        "default_vcpus": cpus,
        "default_cores": max(cpus if arm else cpus // 2, 1),
        "default_threads_per_core": 1 if arm else 2,
        "memory_size": int(memory_gib * 1024),
        "supported_architectures": ["arm64"] if arm else ["x86_64"],
        "current_generation": True,
        "gpus": gpus if family[0] in "gp" else [],
        "total_gpu_memory": 16384 if family[0] in "gp" else 0,
    }


@answers("aws_ec2_instance_type_offerings")
def ec2_instance_type_offerings(config: Config) -> dict[str, Any]:
    asked = [
        value
        for each in config.get("filter") or []
        if each["name"] == "instance-type"
        for value in each["values"]
    ]
    located = zones(config) if config.get("location_type") else [config["region"]]
    return {
        "instance_types": [name for name in asked for _ in located],
        "locations": [zone for _ in asked for zone in located],
        "location_types": [config.get("location_type") or "region" for _ in asked for _ in located],
    }


@answers("aws_ssm_parameter")
def ssm_parameter(config: Config) -> dict[str, Any]:
    """Images by parameter, and the certificate that a Chef Server publishes."""
    name = str(config["name"])
    value = CERTIFICATE if name.endswith("/ca_pem") else "ami-0123456789abcdef0"
    return {
        "id": name,
        "arn": f"arn:aws:ssm:{config['region']}:{ACCOUNT}:parameter/{name.lstrip('/')}",
        "value": value,
        "insecure_value": value,
        "type": "String",
        "version": 1,
    }


@answers("aws_ami_ids")
def ami_ids(config: Config) -> dict[str, Any]:
    """Every image that is asked for, but for one that was deregistered."""
    asked = [
        value
        for each in config.get("filter") or []
        if each["name"] == "image-id"
        for value in each["values"]
    ]
    return {"ids": [name for name in asked if name != DEREGISTERED]}


@answers("aws_ami")
def ami(config: Config) -> dict[str, Any]:
    return {
        "id": "ami-0123456789abcdef0",
        "image_id": "ami-0123456789abcdef0",
        "arn": f"arn:aws:ec2:{config['region']}::image/ami-0123456789abcdef0",
        "architecture": "x86_64",
        "name": "labswarm",
        "root_device_name": "/dev/xvda",
        "block_device_mappings": [
            {
                "device_name": "/dev/xvda",
                "ebs": {"volume_size": "20", "volume_type": "gp3"},
                "no_device": "",
                "virtual_name": "",
            }
        ],
    }


@answers("aws_iam_policy_document")
def iam_policy_document(config: Config) -> dict[str, Any]:
    text = policy.document(config)
    minified = json.dumps(json.loads(text), separators=(",", ":"))
    return {"id": str(abs(hash(text))), "json": text, "minified_json": minified}


@answers("aws_iam_policy")
def iam_policy(config: Config) -> dict[str, Any]:
    name = config.get("name") or str(config.get("arn", "")).rpartition("/")[2]
    arn = config.get("arn") or f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return {"id": arn, "arn": arn, "name": name, "policy": "{}"}


@answers("aws_vpc")
def vpc(config: Config) -> dict[str, Any]:
    name = config.get("id") or "vpc-0123456789abcdef0"
    return {
        "id": name,
        "arn": f"arn:aws:ec2:{config['region']}:{ACCOUNT}:vpc/{name}",
        "cidr_block": "10.0.0.0/16",
        "cidr_block_associations": [
            {
                "association_id": "vpc-cidr-assoc-0",
                "cidr_block": "10.0.0.0/16",
                "state": "associated",
            }
        ],
        "dhcp_options_id": "dopt-0123456789abcdef0",
        "enable_dns_hostnames": True,
        "enable_dns_support": True,
        "main_route_table_id": "rtb-0123456789abcdef0",
        "owner_id": ACCOUNT,
        "state": "available",
    }


@answers("aws_vpc_dhcp_options")
def vpc_dhcp_options(config: Config) -> dict[str, Any]:
    return {
        "id": config.get("dhcp_options_id") or "dopt-0123456789abcdef0",
        "domain_name": f"{config['region']}.compute.internal",
        "domain_name_servers": ["AmazonProvidedDNS"],
        "owner_id": ACCOUNT,
    }


@answers("aws_subnet")
def subnet(config: Config) -> dict[str, Any]:
    """The zone and the addresses of a subnet go by the last digit of its id."""
    name = str(config.get("id") or "subnet-0123456789abcdef0")
    number = int(name[-1], 16) if re.fullmatch(r"subnet-[0-9a-f]+", name) else 0
    return {
        "id": name,
        "arn": f"arn:aws:ec2:{config['region']}:{ACCOUNT}:subnet/{name}",
        "availability_zone": zones(config)[number % 3],
        "availability_zone_id": f"euw1-az{number % 3 + 1}",
        "cidr_block": f"10.0.{number}.0/24",
        "vpc_id": config.get("vpc_id") or "vpc-0123456789abcdef0",
        "available_ip_address_count": 251,
        "state": "available",
    }


@answers("aws_subnets")
def subnets(config: Config) -> dict[str, Any]:
    return {"ids": [f"subnet-0123456789abcdef{number}" for number in range(2)]}


@answers("aws_security_group")
def security_group(config: Config) -> dict[str, Any]:
    name = config.get("id") or "sg-0123456789abcdef0"
    return {"id": name, "arn": f"arn:aws:ec2:{config['region']}:{ACCOUNT}:security-group/{name}"}


@answers("aws_route_tables")
def route_tables(config: Config) -> dict[str, Any]:
    return {"ids": ["rtb-0123456789abcdef0"]}


@answers("aws_route_table")
def route_table(config: Config) -> dict[str, Any]:
    name = config.get("route_table_id") or "rtb-0123456789abcdef0"
    return {"id": name, "route_table_id": name}


@answers("aws_route53_zone")
def route53_zone(config: Config) -> dict[str, Any]:
    name = config.get("zone_id") or "Z0123456789ABCDEFGHIJ"
    return {
        "id": name,
        "zone_id": name,
        "arn": f"arn:aws:route53:::hostedzone/{name}",
        "name": config.get("name") or "example.org",
        "name_servers": [f"ns-{number}.example.org" for number in range(4)],
    }


@answers("aws_kms_key")
def kms_key(config: Config) -> dict[str, Any]:
    name = "0f0f0f0f-1234-5678-9abc-0f0f0f0f0f0f"
    return {
        "id": name,
        "key_id": name,
        "arn": f"arn:aws:kms:{config['region']}:{ACCOUNT}:key/{name}",
    }


@answers("aws_kms_alias")
def kms_alias(config: Config) -> dict[str, Any]:
    key = kms_key(config)
    arn = f"arn:aws:kms:{config['region']}:{ACCOUNT}:{config['name']}"
    return {"id": arn, "arn": arn, "target_key_id": key["id"], "target_key_arn": key["arn"]}


@answers("aws_prefix_list")
def prefix_list(config: Config) -> dict[str, Any]:
    return {"id": "pl-6da54004", "name": config.get("name"), "cidr_blocks": ["198.51.100.0/24"]}


@answers("aws_ec2_managed_prefix_list")
def managed_prefix_list(config: Config) -> dict[str, Any]:
    return {
        "id": "pl-6da54004",
        "arn": f"arn:aws:ec2:{config['region']}:aws:prefix-list/pl-6da54004",
        "name": config.get("name") or f"com.amazonaws.{config['region']}.s3",
        "entries": [{"cidr": "198.51.100.0/24", "description": "storage"}],
        "max_entries": 10,
    }


@answers("aws_vpc_endpoint_service")
def vpc_endpoint_service(config: Config) -> dict[str, Any]:
    name = config.get("service_name") or f"com.amazonaws.{config['region']}.{config.get('service')}"
    return {
        "id": name,
        "service_name": name,
        "availability_zones": zones(config),
    }


@answers("aws_default_tags")
def default_tags(config: Config) -> dict[str, Any]:
    return {"tags": {}}


@answers("aws_secretsmanager_secret")
def secretsmanager_secret(config: Config) -> dict[str, Any]:
    arn = (
        config.get("arn")
        or f"arn:aws:secretsmanager:{config['region']}:{ACCOUNT}:secret:{config.get('name')}-AbCdEf"
    )
    return {"id": arn, "arn": arn}
