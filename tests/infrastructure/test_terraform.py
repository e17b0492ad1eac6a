"""Modules, stacks and examples, planned and applied by the real terraform without AWS."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.infrastructure.conftest import Planned, Prepared, skip_without_terraform
from tests.infrastructure.terraform import answers, tables
from tests.infrastructure.terraform.workspace import BASE, Terraform, TerraformFailed, resources

from labswarm.cluster import Cluster, asg_name

ROOTS = [*sorted(BASE.glob("stacks/*/")), *sorted(BASE.glob("examples/*/"))]
FOLDERS = tables.folders(BASE)
LECTURES = BASE / "examples" / "ten-lectures"


def called(folder: Path) -> str:
    return str(folder.relative_to(BASE))


each_root = pytest.mark.parametrize("folder", ROOTS, ids=called)


def test_files_are_formatted() -> None:
    skip_without_terraform()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", BASE, BASE.parent / "tests"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=called)
def test_each_folder_asks_for_the_versions_that_it_needs(folder: Path) -> None:
    versions = (folder / "versions.tf").read_text(encoding="utf-8")
    assert re.search(r'required_version = ">= 1\.11"', versions)
    assert re.search(r'source += "hashicorp/aws"\n\s+version += "~> 6\.25"', versions)
    assert re.findall(r'source += "(.*?)"', versions) == ["hashicorp/aws"]


@each_root
def test_stacks_and_examples_plan(plan: Planned, folder: Path) -> None:
    # terraform validates what it plans.
    actions = {tuple(each["change"]["actions"]) for each in plan(folder)["resource_changes"]}
    assert ("create",) in actions
    assert actions <= {("create",), ("read",)}


@pytest.mark.parametrize(
    "folder", sorted({file.parents[1] for file in BASE.rglob("*.tftest.hcl")}), ids=called
)
def test_modules_pass_their_own_tests(terraform: Prepared, folder: Path) -> None:
    ran = terraform(folder).test()
    assert re.search(r"[1-9]\d* passed, 0 failed", ran), ran


# ---- ten lectures ---------------------------------------------------------------------------


def values(made: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [each["values"] for each in made if each["type"] == type_]


def test_no_two_things_of_ten_lectures_have_one_name(plan: Planned) -> None:
    names: Counter[tuple[str, ...]] = Counter()
    for each in resources(plan(LECTURES)):
        # A policy's name is its role's own, and which role is not known yet.
        if each["mode"] != "managed" or each["type"] == "aws_iam_role_policy":
            continue
        scopes = ("role", "autoscaling_group_name", "vpc_id", "zone_id", "type")
        within = [str(each.get("values", {}).get(scope)) for scope in scopes]
        for name in ("name", "alarm_name", "bucket", "creation_token"):
            if each.get("values", {}).get(name):
                names[each["type"], *within, each["values"][name]] += 1
    assert [name for name, times in names.items() if times > 1] == []
    assert len(names) > 100


def test_ten_lectures_share_one_chef_server(plan: Planned) -> None:
    made = resources(plan(LECTURES))
    roles = [each["tags_all"]["labswarm:role"] for each in values(made, "aws_instance")]
    assert Counter(roles) == {"hub": 10, "chef-server": 1, "chef-workstation": 1}


def test_each_of_ten_lectures_has_its_group_and_its_parameter(plan: Planned) -> None:
    lectures = set(plan(LECTURES)["variables"]["lectures"]["value"])
    made = resources(plan(LECTURES))
    assert len(lectures) == 10
    groups = {each["name"] for each in values(made, "aws_autoscaling_group")}
    assert groups == {asg_name(name) for name in lectures}
    parameters = [each["name"] for each in values(made, "aws_ssm_parameter")]
    clusters = [name for name in parameters if name.startswith("/labswarm/clusters/")]
    assert sorted(clusters) == sorted(f"/labswarm/clusters/{name}" for name in lectures)


@pytest.fixture(scope="module")
def lectures(terraform: Prepared, plan: Planned) -> Terraform:
    """Two of the lectures, applied: terraform writes the whole state with every resource."""
    applied = terraform(LECTURES)
    applied.apply(lectures=two(plan))
    return applied


def two(plan: Planned) -> dict[str, Any]:
    return dict(list(plan(LECTURES)["variables"]["lectures"]["value"].items())[:2])


def test_the_app_reads_each_description(lectures: Terraform, plan: Planned) -> None:
    made = resources(lectures.state())
    described = {
        each["name"]: Cluster.parse(each["value"])
        for each in values(made, "aws_ssm_parameter")
        if each["name"].startswith("/labswarm/clusters/")
    }
    assert set(described) == {f"/labswarm/clusters/{name}" for name in two(plan)}
    hubs = {each["id"] for each in values(made, "aws_instance")}
    for path, cluster in described.items():
        assert path == f"/labswarm/clusters/{cluster.name}"
        assert cluster.manager in hubs
    assert len({cluster.manager for cluster in described.values()}) == 2
    assert len({cluster.chef for cluster in described.values()}) == 1


def test_the_app_gets_the_description_that_the_plan_shows(lectures: Terraform) -> None:
    outputs = json.loads(lectures.run("output", "-json"))
    assert len(outputs["descriptions"]["value"]) == 2
    for name, text in outputs["descriptions"]["value"].items():
        plan = json.loads(text)
        planned = outputs["settings"]["value"][name]
        assert {key: plan.get(key) for key in planned} == planned


def test_a_lecture_that_is_removed_takes_nothing_of_the_others(
    lectures: Terraform, plan: Planned
) -> None:
    kept = two(plan)
    removed, _ = kept.popitem()

    changes = lectures.plan(lectures=kept)["resource_changes"]

    changed = {
        each["address"]: each["change"]["actions"]
        for each in changes
        if each["change"]["actions"] not in (["no-op"], ["read"])
    }
    assert len(changed) > 10
    assert {address.split(".")[1] for address in changed} == {f'lecture["{removed}"]'}
    assert {tuple(actions) for actions in changed.values()} == {("delete",)}


# ---- destroying -----------------------------------------------------------------------------


def test_a_clusters_nodes_deregister_before_anything_that_they_need_goes(
    terraform: Prepared,
) -> None:
    cluster = terraform(BASE / "stacks" / "cluster")
    cluster.apply(delete_homes_on_destroy=True)

    said = cluster.destroy().splitlines()

    def first(pattern: str) -> int:
        return next(number for number, line in enumerate(said) if re.search(pattern, line))

    emptied = first(r"terraform_data\.emptied.*: Destruction complete")
    for needed in (
        r"aws_autoscaling_lifecycle_hook\.launch",
        r"aws_autoscaling_lifecycle_hook\.terminate",
        r"aws_autoscaling_group\.\w+",
        r"aws_ssm_parameter\.\w+",
        r"module\.hub\.aws_instance\.\w+",
    ):
        assert emptied < first(rf"{needed}\S*: Destroying"), needed


def test_a_destroy_that_would_delete_homes_stops_before_it_touches_anything(
    terraform: Prepared,
) -> None:
    cluster = terraform(BASE / "stacks" / "cluster")
    cluster.apply()
    before = {each["address"] for each in resources(cluster.state())}

    with pytest.raises(TerraformFailed) as refused:
        cluster.destroy(delete_homes_on_destroy=True)

    said = re.sub(r"[\s│]+", " ", str(refused.value))
    assert "would delete the homes of physics: apply with delete_homes_on_destroy = true" in said
    assert {each["address"] for each in resources(cluster.state())} == before

    cluster.apply(delete_homes_on_destroy=True)
    cluster.destroy(delete_homes_on_destroy=True)
    assert resources(cluster.state()) == []


def test_in_one_state_the_way_out_and_the_chef_server_outlive_the_workers(
    terraform: Prepared,
) -> None:
    """Terraform destroys in the order of a resource's stored dependencies."""
    example = terraform(BASE / "examples" / "one-cluster")
    example.apply()

    made = {each["address"]: each for each in resources(example.state())}
    (emptied,) = [each for name, each in made.items() if ".terraform_data.emptied" in name]
    outliving = {each.partition("[")[0] for each in emptied["depends_on"]}
    shared = {
        name.partition("[")[0]
        for name, each in made.items()
        if each["mode"] == "managed" and name.startswith(("module.network.", "module.chef_server."))
    }
    # Of these a worker that leaves needs none.
    others = re.compile(r"flow_log|backup|restore|workstation|push|recover|aws_default_security")
    assert {name for name in shared - outliving if not others.search(name)} == set()

    # EC2 refuses it while the VPC has no gateway.
    address = made["module.cluster.module.hub.aws_eip.hub"]
    assert "module.network.aws_internet_gateway.this" in address["depends_on"]


