"""The two seams on a real Docker Engine."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from labswarm import labels
from labswarm.errors import Gone, Transient
from labswarm.seats import Seat
from labswarm_node.engine_api import EngineApi
from labswarm_node.engine_errors import OutOfSequence, engine_error
from labswarm_node.swarm import (
    Availability,
    Membership,
    Server,
    StudentService,
    StudentTask,
    SwarmNode,
)

# Longer than the 20 s after which the daemon itself gives up waiting (moby daemon/cluster).
_JOIN_S = 30.0
_PULL_SILENCE_S = 120.0
_UPDATE_ATTEMPTS = 5
# How much later than `until` the daemon may end its events.
_EVENTS_LATE_S = 5.0
_WANTED = frozenset({"ready", "accepted", "running"})
_ENDED = frozenset({"complete", "failed", "shutdown", "rejected", "orphaned", "remove"})


class DockerEngine:
    """`Engine` on this node's daemon."""

    def __init__(self, docker_host: str) -> None:
        self._api = EngineApi(docker_host)

    def membership(self) -> Membership:
        swarm = self._api.call("GET", "/info")["Swarm"]
        return Membership(
            state=swarm["LocalNodeState"],
            node_id=swarm["NodeID"],
            managers=frozenset(manager["Addr"] for manager in swarm["RemoteManagers"] or ()),
            is_manager=swarm["ControlAvailable"],
        )

    def join(
        self, token: str, manager: str, advertise_address: str, availability: Availability
    ) -> None:
        body = {
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": advertise_address,
            "DataPathAddr": advertise_address,
            "RemoteAddrs": [manager],
            "JoinToken": token,
            "Availability": availability,
        }
        self._api.call("POST", "/swarm/join", body=body, timeout_s=_JOIN_S)

    def leave(self, force: bool) -> None:
        self._api.call("POST", "/swarm/leave", {"force": str(force).lower()}, timeout_s=_JOIN_S)

    def has_image(self, image: str) -> bool:
        try:
            self._api.call("GET", f"/images/{image}/json")
        except Gone:
            return False
        return True

    def pull(self, image: str) -> None:
        # Without a tag or a digest the Engine would fetch every tag there is.
        named = "@" in image or ":" in image.rsplit("/", 1)[-1]
        query = {"fromImage": image} if named else {"fromImage": image, "tag": "latest"}
        for report in self._api.progress("/images/create", query, _PULL_SILENCE_S):
            if "error" in report:
                # The status was sent before. An error that the table does not know is transient.
                raise engine_error(500, f"{image}: {report['error']}")


class DockerSwarm:
    """`Swarm` at the daemon of a manager."""

    def __init__(self, docker_host: str) -> None:
        self._api = EngineApi(docker_host)

    def nodes(self) -> Sequence[SwarmNode]:
        return [_node(node) for node in self._api.call("GET", "/nodes")]

    def update(
        self,
        node_id: str,
        availability: Availability,
        instance_id: str,
        cluster: str | None = None,
    ) -> None:
        given = {labels.INSTANCE: instance_id} | ({labels.CLUSTER: cluster} if cluster else {})
        for _ in range(_UPDATE_ATTEMPTS):
            node = self._api.call("GET", f"/nodes/{node_id}")
            spec = {
                **node["Spec"],
                "Availability": availability,
                "Labels": {**(node["Spec"].get("Labels") or {}), **given},
            }
            version = str(node["Version"]["Index"])
            try:
                self._api.call("POST", f"/nodes/{node_id}/update", {"version": version}, body=spec)
            except OutOfSequence:
                continue
            return
        raise Transient(f"node {node_id} was changed by others {_UPDATE_ATTEMPTS} times in a row")

    def servers_on(self, node_id: str) -> Sequence[Server]:
        tasks = self._api.call("GET", "/tasks", {"filters": json.dumps({"node": [node_id]})})
        servers = {
            _server(_container_labels(task))
            for task in tasks
            if task["Status"]["State"] not in _ENDED and labels.USER in _container_labels(task)
        }
        return sorted(servers, key=lambda server: server.service)

    def tasks(self) -> Sequence[StudentTask]:
        found = self._api.call("GET", "/tasks", {"filters": json.dumps({"label": [labels.USER]})})
        there = [
            _student_task(task)
            for task in found
            if task["Status"]["State"] not in _ENDED
            and labels.USER in _container_labels(task)
            # Leaves out tasks that waited in line until their service was removed: they never ran.
            and (task.get("NodeID") or task["DesiredState"] in _WANTED)
        ]
        return sorted(there, key=lambda task: (task.server.service, task.node_id or ""))

    def services(self) -> Sequence[StudentService]:
        found = self._api.call(
            "GET", "/services", {"filters": json.dumps({"label": [labels.USER]})}
        )
        return sorted(map(_student_service, found), key=lambda service: service.server.service)

    def await_change(self, since: float, timeout_s: float) -> bool:
        query = {
            "since": f"{since:.9f}",
            "until": f"{time.time() + timeout_s:.9f}",
            "filters": json.dumps({"type": ["service", "node"]}),
        }
        events = self._api.progress("/events", query, timeout_s + _EVENTS_LATE_S, method="GET")
        with closing(events):
            return next(events, None) is not None

    def remove(self, node_id: str, force: bool = False) -> None:
        self._api.call("DELETE", f"/nodes/{node_id}", {"force": str(force).lower()})

    def remove_service(self, service_id: str) -> None:
        self._api.call("DELETE", f"/services/{service_id}")


