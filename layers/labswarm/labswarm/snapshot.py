"""The Swarm at one moment, as the hub's machine saw it and the functions read it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from labswarm.errors import BadInput

STALE_AFTER_S = 120


@dataclass(frozen=True)
class NodeSeen:
    """One worker. `state` and `availability` are Swarm's words (ready, down; active, pause, drain).

    `seats` is how many servers it has room for, `seats_used` how many are there, `created_at` when
    it joined (ISO 8601); `instance_id` is None when no label says it. `refused` counts the servers
    of students that ended on it before they ran and are now elsewhere or in line. A node is `unfit`
    when it reports that its homes cannot be used.
    """

    node_id: str
    instance_id: str | None
    state: str
    availability: str
    seats: int
    seats_used: int
    created_at: str
    refused: int = 0
    unfit: bool = False


@dataclass(frozen=True)
class ServiceSeen:
    """A student's Swarm service: its id, and when it was created (epoch seconds)."""

    service_id: str
    created_at: float


@dataclass(frozen=True)
class HubSeen:
    """The students' services in the Swarm, compared with the hub's answer.

    `servers` counts what the hub knows, of all its clusters; `unknown` are services on this
    cluster's seats that are none of these, the oldest first, 100 at most.
    """

    servers: int
    unknown: tuple[ServiceSeen, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One cluster at `taken_at` (epoch seconds).

    `nodes` are the workers only, `running` counts the students' servers that run or start on a
    node, `waiting` those in line without a seat. `hub` is None where it was not asked, or did not
    answer.
    """

    cluster: str
    taken_at: float
    nodes: tuple[NodeSeen, ...]
    running: int
    waiting: int
    hub: HubSeen | None = None

    def fresh(self, now: float) -> bool:
        """Whether it is new enough to decide by, at `now` (epoch seconds)."""
        return now - self.taken_at <= STALE_AFTER_S

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read what `to_json` wrote. Raises BadInput naming the first field that is wrong."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput("snapshot", f"is no JSON ({error})") from error
        fields = _object(values, "snapshot")
        return cls(
            cluster=_text(fields, "cluster"),
            taken_at=_time(fields, "taken_at"),
            nodes=tuple(
                _node(node, f"nodes.{index}.") for index, node in enumerate(_list(fields, "nodes"))
            ),
            running=_count(fields, "running"),
            waiting=_count(fields, "waiting"),
            # An item that an older labswarm-snapshot has written has none.
            hub=None if fields.get("hub") is None else _hub(fields["hub"]),
        )


class Snapshots(Protocol):
    """Where the newest snapshot of each cluster is kept."""

    def read_snapshot(self, cluster: str) -> Snapshot | None:
        """The newest, or None."""

    def write_snapshot(self, snapshot: Snapshot) -> bool:
        """Keep it; False when one as new, or newer, is there."""


def _node(values: object, path: str) -> NodeSeen:
    fields = _object(values, path.rstrip("."))
    instance_id = fields.get("instance_id")
    return NodeSeen(
        node_id=_text(fields, "node_id", path),
        instance_id=None if instance_id is None else _text(fields, "instance_id", path),
        state=_text(fields, "state", path),
        availability=_text(fields, "availability", path),
        seats=_count(fields, "seats", path),
        seats_used=_count(fields, "seats_used", path),
        created_at=_text(fields, "created_at", path),
        # An item that an older labswarm-snapshot has written has neither.
        refused=_count(fields, "refused", path) if "refused" in fields else 0,
        unfit=_flag(fields, "unfit", path) if "unfit" in fields else False,
    )


def _hub(values: object) -> HubSeen:
    fields = _object(values, "hub")
    return HubSeen(
        servers=_count(fields, "servers", "hub."),
        unknown=tuple(
            _service(service, f"hub.unknown.{index}.")
            for index, service in enumerate(_list(fields, "unknown", "hub."))
        ),
    )


def _service(values: object, path: str) -> ServiceSeen:
    fields = _object(values, path.rstrip("."))
    return ServiceSeen(
        service_id=_text(fields, "service_id", path),
        created_at=_time(fields, "created_at", path),
    )


def _object(values: object, name: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise BadInput(name, "has to be a JSON object")
    return values


def _text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(path + name, f"is {value!r}; it has to be text")
    return value


def _flag(fields: Mapping[str, Any], name: str, path: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise BadInput(path + name, f"is {value!r}; it has to be true or false")
    return value


def _list(fields: Mapping[str, Any], name: str, path: str = "") -> list[object]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise BadInput(path + name, f"is {value!r}; it has to be a list")
    return value


def _time(fields: Mapping[str, Any], name: str, path: str = "") -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(path + name, f"is {value!r}; it has to be epoch seconds")
    return float(value)


def _count(fields: Mapping[str, Any], name: str, path: str = "") -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput(path + name, f"is {value!r}; it has to be a whole number, at least 0")
    return value