# ---- images that are gone -------------------------------------------------------------------


def test_a_deregistered_image_breaks_neither_plan_nor_destroy(terraform: Prepared) -> None:
    cluster = terraform(BASE / "stacks" / "cluster")
    gone: dict[str, Any] = {"hub_ami": answers.DEREGISTERED, "worker_ami": answers.DEREGISTERED}
    gone |= {"delete_homes_on_destroy": True}
    said = cluster.run("plan", "-input=false", "-no-color", *cluster.values(gone))
    warned = re.findall(r"(hub_ami|worker_ami) is \"ami-0000000000000dead\"", said)
    assert sorted(warned) == ["hub_ami", "worker_ami"]

    cluster.apply(**gone)
    assert cluster.destroy(**gone)
    assert resources(cluster.state()) == []


# ---- refusals -------------------------------------------------------------------------------


LONG_LOGIN = {"authenticator": "github", "conf": {"login.py": "# a comment\n" * 1500}}
MANY_IMAGES = [f"quay.io/jupyter/scipy-notebook-{number}:2025-03-14" for number in range(100)]


@pytest.mark.parametrize(
    ("stack", "wrong", "sentence"),
    [
        ("cluster", {"name": "Physics 1"}, "with a letter first"),
        ("cluster", {"name": "a-name-that-is-too-long"}, "1 to 20 lowercase"),
        ("cluster", {"seat": {"memory_mib": 1048576, "cpu": 1}}, "has no room for one seat"),
        ("cluster", {"worker_volume_gib": 12}, "the image .* has 20 GiB"),
        ("chef", {"vpc_cidr": "10.64.0.0/33"}, "is no IPv4 block"),
        ("chef", {"vpc_cidr": "10.97.0.0/16"}, "nodes use 10.97.0.0/16"),
        ("cluster", {"name": "physics-"}, "no hyphen last"),
        ("cluster", {"images": []}, "images is empty"),
        ("cluster", {"hub_ingress_cidrs": ["192.0.2.0/24"] * 2}, "give each block once"),
        ("cluster", {"instance_types": ["m7g.large"]}, "m7g.large cannot run the image"),
        ("cluster", {"hub_instance_type": "t4g.large"}, "is for x86_64: name a type"),
        ("cluster", {"hub_root_volume_gib": 12}, "hub_root_volume_gib .* give at least 20"),
        ("cluster", {"login": LONG_LOGIN}, "the hub's user data has room for 12288"),
        ("cluster", {"images": MANY_IMAGES}, "name fewer images"),
        ("chef", {"zones": []}, "name two availability zones"),
    ],
    ids=lambda given: given if isinstance(given, str) else json.dumps(given)[:60],
)
def test_values_that_cannot_work_are_refused_at_plan_with_a_sentence(
    terraform: Prepared, stack: str, wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TerraformFailed) as refused:
        terraform(BASE / "stacks" / stack).plan(**wrong)
    said = str(refused.value)
    assert "Error: " in said
    assert re.search(sentence, re.sub(r"[\s│]+", " ", said)), said
