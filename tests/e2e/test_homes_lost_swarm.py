"""A worker that loses the mount of its homes: no start fails on it, and another takes its place."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.deep, pytest.mark.timeout(600)]


@pytest.fixture
def two_workers() -> Iterator[LabUnderTest]:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"hom{os.getpid()}", "--workers", "2")


def test_a_worker_without_its_homes_is_closed_and_replaced_and_students_are_served_elsewhere(
    two_workers: LabUnderTest,
) -> None:
    seen = two_workers.status()
    lost = seen["nodes"][0]["instance_id"]
    mount = ("mount", "-t", "tmpfs", "none", seen["homes"])
    two_workers.must("shell", lost, "--", *mount)

    def availability(now: dict[str, Any]) -> dict[str, str | None]:
        return {node["instance_id"]: node["availability"] for node in now["nodes"]}

    # The two looks, the Swarm's 20 s, and the minute of lab hours.
    two_workers.eventually(
        "the worker is closed", lambda now: availability(now).get(lost, "pause") == "pause", 150
    )
    two_workers.must("class", "3")

    def is_replaced(now: dict[str, Any]) -> bool:
        nodes = availability(now)
        return lost not in nodes and list(nodes.values()).count("active") >= 1

    two_workers.eventually("it is empty, and ended", is_replaced, 200)
