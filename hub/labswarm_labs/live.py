"""A class as it is now: its students with their servers, its seats and its nodes. Pure values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from labswarm.lab_hours.booking import Booking
from labswarm.snapshot import NodeSeen, Snapshot

State = Literal["absent", "starting", "waits", "running", "stopping"]
STATES: Mapping[State, str] = {
    "absent": "has not started",
    "starting": "starts",
    "waits": "waits",
    "running": "works",
    "stopping": "stops",
}
WAITS_AFTER_S = 20.0
"""A start that takes longer than this waits for a seat, or has a problem."""


@dataclass(frozen=True)
class Student:
    """A student, the state of the default server, and since when (epoch seconds; None without a
    server). `idle_since` is the hub's time of the last activity."""

    name: str
    state: State
    since: float | None = None
    idle_since: float | None = None


@dataclass(frozen=True)
class Node:
    """A machine: its name at AWS, its state in words, its seats."""

    name: str
    state: str
    seats: int
    used: int


@dataclass(frozen=True)
class LiveClass:
    """A group's class. `seats` are those of the whole cluster: open, used, and `coming` with nodes
    that start, each in `start_s` seconds. `lab` is the running lab of the group, or the next."""

    group: str
    students: tuple[Student, ...]
    nodes: tuple[Node, ...]
    seats: int
    used: int
    coming: int
    start_s: float
    waiting: int
    waiting_since: float | None
    seen_at: float | None
    lab: Booking | None

    def to_json(self) -> str:
        """Return it as the page reads it."""
        return json.dumps(asdict(self), separators=(",", ":"))


def student_of(name: str, user: Mapping[str, Any] | None, now: float) -> Student:
    """Return a student by the hub's answer about the user; None: the user has no server."""
    server = (user or {}).get("servers", {}).get("")
    if server is None:
        return Student(name, "absent")
    since = _epoch(server.get("started"))
    idle_since = _epoch(server.get("last_activity"))
    if server.get("pending") == "stop":
        return Student(name, "stopping", since, idle_since)
    if server.get("ready"):
        return Student(name, "running", since, idle_since)
    late = since is not None and now - since > WAITS_AFTER_S
    return Student(name, "waits" if late else "starting", since)


def live_class(
    group: str,
    members: Iterable[str],
    active: Iterable[Mapping[str, Any]],
    snapshot: Snapshot | None,
    launching: int,
    node_seats: int,
    start_s: float,
    labs: Sequence[Booking],
    now: float,
) -> LiveClass:
    """Return the class of a group.

    `active` are the hub's users with a server, `launching` the nodes that the group has asked for
    and that are not in the Swarm yet, `labs` the group's labs by their starts.
    """
    by_name = {str(user["name"]): user for user in active}
    nodes = snapshot.nodes if snapshot else ()
    there = [node for node in nodes if (node.state, node.availability) == ("ready", "active")]
    return LiveClass(
        group=group,
        students=tuple(student_of(name, by_name.get(name), now) for name in sorted(members)),
        nodes=tuple(
            Node(node.instance_id or node.node_id, _words(node), node.seats, node.seats_used)
            for node in sorted(nodes, key=lambda node: node.created_at)
        ),
        seats=sum(node.seats for node in there),
        used=sum(node.seats_used for node in there),
        coming=launching * node_seats,
        start_s=start_s,
        waiting=snapshot.waiting if snapshot else 0,
        waiting_since=snapshot.waiting_since if snapshot else None,
        seen_at=snapshot.taken_at if snapshot else None,
        lab=next((lab for lab in labs if lab.ends > now), None),
    )


def _words(node: NodeSeen) -> str:
    if node.state != "ready":
        return "lost"
    if node.unfit or node.refused:
        return "starts no servers"
    return {"active": "open", "pause": "takes no new students", "drain": "leaves"}.get(
        node.availability, node.availability
    )


def _epoch(text: object) -> float | None:
    return datetime.fromisoformat(str(text)).timestamp() if text else None
