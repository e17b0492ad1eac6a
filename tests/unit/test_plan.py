"""The lab's groups are those of a Terraform plan."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labswarm_lab.plan import DEFAULT, extract, read_plan
from labswarm_operator.refusal import Refusal

Plan = dict[str, Any]


def planned() -> Plan:
    plan: Plan = json.loads(DEFAULT.read_text())
    return plan


def resources(plan: Plan) -> list[Plan]:
    found: list[Plan] = plan["planned_values"]["root_module"]["resources"]
    return found


def with_a_gpu_group(plan: Plan) -> None:
    """A further group, as a `for_each` of the workers' module plans it."""
    settings = plan["planned_values"]["outputs"]["settings"]["value"]
    for resource in [dict(one) for one in resources(plan)]:
        text = json.dumps(resource).replace('[\\"lab\\"]', '[\\"lab-gpu\\"]')
        text = text.replace("labswarm-lab-", "labswarm-lab-gpu-").replace('"lab"', '"lab-gpu"')
        resources(plan).append(json.loads(text.replace("t3.medium", "g5.xlarge")))
    text = json.dumps(settings["lab"]).replace("labswarm-lab-", "labswarm-lab-gpu-")
    settings["lab-gpu"] = {**json.loads(text), "name": "lab-gpu"}


def written(tmp_path: Path, change: Callable[[Plan], object]) -> Path:
    plan = planned()
    change(plan)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    return path


def test_the_plans_names_become_the_labs() -> None:
    (group,) = read_plan(DEFAULT, "physics")

    assert (group.cluster, group.group["name"]) == ("physics", "labswarm-physics-workers")
    assert group.settings["asg"] == group.template["name"] == "labswarm-physics-workers"
    assert group.tags == {
        "labswarm:cluster": "physics",
        "labswarm:role": "worker",
        "Name": "labswarm-physics-worker",
    }


def test_the_hooks_are_the_contract_of_the_app() -> None:
    (group,) = read_plan(DEFAULT, "lab")

    assert {hook["name"]: hook["default_result"] for hook in group.hooks} == {
        "launch": "ABANDON",
        "terminate": "CONTINUE",
    }
    assert group.suspended == ["AZRebalance"]
    assert group.group["protect_from_scale_in"] is True


def test_a_group_has_the_resources_of_its_own_module(tmp_path: Path) -> None:
    main, gpu = read_plan(written(tmp_path, with_a_gpu_group), "x")

    assert (main.cluster, gpu.cluster) == ("x", "x-gpu")
    assert (main.instance_types, gpu.instance_types) == (["t3.medium"], ["g5.xlarge"])
    assert gpu.tags["labswarm:cluster"] == "x-gpu"
    assert gpu.group["name"] == gpu.settings["asg"] == "labswarm-x-gpu-workers"
    assert len(gpu.hooks) == len(main.hooks) == 2


def test_an_extract_of_an_extract_is_the_same() -> None:
    assert extract(planned()) == planned()


def forget_settings(plan: Plan) -> None:
    del plan["planned_values"]["outputs"]["settings"]


def forget_the_group(plan: Plan) -> None:
    resources(plan)[:] = [r for r in resources(plan) if r["type"] != "aws_autoscaling_group"]


@pytest.mark.parametrize("change", [forget_settings, forget_the_group, dict.clear])
def test_a_file_that_is_no_plan_of_a_cluster_is_refused(
    tmp_path: Path, change: Callable[[Plan], object]
) -> None:
    with pytest.raises(
        Refusal, match=r"--plan: .* is not a plan of a cluster .*terraform show -json"
    ):
        read_plan(written(tmp_path, change), "lab")


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("Plan: 12 to add")

    with pytest.raises(Refusal, match="is not a plan of a cluster"):
        read_plan(path, "lab")
