"""The Swarm at one moment, as the hub's machine saw it and the functions read it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Protocol

from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields

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

    `nodes` are the workers only. `running` counts the students' servers that run or start on a
    node, and `waiting` those in line without a seat. The oldest of these waits since
    `waiting_since` (epoch seconds; None without a line). `hub` is None where it was not asked, or
    did not answer. `students` are the users of the servers that run, one for each server, as many
    as fit; they are for the costs, and another name alone is no news.
    """

    cluster: str
    taken_at: float
    nodes: tuple[NodeSeen, ...]
    running: int
    waiting: int
    hub: HubSeen | None = None
    waiting_since: float | None = None
    students: tuple[str, ...] = field(default=(), compare=False)

    def fresh(self, now: float) -> bool:
        """Whether it is new enough to decide by, at `now` (epoch seconds)."""
        return now - self.taken_at <= STALE_AFTER_S

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read what `to_json` wrote, here or in another version.

        Raises BadInput naming the first field that is wrong.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput("snapshot", f"is no JSON ({error})") from error
        fields = Fields(values, ANY_VERSION, of="snapshot")
        return cls(
            cluster=fields.text("cluster"),
            taken_at=fields.time("taken_at"),
            nodes=tuple(_node(node) for node in fields.listed("nodes", ANY_VERSION)),
            running=fields.count("running"),
            waiting=fields.count("waiting"),
            # An item that an older labswarm-snapshot has written has none of these.
            hub=_hub(fields.inside("hub", ANY_VERSION)) if fields.has("hub") else None,
            waiting_since=fields.time("waiting_since") if fields.has("waiting_since") else None,
            students=fields.texts("students", default=()),
        )


class ReadSnapshots(Protocol):
    """Where lab hours read the newest snapshot of a cluster."""

    def read_snapshot(self, cluster: str) -> Snapshot | None:
        """The newest, or None."""


class Snapshots(ReadSnapshots, Protocol):
    """Where the newest snapshot of each cluster is kept."""

    def write_snapshot(self, snapshot: Snapshot) -> bool:
        """Keep it; False when one as new, or newer, is there."""


def _node(fields: Fields) -> NodeSeen:
    return NodeSeen(
        node_id=fields.text("node_id"),
        instance_id=fields.optional("instance_id"),
        state=fields.text("state"),
        availability=fields.text("availability"),
        seats=fields.count("seats"),
        seats_used=fields.count("seats_used"),
        created_at=fields.text("created_at"),
        # An item that an older labswarm-snapshot has written has neither.
        refused=fields.count("refused", default=0),
        unfit=fields.flag("unfit", default=False),
    )


def _hub(fields: Fields) -> HubSeen:
    return HubSeen(
        servers=fields.count("servers"),
        unknown=tuple(
            ServiceSeen(service.text("service_id"), service.time("created_at"))
            for service in fields.listed("unknown", ANY_VERSION)
        ),
    )
