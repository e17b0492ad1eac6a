"""Access that terraform-base must never open: by checkov, and by the plan where checkov cannot see.

checkov reads files, and so misses dynamic blocks and values of variables; the plan has it all.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.infrastructure.conftest import Planned, Prepared
from tests.infrastructure.terraform.workspace import BASE, REPOSITORY, resources

CHECKOV = REPOSITORY / ".infra" / "bin" / "checkov"
ROOTS = [*sorted(BASE.glob("stacks/*/")), *sorted(BASE.glob("examples/*/"))]
ANYWHERE = {"0.0.0.0/0", "::/0"}
each_root = pytest.mark.parametrize("folder", ROOTS, ids=lambda folder: folder.name)


def test_checkov_finds_nothing_that_is_not_explained(tmp_path: Path) -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov skipped: it is not installed; `make setup` installs it")
    done = subprocess.run(
        [
            *(CHECKOV, "--directory", BASE, "--framework", "terraform", "--skip-download"),
            *("--skip-path", "examples", "--compact", "--output", "json"),
        ],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("BC_")},
            "HOME": str(tmp_path),
            "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["results"].get("parsing_errors", []) == []
    assert report["summary"]["passed"] > 0
    failed = [
        f"{check['check_id']} {check['resource']}: {check['check_name']}"
        for check in report["results"]["failed_checks"]
    ]
    assert failed == []


def test_a_skipped_check_says_why() -> None:
    for file in BASE.rglob("*.tf"):
        for skip in re.findall(r"#\s*checkov:skip=(.*)", file.read_text(encoding="utf-8")):
            check, _, reason = skip.partition(":")
            assert re.fullmatch(r"CKV2?_AWS_\d+", check), f"{file}: {skip}"
            assert len(reason.split()) >= 3, f"{file}: {skip}"


def planned(plan: Planned, folder: Path, *types: str) -> list[dict[str, Any]]:
    return [each for each in resources(plan(folder)) if each["type"] in types]


@each_root
def test_nothing_but_the_web_is_open_to_everyone(plan: Planned, folder: Path) -> None:
    for rule in planned(plan, folder, "aws_vpc_security_group_ingress_rule"):
        values = rule["values"]
        assert not values["from_port"] <= 22 <= values["to_port"], rule["address"]
        if {values.get("cidr_ipv4"), values.get("cidr_ipv6")} & ANYWHERE:
            assert values["from_port"] == values["to_port"], rule["address"]
            assert values["to_port"] in {80, 443}, rule["address"]
    for group in planned(plan, folder, "aws_security_group"):
        # Rules are resources of their own, so that these tests see each of them.
        assert not group["values"].get("ingress"), group["address"]
        assert not group["values"].get("egress"), group["address"]


@each_root
def test_rules_let_out_to_listed_ports_only(plan: Planned, folder: Path) -> None:
    for rule in planned(plan, folder, "aws_vpc_security_group_egress_rule"):
        assert rule["values"]["ip_protocol"] in {"tcp", "udp"}, rule["address"]
        assert rule["values"]["from_port"] == rule["values"]["to_port"], rule["address"]


@each_root
def test_descriptions_have_only_characters_that_ec2_takes(plan: Planned, folder: Path) -> None:
    assert_ec2_takes_descriptions(plan(folder), 0 if folder.name == "github" else 10)


def test_descriptions_of_optional_resources_have_only_characters_that_ec2_takes(
    terraform: Prepared,
) -> None:
    chosen: dict[str, Any] = {
        "egress": "endpoints",
        "workstation": {"ami": "ami-0123456789abcdef0"},
    }
    assert_ec2_takes_descriptions(terraform(BASE / "stacks" / "chef").plan(**chosen))


def assert_ec2_takes_descriptions(plan: dict[str, Any], least: int = 10) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html

    The provider looks at a rule's description, of a group's only at the length.
    """
    described = {
        each["address"]: each["values"]["description"]
        for each in resources(plan)
        if re.match(r"aws_(vpc_)?security_group(_\w+_rule)?$", each["type"])
    }
    assert len(described) >= least
    taken = re.compile(r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")
    assert [name for name, text in described.items() if not taken.fullmatch(text)] == []


@each_root
def test_instances_want_tokens_and_encrypted_disks_and_have_no_key(
    plan: Planned, folder: Path
) -> None:
    for instance in planned(plan, folder, "aws_instance", "aws_launch_template"):
        address, values = instance["address"], instance["values"]
        assert not values.get("key_name"), address
        (metadata,) = values["metadata_options"]
        assert metadata["http_tokens"] == "required", address
        assert metadata["http_put_response_hop_limit"] == 1, address
        disks = values.get("root_block_device") or [
            disk for mapping in values["block_device_mappings"] for disk in mapping["ebs"]
        ]
        assert disks != [], address
        assert {str(disk["encrypted"]).lower() for disk in disks} == {"true"}, address


@each_root
def test_workers_have_no_public_address(plan: Planned, folder: Path) -> None:
    for template in planned(plan, folder, "aws_launch_template"):
        for interface in template["values"]["network_interfaces"]:
            assert str(interface["associate_public_ip_address"]).lower() == "false"
    for subnet in planned(plan, folder, "aws_subnet"):
        assert not subnet["values"].get("map_public_ip_on_launch"), subnet["address"]


@each_root
def test_stored_data_is_encrypted(plan: Planned, folder: Path) -> None:
    for stored in planned(plan, folder, "aws_efs_file_system", "aws_ebs_volume"):
        assert stored["values"]["encrypted"] is True, stored["address"]


@pytest.fixture(scope="module")
def cluster(terraform: Prepared) -> list[dict[str, Any]]:
    """All of one cluster, applied."""
    stack = terraform(BASE / "stacks" / "cluster")
    stack.apply()
    return [each for each in resources(stack.state()) if each["mode"] == "managed"]


def test_only_the_hub_is_open_to_everyone(cluster: list[dict[str, Any]]) -> None:
    open_groups = {
        each["values"]["security_group_id"]
        for each in cluster
        if each["type"] == "aws_vpc_security_group_ingress_rule"
        and {each["values"].get("cidr_ipv4"), each["values"].get("cidr_ipv6")} & ANYWHERE
    }
    names = [
        each["values"]["tags_all"].get("Name") or each["values"]["name"]
        for each in cluster
        if each["type"] == "aws_security_group" and each["values"]["id"] in open_groups
    ]
    assert len(names) == len(open_groups) == 1
    assert "hub" in names[0]


def test_a_node_reads_the_join_token_of_its_own_cluster_only_and_its_hub_the_logins_secrets_too(
    cluster: list[dict[str, Any]],
) -> None:
    (secret,) = [each["values"] for each in cluster if each["type"] == "aws_secretsmanager_secret"]
    logins = secret["arn"].rsplit("/", 1)[0] + "/login/*"
    readers, of_logins = [], []
    for each in cluster:
        if each["type"] not in {"aws_iam_role_policy", "aws_iam_policy"}:
            continue
        for statement in json.loads(each["values"]["policy"])["Statement"]:
            actions, on = listed(statement["Action"]), listed(statement["Resource"])
            assert "*" not in actions, each["address"]
            assert not any(action.endswith(":*") for action in actions), each["address"]
            if on == [logins]:
                assert actions == ["secretsmanager:GetSecretValue"]
                of_logins.append(each["address"])
            elif any(action.startswith("secretsmanager:") for action in actions):
                readers.append(each["address"])
                assert on == [secret["arn"]], each["address"]
    assert readers != []
    assert of_logins == ["module.cluster.module.hub.module.role.aws_iam_role_policy.own"]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
