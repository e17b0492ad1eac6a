"""The hub's own metrics, which JupyterHub serves next to its own at /hub/metrics.

docs/reference/metrics.md lists them. JupyterHub itself counts failed starts by their reason.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import DockerException
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily

from labswarm.seats import free_seats
from labswarm_hub import tasks
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import CLUSTER_LABEL, USER_LABEL

_log = logging.getLogger(__name__)

# A look is repeated for the next scrape after this time, and says nothing any more after the second
# one (s). Prometheus asks once a minute, or more often.
_LOOK_AGAIN_S, _OLDEST_S = 5.0, 150.0


@dataclass(frozen=True)
class GroupSeen:
    """The seats and the line of one group's cluster; `oldest_wait_s` is 0 without a line."""

    cluster: str
    free: int
    used: int
    waiting: int
    oldest_wait_s: float


@dataclass(frozen=True)
class HubSeen:
    """The groups, and the bytes of the folder of all homes: its size and the free part."""

    groups: Sequence[GroupSeen]
    homes_size: int
    homes_free: int


def groups_seen(
    settings: HubSettings, nodes: Iterable[tasks.Node], servers: Iterable[tasks.Task], now: float
) -> list[GroupSeen]:
    """Return the seats and the line of each group at `now` (epoch s).

    `nodes` and `servers` are all nodes of the Swarm and the tasks of all students' servers. Seats
    are those of open nodes; a server on a node that takes no more students uses one too.
    """
    nodes, live = list(nodes), [task for task in servers if not tasks.has_ended(task)]
    used = Counter(str(task["NodeID"]) for task in live if task.get("NodeID"))
    seen = []
    for group in (settings.own, *settings.groups.values()):
        seated = tasks.seated_of(nodes, group, settings.cluster)
        waiting = [
            datetime.fromisoformat(str(task["CreatedAt"])).timestamp()
            for task in live
            if not task.get("NodeID") and _cluster(task, settings.cluster) == group.cluster
        ]
        seen.append(
            GroupSeen(
                cluster=group.cluster,
                free=sum(free_seats(node, used, {}) for node in seated),
                used=sum(used[node.node_id] for node in seated),
                waiting=len(waiting),
                oldest_wait_s=max((now - since for since in waiting), default=0.0),
            )
        )
    return seen


def look_at(settings: HubSettings) -> HubSeen:
    """Ask the Engine and the folder of the homes. Raises OSError and docker's errors."""
    engine: Any = APIClient(base_url=settings.docker_host, version="auto", timeout=30)
    try:
        nodes, servers = engine.nodes(), engine.tasks(filters={"label": USER_LABEL})
    finally:
        engine.close()
    return HubSeen(groups_seen(settings, nodes, servers, time.time()), *_room_in(settings.homes))


class HubMetrics:
    """A collector of prometheus_client: each scrape has what the hub saw shortly before it.

    It also asks for the next look.
    The look takes a thread, because the folder of the homes is on the network: the hub does not
    wait for it. After a failed look, or the first scrape, the metrics are missing.
    """

    def __init__(self, look: Callable[[], HubSeen], now: Callable[[], float] = time.monotonic):
        self._look, self._now = look, now
        self._seen: HubSeen | None = None
        self._seen_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics without values, so that registering them asks nobody."""
        return _families().values()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics as they were last seen; called in the hub's event loop."""
        age_s = self._now() - self._seen_at
        if self._looking is None and (self._seen is None or age_s > _LOOK_AGAIN_S):
            self._looking = asyncio.get_running_loop().create_task(self._look_again())
        if self._seen is None or age_s > _OLDEST_S:
            return ()
        return _measured(self._seen)

    async def _look_again(self) -> None:
        try:
            self._seen = await asyncio.to_thread(self._look)
            self._seen_at = self._now()
        except (OSError, DockerException):  # requests' errors are OSErrors
            _log.warning("labswarm's metrics are missing until the next look", exc_info=True)
        finally:
            self._looking = None


def register(settings: HubSettings) -> None:
    """Add the hub's metrics to those that JupyterHub serves."""
    REGISTRY.register(HubMetrics(lambda: look_at(settings)))


def _families() -> dict[str, GaugeMetricFamily]:
    cluster = ["cluster"]
    return {
        "seats": GaugeMetricFamily(
            "labswarm_seats", "Seats on open workers, by state", labels=["cluster", "state"]
        ),
        "waiting": GaugeMetricFamily(
            "labswarm_students_waiting", "Students in line for a seat", labels=cluster
        ),
        "oldest": GaugeMetricFamily(
            "labswarm_oldest_wait_seconds", "Longest wait in line so far", labels=cluster
        ),
        "homes_size": GaugeMetricFamily("labswarm_homes_size_bytes", "Size of the homes' folder"),
        "homes_free": GaugeMetricFamily(
            "labswarm_homes_free_bytes", "Free space in the homes' folder"
        ),
    }


def _measured(seen: HubSeen) -> Iterable[GaugeMetricFamily]:
    families = _families()
    for group in seen.groups:
        families["seats"].add_metric([group.cluster, "free"], group.free)
        families["seats"].add_metric([group.cluster, "used"], group.used)
        families["waiting"].add_metric([group.cluster], group.waiting)
        families["oldest"].add_metric([group.cluster], group.oldest_wait_s)
    families["homes_size"].add_metric([], seen.homes_size)
    families["homes_free"].add_metric([], seen.homes_free)
    return families.values()


def _room_in(homes: Path) -> tuple[int, int]:
    found = os.statvfs(homes)
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _cluster(task: tasks.Task, own: str) -> str:
    return str(task["Spec"]["ContainerSpec"]["Labels"].get(CLUSTER_LABEL) or own)
