"""The roles of the workflows: their holders, and that each has the permissions it needs and no
more.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.infrastructure import actions
from tests.infrastructure.conftest import Planned
from tests.infrastructure.terraform.schema import names
from tests.infrastructure.terraform.workspace import BASE, REPOSITORY, resources
from tests.support.deployed import Deployed

STACK = BASE / "stacks" / "github"
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
ENVIRONMENTS = ("app", "cookbooks", "cookbooks-all", "images", "infrastructure", "plan")
each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS)


@pytest.fixture(scope="module")
def roles(plan: Planned) -> dict[str, dict[str, Any]]:
    """By environment, the planned role with its policy."""
    made: dict[str, dict[str, Any]] = {}
    for each in resources(plan(STACK)):
        if each["address"].startswith(("aws_iam_role.", "aws_iam_role_policy.")):
            made.setdefault(each["index"], {}).update({each["type"]: each["values"]})
    return made


def statements(roles: dict[str, dict[str, Any]], environment: str) -> list[dict[str, Any]]:
    policy = json.loads(roles[environment]["aws_iam_role_policy"]["policy"])
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(roles: dict[str, dict[str, Any]], environment: str) -> set[str]:
    return {
        action
        for statement in statements(roles, environment)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }


def jobs() -> Iterator[dict[str, Any]]:
    """The workflows' jobs that get a role."""
    for workflow in WORKFLOWS:
        for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
            if any("configure-aws-credentials" in each.get("uses", "") for each in job["steps"]):
                yield job


def test_each_environment_of_the_workflows_has_a_role(roles: dict[str, dict[str, Any]]) -> None:
    assert set(roles) == set(ENVIRONMENTS) == {job["environment"] for job in jobs()}


def test_a_session_is_as_long_as_its_job_asks(roles: dict[str, dict[str, Any]]) -> None:
    for job in jobs():
        for step in job["steps"]:
            if "configure-aws-credentials" in step.get("uses", ""):
                asked = step["with"].get("role-duration-seconds", 3600)
                role = roles[job["environment"]]["aws_iam_role"]
                assert asked <= role["max_session_duration"]


@each_environment
def test_no_role_reads_a_secret_or_signs(
    roles: dict[str, dict[str, Any]], environment: str
) -> None:
    for action in ("secretsmanager:GetSecretValue", "kms:Sign", "kms:Decrypt"):
        assert not any(fnmatchcase(action, may) for may in allowed(roles, environment)), action


@pytest.mark.parametrize("environment", ["plan", "infrastructure"])
def test_the_backups_with_the_authoritys_key_are_read_by_no_workflow(
    roles: dict[str, dict[str, Any]], environment: str
) -> None:
    backup = "arn:aws:s3:::labswarm-chef-backups-123456789012-eu-west-1/20261130T020000Z.tar"
    for statement in statements(roles, environment):
        if statement["Effect"] == "Allow" and "s3:GetObject" in listed(statement["Action"]):
            assert not any(fnmatchcase(backup, on) for on in listed(statement["Resource"]))


@pytest.mark.parametrize("environment", ["app", "infrastructure"])
def test_a_role_that_makes_roles_cannot_change_those_of_the_workflows(
    roles: dict[str, dict[str, Any]], environment: str
) -> None:
    assert {
        "Sid": "NoChangeOfTheWorkflowsOwnRights",
        "Effect": "Deny",
        "NotAction": ["iam:Get*", "iam:List*"],
        "Resource": "arn:aws:iam::123456789012:role/labswarm-github-*",
    } in statements(roles, environment)


@each_environment
def test_no_action_is_allowed_on_everything_of_a_service(
    roles: dict[str, dict[str, Any]], environment: str
) -> None:
    broad = [each for each in allowed(roles, environment) if re.search(r"^\*|:\*$", each)]
    assert broad == []


@each_environment
def test_rights_over_everything_are_reads_or_have_a_condition(
    roles: dict[str, dict[str, Any]], environment: str
) -> None:
    # These have no resources or conditions of their own, or their ids are AWS's.
    without = re.compile(
        r"route53:|logs:\w*(LogDelivery|LogDeliveries|ResourcePolic)|sns:|cloudformation:Validate"
    )
    for statement in statements(roles, environment):
        if statement["Effect"] == "Allow" and statement["Resource"] == "*":
            acts = [
                action
                for action in listed(statement["Action"])
                if not actions.reads(action) and not without.match(action)
            ]
            assert acts == [] or "Condition" in statement, statement["Sid"]


# ---- what the roles need ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def template() -> set[str]:
    """The resource types of the app's stack, SAM's among them."""
    deployed = Deployed((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
    return {each["Type"] for each in deployed.resources.values()}


def test_the_app_is_deployed_with_the_actions_of_its_resources_and_no_others(
    roles: dict[str, dict[str, Any]], template: set[str]
) -> None:
    unlisted = template - set(actions.CLOUDFORMATION)
    assert unlisted == set(), "add their actions to actions.CLOUDFORMATION"
    needed = actions.DEPLOY.union(*(actions.CLOUDFORMATION[kind] for kind in template))
    may = allowed(roles, "app")
    assert needed - may == set(), "add these to policies/app.json"
    known = actions.DEPLOY.union(*actions.CLOUDFORMATION.values())
    assert may - known == set(), "remove these from policies/app.json"


def terraform_types() -> set[str]:
    """The resource types that the stacks of the infrastructure can make."""
    return set(names(BASE / "modules").resources)


def test_the_stacks_are_applied_with_the_actions_of_their_resources_and_no_others(
    roles: dict[str, dict[str, Any]],
) -> None:
    kinds = terraform_types()
    assert kinds == set(actions.TERRAFORM), "keep actions.TERRAFORM in step with the modules"
    needed = actions.APPLY.union(*actions.TERRAFORM.values())
    may = allowed(roles, "infrastructure")
    assert needed - may == set(), "add these to policies/infrastructure.json"
    assert may - needed == set(), "remove these from policies/infrastructure.json"


def test_the_stacks_are_planned_with_the_reads_of_their_resources_and_no_others(
    roles: dict[str, dict[str, Any]],
) -> None:
    every = frozenset({"s3:GetObject", "s3:ListBucket"}).union(*actions.TERRAFORM.values())
    # Versions are listed only to delete them.
    reads = {action for action in every if actions.reads(action)} - {"s3:ListBucketVersions"}
    assert allowed(roles, "plan") == reads


def test_a_policy_file_is_json_before_anything_is_filled_in() -> None:
    files = sorted(Path(STACK / "policies").glob("*.json"))
    # Both pushes have the same rights; only their approval differs.
    assert [file.stem for file in files] == [
        environment for environment in ENVIRONMENTS if environment != "cookbooks-all"
    ]
    for file in files:
        assert json.loads(file.read_text(encoding="utf-8"))["Version"] == "2012-10-17"