def _node(node: Mapping[str, Any]) -> SwarmNode:
    # A node whose agent has not reported yet has no description.
    description = node.get("Description") or {}
    resources = description.get("Resources") or {}
    of_node = node["Spec"].get("Labels") or {}
    of_engine = (description.get("Engine") or {}).get("Labels") or {}
    return SwarmNode(
        node_id=node["ID"],
        role=node["Spec"]["Role"],
        state=node["Status"]["State"],
        availability=node["Spec"]["Availability"],
        node_label=of_node.get(labels.INSTANCE),
        engine_label=of_engine.get(labels.INSTANCE),
        memory_bytes=resources.get("MemoryBytes", 0),
        nano_cpus=resources.get("NanoCPUs", 0),
        created_at=node["CreatedAt"],
        node_cluster=of_node.get(labels.CLUSTER),
        engine_cluster=of_engine.get(labels.CLUSTER),
        unfit=labels.UNFIT in of_engine,
    )


def _container_labels(task: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels of the task's container: they outlive its service, whose task may still end."""
    return task["Spec"].get("ContainerSpec", {}).get("Labels") or {}


def _server(found: Mapping[str, str]) -> Server:
    return Server(found[labels.USER], found.get(labels.SERVER, ""), found.get(labels.SERVICE, ""))


def _student_task(task: Mapping[str, Any]) -> StudentTask:
    node_id = task.get("NodeID") or None
    constraints = (task["Spec"].get("Placement") or {}).get("Constraints") or ()
    waits = node_id is None and labels.WAITS_FOR_A_SEAT in constraints
    found = _container_labels(task)
    return StudentTask(
        server=_server(found),
        node_id=node_id,
        waits=waits,
        cluster=found.get(labels.CLUSTER),
        refused_by=frozenset(filter(None, found.get(labels.REFUSED_BY, "").split(","))),
        created_at=datetime.fromisoformat(task["CreatedAt"]).timestamp(),
        seat=_reserved(task),
    )


def _reserved(task: Mapping[str, Any]) -> Seat | None:
    reserved = (task["Spec"].get("Resources") or {}).get("Reservations") or {}
    seat = Seat(reserved.get("MemoryBytes", 0), reserved.get("NanoCPUs", 0))
    return seat if seat.memory_bytes or seat.nano_cpus else None


def _student_service(service: Mapping[str, Any]) -> StudentService:
    found = service["Spec"]["Labels"]
    return StudentService(
        service_id=service["ID"],
        server=_server(found),
        created_at=datetime.fromisoformat(service["CreatedAt"]).timestamp(),
        cluster=found.get(labels.CLUSTER),
    )
