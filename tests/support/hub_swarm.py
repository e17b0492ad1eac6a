"""The Swarm as the spawner's Docker client shows it: workers, and the tasks of students' servers.

A twin of a manager's Engine API, for one task of each service. Time is the caller's.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError, NotFound

from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import SERVICE_LABEL

REJECTED = "invalid mount config for type bind: bind source path does not exist"


@dataclass
class Worker:
    """A worker: the states of a task on it, each with the seconds after which it begins."""

    name: str
    seats: int = 4
    life: tuple[tuple[float, str], ...] = ((0, "running"),)
    availability: str = "active"
    state: str = "ready"


RUNS = ((0.0, "running"),)
REJECTS = ((0.0, "rejected"),)
NEVER_TAKES = ((0.0, "pending"),)
PULLS_FOREVER = ((0.0, "preparing"),)


def then(*life: tuple[float, str]) -> tuple[tuple[float, str], ...]:
    """States of a task, each with the seconds after which it begins."""
    return life


@dataclass
class ManagerTwin:
    """The nodes and services of one Swarm, and its calls."""

    settings: HubSettings
    workers: list[Worker]
    now: Callable[[], float]
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    leaving: list[dict[str, Any]] = field(default_factory=list)
    """Tasks whose service is removed, and which have not ended."""
    calls: list[str] = field(default_factory=list)
    created: list[tuple[str, str | None]] = field(default_factory=list)
    """Each created service with its node."""
    specs: dict[str, Any] = field(default_factory=dict)
    lists_after_s: float = 0.0
    """How long after its service is created a task is listed."""
    addressed: bool = True
    refuses_services: bool = False
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, *args: Any, **asked: Any) -> Any:
        """Answer as docker-py's method does."""
        self.calls.append(method)
        return getattr(self, f"_{method}")(*args, **asked)

    def worker(self, name: str) -> Worker:
        return next(worker for worker in self.workers if worker.name == name)

    def end(self, service: str, state: str = "failed", **status: Any) -> None:
        """End a service's task."""
        self.services[service]["ended"] = {"State": state, **status}

    def node_of(self, service: str) -> str | None:
        node: str | None = self.services[service]["node"]
        return node

    def _nodes(self) -> list[dict[str, Any]]:
        seat, overhead = self.settings.seat, self.settings.overhead
        return [
            {
                "ID": worker.name,
                "Spec": {"Role": "worker", "Availability": worker.availability},
                "Status": {"State": worker.state},
                "Description": {
                    "Hostname": f"host-of-{worker.name}",
                    "Resources": {
                        "MemoryBytes": worker.seats * seat.memory_bytes + overhead.memory_bytes,
                        "NanoCPUs": worker.seats * seat.nano_cpus + overhead.nano_cpus,
                    },
                },
            }
            for worker in self.workers
        ]

    def _tasks(self, filters: Any) -> list[dict[str, Any]]:
        assert filters == {"label": "labswarm.user"}
        listed = [
            self._task(name, service)
            for name, service in self.services.items()
            if self.now() - service["created"] >= self.lists_after_s
        ]
        return [*listed, *self.leaving]

    def _create_service(self, name: str, task_template: Any, **_: Any) -> dict[str, str]:
        if self.refuses_services:
            raise APIError("the manager has no leader")
        place = task_template["Placement"]["Constraints"][1]
        node = place.partition("node.id==")[2] or None
        identity = f"s{next(self._ids):04}"
        self.services[name] = {
            "id": identity,
            "node": node,
            "created": self.now(),
            "life": self.worker(node).life if node else NEVER_TAKES,
            "ended": None,
        }
        self.created.append((name, node))
        self.specs[name] = task_template
        return {"ID": identity}

    def _remove_service(self, name: str) -> None:
        if self.services.pop(name, None) is None:
            raise NotFound(name)

    def _task(self, name: str, service: dict[str, Any]) -> dict[str, Any]:
        node, age = service["node"], self.now() - service["created"]
        state = [state for after, state in service["life"] if age >= after][-1]
        status = service["ended"] or {"State": state}
        if status["State"] == "rejected":
            status = {"Err": REJECTED, **status}
        over = status["State"] in ("rejected", "failed", "complete")
        attached = {
            "Network": {"Spec": {"Name": self.settings.network}},
            "Addresses": ["10.0.0.7/20"],
        }
        return {
            "ServiceID": service["id"],
            "CreatedAt": service["id"],
            "NodeID": node,
            "DesiredState": "shutdown" if over else "running",
            "Status": status,
            "NetworksAttachments": [attached] if self.addressed else [],
            "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: name}}},
        }
