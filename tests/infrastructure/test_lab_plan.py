"""The lab uses Terraform's plan: nothing of it is repeated by hand."""

import json
from typing import Any

import pytest
from tests.infrastructure.conftest import Planned, Prepared
from tests.infrastructure.terraform.workspace import BASE, resources

from labswarm_lab import ground
from labswarm_lab.plan import DEFAULT, extract

STACK, VALUES = BASE / "stacks" / "cluster", BASE.parent / "lab" / "lab.tfvars"


def planned(terraform: Prepared, **variables: Any) -> dict[str, Any]:
    stack = terraform(STACK)
    stack.use(VALUES)
    return extract(stack.plan(**variables))


def test_the_committed_plan_equals_terraforms_plan_with_the_labs_values(
    terraform: Prepared,
) -> None:
    assert planned(terraform) == json.loads(DEFAULT.read_text(encoding="utf-8")), (
        "write it again: `make plan`"
    )


def test_a_hooks_timeout_changed_in_terraform_changes_the_labs_plan(
    terraform: Prepared,
) -> None:
    resources = planned(terraform, hook_timeout_seconds=1234)["planned_values"]["root_module"]

    timeouts = {
        one["values"]["name"]: one["values"]["heartbeat_timeout"]
        for one in resources["resources"]
        if one["type"] == "aws_autoscaling_lifecycle_hook"
    }
    assert timeouts == {"launch": 1234, "terminate": 1234}


@pytest.mark.parametrize("size", [0, 7201])
def test_a_hooks_timeout_that_aws_would_refuse_is_no_plan(terraform: Prepared, size: int) -> None:
    with pytest.raises(Exception, match="hook_timeout_seconds"):
        planned(terraform, hook_timeout_seconds=size)


def test_objects_that_the_lab_makes_have_the_names_that_terraform_gives(plan: Planned) -> None:
    """The lab's own Chef key, secret and parameter: the app and the nodes know them by name."""
    once, cluster = plan(BASE / "stacks" / "chef"), plan(STACK)
    (name,) = cluster["planned_values"]["outputs"]["settings"]["value"]

    def names(planned: dict[str, Any], kind: str) -> set[str]:
        return {one["values"]["name"] for one in resources(planned) if one["type"] == kind}

    assert ground.CHEF_KEY_ALIAS in names(once, "aws_kms_alias")
    assert ground.join_secret_name(name) in names(cluster, "aws_secretsmanager_secret")
    assert f"/labswarm/clusters/{name}" in names(cluster, "aws_ssm_parameter")
