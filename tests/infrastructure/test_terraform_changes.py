"""Which changes of a cluster and of the Chef Server replace a resource, and which survive."""

import re
from typing import Any

import pytest
from tests.infrastructure.conftest import Prepared
from tests.infrastructure.terraform.workspace import BASE, Terraform

REPLACED = [["delete", "create"], ["create", "delete"]]


@pytest.fixture(scope="module")
def cluster(terraform: Prepared) -> Terraform:
    applied = terraform(BASE / "stacks" / "cluster")
    applied.apply()
    return applied


@pytest.fixture(scope="module")
def chef(terraform: Prepared) -> Terraform:
    applied = terraform(BASE / "stacks" / "chef")
    applied.apply()
    return applied


def replaced(stack: Terraform, **variables: Any) -> set[str]:
    return {
        re.sub(r"^module\.\w+\.", "", address)
        for address, actions in stack.changes(**variables).items()
        if actions in REPLACED
    }


def test_an_applied_cluster_plans_no_change(cluster: Terraform) -> None:
    assert cluster.changes() == {}


def test_another_image_of_the_hub_keeps_its_addresses_data_swarm_and_homes(
    cluster: Terraform,
) -> None:
    assert replaced(cluster, hub_ami="ami-0123456789abcdef9") == {
        "module.hub.aws_instance.hub",
        "module.hub.aws_volume_attachment.data",
    }


def test_a_change_of_settings_replaces_nothing(cluster: Terraform) -> None:
    changes = cluster.changes(
        login={"authenticator": "github", "admins": ["grace"]},
        images=["quay.io/jupyter/r-notebook:2025-03-14"],
        worker_ami="ami-0123456789abcdef9",
        hub_root_volume_gib=64,
        hub_instance_type="m7i.large",
        homes={"throughput_mode": "bursting"},
        restore_homes=True,
        tags={"department": "biology"},
        alarm_topic_arns=["arn:aws:sns:eu-west-1:123456789012:labswarm-alarms"],
        instance_types=["m5.large"],
        max_nodes=5,
        worker_egress_ports=[443, 22],
    )
    assert len(changes) > 10
    assert [address for address, actions in changes.items() if actions in REPLACED] == []


def test_terraform_lays_the_first_version_of_the_document_and_overwrites_none(
    terraform: Prepared,
) -> None:
    address = "module.hub.aws_dynamodb_table_item.document[0]"
    stack = terraform(BASE / "stacks" / "cluster")
    first = stack.changes(document="cull: {timeout: 7200}\n")
    assert first["module.cluster." + address] == ["create"]

    stack.apply(document="cull: {timeout: 7200}\n")

    assert stack.changes(document="cull: {timeout: 60}\n") == {}


def test_another_name_would_delete_the_homes_and_so_meets_the_guard(cluster: Terraform) -> None:
    lost = replaced(cluster, name="optics")
    assert "module.storage.aws_efs_file_system.homes" in lost
    assert "terraform_data.homes_guard" in lost


def test_another_image_of_the_chef_server_keeps_its_address_data_and_backups(
    chef: Terraform,
) -> None:
    changes = chef.changes(chef_server_ami="ami-0123456789abcdef9")
    lost = {address for address, actions in changes.items() if actions in REPLACED}
    assert "module.chef_server.aws_instance.server" in lost
    kept = re.compile(r"aws_(network_interface|ebs_volume|s3_bucket\w*|kms_\w+|secrets\w+)\.")
    assert [address for address in lost if kept.search(address)] == []
    # Hubs get the same values: a cluster's chef is the output of that name.
    assert "chef" not in {
        name
        for name, change in chef.plan(chef_server_ami="ami-0123456789abcdef9")[
            "output_changes"
        ].items()
        if change["actions"] != ["no-op"]
    }
