"""A further group of workers on a real Swarm, as Terraform plans one for a class with GPUs."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up

from labswarm_lab.nodes.requirements import missing
from labswarm_lab.plan import DEFAULT

pytestmark = [pytest.mark.deep, pytest.mark.swarm, pytest.mark.timeout(600)]


def planned_with_a_group(path: Path) -> Path:
    """The lab's plan, and next to its own group another one, `lab-big`."""
    plan = json.loads(DEFAULT.read_text())
    values = plan["planned_values"]
    resources = values["root_module"]["resources"]
    for resource in list(resources):
        text = json.dumps(resource).replace('[\\"lab\\"]', '[\\"lab-big\\"]')
        text = text.replace("labswarm-lab-", "labswarm-lab-big-").replace('"lab"', '"lab-big"')
        resources.append(json.loads(text.replace("t3.medium", "t3.large")))
    settings = values["outputs"]["settings"]["value"]
    seat = {"memory_bytes": 2 * 2**30, "nano_cpus": 500_000_000}
    names = {"name": "lab-big", "asg": "labswarm-lab-big-workers"}
    settings["lab-big"] = {**settings["lab"], **names, "seat": seat, "headroom": 0}
    path.write_text(json.dumps(plan))
    return path


@pytest.fixture(scope="module")
def two_groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    plan = planned_with_a_group(tmp_path_factory.mktemp("plan") / "plan.json")
    yield from brought_up(f"g{os.getpid()}", "--workers", "1", "--plan", str(plan))


def used(seen: dict[str, Any], cluster: str) -> list[int]:
    return [n["seats_used"] for n in seen["nodes"] if n["cluster"] == cluster]


def test_who_chooses_a_group_gets_a_seat_of_a_worker_that_is_launched_for_it(
    two_groups: LabUnderTest,
) -> None:
    assert used(two_groups.status(), f"{two_groups.name}-big") == []

    answer = json.loads(two_groups.must("class", "2", "--profile", "big", "--json"))

    assert [student["ok"] for student in answer["students"]] == [True] * 2
    seen = two_groups.status()
    assert used(seen, f"{two_groups.name}-big") == [2]
    assert used(seen, two_groups.name) == [0]
    assert seen["executions"]["failed"] == 0


def test_who_chooses_nothing_is_on_the_hubs_own_workers(two_groups: LabUnderTest) -> None:
    before = sum(used(two_groups.status(), f"{two_groups.name}-big"))
    answer = json.loads(two_groups.must("class", "5", "--json"))

    # Of the five, those whose servers run already go on with them.
    assert [student["ok"] for student in answer["students"]] == [True] * 5
    seen = two_groups.status()
    assert sum(used(seen, two_groups.name)) == 5 - before
    assert sum(used(seen, f"{two_groups.name}-big")) == before
