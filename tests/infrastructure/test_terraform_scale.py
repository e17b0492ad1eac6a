"""Many clusters in one account: no resource that they share fills up with them."""

from collections import Counter
from typing import Any

import pytest
from tests.infrastructure.conftest import Planned, Prepared
from tests.infrastructure.terraform import quotas
from tests.infrastructure.terraform.workspace import BASE, resources

LECTURES = BASE / "examples" / "ten-lectures"
RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
CLUSTERS = 60


@pytest.fixture(scope="module")
def sixty(terraform: Prepared) -> list[dict[str, Any]]:
    """All that 60 lectures plan, with the Chef Server and the network that they share."""
    named: dict[str, Any] = {f"lecture-{number}": {} for number in range(CLUSTERS)}
    plan = terraform(LECTURES).plan(lectures=named)
    return [each for each in resources(plan) if each["mode"] == "managed"]


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_sixty_clusters_plan_within_the_quotas_of_an_account(sixty: list[dict[str, Any]]) -> None:
    made = Counter(each["type"] for each in sixty)
    assert made["aws_autoscaling_group"] == CLUSTERS
    over = {
        kind: made[kind] for kind, quota in quotas.PER_REGION.items() if made.get(kind, 0) > quota
    }
    assert over == {}
    # NAT gateway and hubs: the operator requests as many addresses (docs/how-to/deploy.md).
    assert {kind for kind, quota in quotas.ON_REQUEST.items() if made[kind] > quota} == {"aws_eip"}


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_shared_groups_have_as_many_rules_with_sixty_clusters_as_with_ten(
    sixty: list[dict[str, Any]], plan: Planned
) -> None:
    def shared(made: list[dict[str, Any]]) -> set[str]:
        return {
            each["address"]
            for each in made
            if each["type"] in RULES and not each["address"].startswith("module.lecture[")
        }

    ten = shared(resources(plan(LECTURES)))
    assert ten
    assert shared(sixty) == ten


def test_a_cluster_adds_no_rule_to_a_group_that_it_is_given(plan: Planned) -> None:
    """In its plan the ids of its own groups are unknown; those that it is given are known."""
    stack = plan(BASE / "stacks" / "cluster")
    given = set(stack["variables"]["security_groups"]["value"].values())
    rules = [each["values"] for each in resources(stack) if each["type"] in RULES]
    assert len(rules) > 10
    assert [rule for rule in rules if rule.get("security_group_id") in given] == []


def test_no_group_has_more_rules_than_it_may(terraform: Prepared) -> None:
    stack = terraform(BASE / "stacks" / "cluster")
    blocks = [f"10.{number}.0.0/16" for number in range(28)]
    domain = {
        "name": "physics.hub.example.edu",
        "certificate_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:c",
    }
    stack.apply(hub_ingress_cidrs=blocks, domain=domain)

    rules: Counter[tuple[str, str]] = Counter()
    for each in resources(stack.state()):
        if each["type"] in RULES:
            rules[each["values"]["security_group_id"], each["type"]] += 1
    assert max(rules.values()) == quotas.RULES_PER_GROUP
