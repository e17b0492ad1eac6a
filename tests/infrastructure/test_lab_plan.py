"""The lab comes up on what Terraform plans: nothing of it is repeated by hand."""

import json
from typing import Any

import pytest
from tests.infrastructure.conftest import Prepared
from tests.infrastructure.terraform.workspace import BASE

from labswarm_lab.plan import DEFAULT, extract

STACK, VALUES = BASE / "stacks" / "cluster", BASE.parent / "lab" / "lab.tfvars"


def planned(terraform: Prepared, **variables: Any) -> dict[str, Any]:
    stack = terraform(STACK)
    stack.use(VALUES)
    return extract(stack.plan(**variables))


def test_the_committed_plan_is_what_terraform_plans_with_the_labs_values(
    terraform: Prepared,
) -> None:
    assert planned(terraform) == json.loads(DEFAULT.read_text(encoding="utf-8")), (
        "write it anew: `make plan`"
    )


def test_a_hooks_timeout_changed_in_terraform_changes_what_the_lab_reads(
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
