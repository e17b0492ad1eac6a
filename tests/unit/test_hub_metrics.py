"""The hub's own metrics: seats, the line and the homes."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES, importable
from tests.support.hub_settings import GROUPS, SETTINGS, task

from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import CLUSTER_LABEL, SERVICE_LABEL

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from prometheus_client import CollectorRegistry, generate_latest

    from labswarm_hub import reasons
    from labswarm_hub.metrics import GroupSeen, HubMetrics, HubSeen, groups_seen, look_at

ROOT = Path(__file__).parents[2]
NOON = 1767268800.0  # 2026-01-01T12:00:00Z


def settings(**changes: Any) -> HubSettings:
    return HubSettings.parse(json.dumps(SETTINGS | changes))


def node(name: str, cluster: str, seats: int, availability: str = "active") -> dict[str, Any]:
    memory = {"lab": 512, "lab-gpu": 4096}[cluster] * seats
    overhead = {"lab": 0, "lab-gpu": 1024}[cluster]
    return {
        "ID": name,
        "Spec": {
            "Role": "worker",
            "Availability": availability,
            "Labels": {CLUSTER_LABEL: cluster},
        },
        "Status": {"State": "ready"},
        "Description": {"Resources": {"MemoryBytes": memory + overhead, "NanoCPUs": 10**9}},
    }


def waiting(service: str, cluster: str, since: str) -> dict[str, Any]:
    labels = {SERVICE_LABEL: service, CLUSTER_LABEL: cluster}
    spec = {"ContainerSpec": {"Labels": labels}}
    return task(service, "pending", node_id="", CreatedAt=since, Spec=spec)


def test_each_group_has_its_seats_and_its_line() -> None:
    nodes = [
        node("a", "lab", 3),
        node("paused", "lab", 3, availability="pause"),
        node("g", "lab-gpu", 1),
    ]
    servers = [
        task("one", node_id="a"),
        task("two", node_id="paused"),
        task("three", "failed", "shutdown", node_id="a"),
        task("four", node_id="g"),
        waiting("five", "lab-gpu", "2026-01-01T11:59:30.123456789Z"),
        waiting("six", "lab-gpu", "2026-01-01T11:58:00Z"),
    ]
    assert groups_seen(settings(**GROUPS), nodes, servers, NOON) == [
        GroupSeen("lab", free=2, used=2, waiting=0, oldest_wait_s=0.0),
        GroupSeen("lab-gpu", free=0, used=1, waiting=2, oldest_wait_s=120.0),
    ]


SEEN = HubSeen([GroupSeen("lab", 2, 1, 3, 42.0)], homes_size=1000, homes_free=10)


def scraped(look: Callable[[], HubSeen], *times: float) -> list[str]:
    """The answers to scrapes at these times (s), each after the look that the last one began."""
    now = [0.0]
    registry = CollectorRegistry()
    registry.register(HubMetrics(look, lambda: now[0]))

    async def scrape() -> list[str]:
        answers = []
        for at in times:
            now[0] = at
            answers.append(generate_latest(registry).decode())
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others)
        return answers

    return asyncio.run(scrape())


def test_a_scrape_has_what_the_hub_saw_after_the_last_one() -> None:
    first, second = scraped(lambda: SEEN, 0, 60)
    assert first == ""
    assert {line for line in second.splitlines() if not line.startswith("#")} == {
        'labswarm_seats{cluster="lab",state="free"} 2.0',
        'labswarm_seats{cluster="lab",state="used"} 1.0',
        'labswarm_students_waiting{cluster="lab"} 3.0',
        'labswarm_oldest_wait_seconds{cluster="lab"} 42.0',
        "labswarm_homes_size_bytes 1000.0",
        "labswarm_homes_free_bytes 10.0",
    }


def test_an_old_look_is_not_shown_and_a_failed_one_is_repeated() -> None:
    answers: list[HubSeen | Exception] = [SEEN, OSError("no answer"), SEEN, SEEN, SEEN]

    def look() -> HubSeen:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    seen = scraped(look, 0, 60, 120, 600, 660)
    assert ["labswarm_seats" in text for text in seen] == [False, True, True, False, True]


def test_an_engine_that_does_not_answer_is_an_error_and_no_zero(tmp_path: Path) -> None:
    away = settings(docker_host=f"unix://{tmp_path}/nothing.sock", homes=str(tmp_path))
    with pytest.raises(Exception, match="Connection aborted"):
        look_at(away)


def test_every_metric_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text()
    for family in HubMetrics(lambda: SEEN).describe():
        assert f"| `{family.name}` |" in page


def test_the_alarm_of_failed_starts_counts_the_sentence_that_jupyterhub_logs() -> None:
    filters = (ROOT / "terraform-base/modules/hub/observability.tf").read_text()
    of_starts = filters.partition('"failed_starts" {')[2]
    pattern = re.findall(r'pattern += "(.+)"', of_starts)[0]
    terms = re.findall(r'(-?)\\"(.+?)\\"', pattern)
    logged = (PACKAGES / "jupyterhub/user.py").read_text()

    def counts(reason: reasons.Reason) -> bool:
        line = f"Not starting ada's server : HTTP 503: Service Unavailable ({reason.operator})"
        return all((term in line) != bool(without) for without, term in terms)

    assert 'f"Not starting {self.name}\'s server {spawner.name}: {e}"' in logged
    assert counts(reasons.nodes_refused(["worker-1"], "rejected"))
    assert counts(reasons.unexpected(ValueError("x")))
    # The student chooses again, and StudentsWait is on already.
    assert not counts(reasons.no_such_profile("old", ["A notebook"]))
    assert not counts(reasons.no_seat(600, 120))
    assert not counts(reasons.hours_are_used(20))


def test_the_alarm_of_exams_counts_the_words_that_the_hub_logs() -> None:
    filters = (ROOT / "terraform-base/modules/hub/observability.tf").read_text()
    of_exams = filters.partition('"exam_failures" {')[2]
    pattern = re.findall(r'pattern += "(.+)"', of_exams)[0].strip('\\"')

    for file in ("spawner.py", "exam_copies.py"):
        assert f'("{pattern}: ' in (ROOT / "hub/labswarm_hub" / file).read_text()
