"""A cluster as its Terraform stack describes it in the parameter /labswarm/clusters/<name>."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields, names
from labswarm.names import app_name

NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}")
NODE_START_S = 240
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")


def asg_name(cluster: str) -> str:
    """The Auto Scaling group of a cluster's workers."""
    return app_name(f"{cluster}-workers")


def cluster_of(asg: str) -> str | None:
    """The cluster whose workers this Auto Scaling group holds; None when it is not ours."""
    name = asg.removeprefix(app_name("")).removesuffix("-workers")
    return name if NAME.fullmatch(name) and asg == asg_name(name) else None


def group_cluster(cluster: str, group: str) -> str:
    """The cluster of a hub's further group of workers. Raises BadInput for a name that is none."""
    name = f"{cluster}-{group}"
    if not group or not NAME.fullmatch(name):
        raise BadInput("group", f"{group!r} would make {name!r}; a name is like {NAME.pattern}")
    return name


def node_name(cluster: str, instance_id: str) -> str:
    """The one name of a node at the Chef Server, as node and as client."""
    return f"{cluster}-{instance_id}"


@dataclass(frozen=True)
class Chef:
    """How the control plane reaches the cluster's Chef Server, and by which client."""

    url: str
    organization: str | None
    ca_pem: str | None
    admin: str
    key_id: str


@dataclass(frozen=True)
class Resources:
    """An amount of memory (bytes) and CPU (billionths of a core, as Swarm counts)."""

    memory_bytes: int
    nano_cpus: int


@dataclass(frozen=True)
class Cluster:
    """A hub, a group of its workers and its Chef Server.

    A hub's further group `g` is a cluster of its own, `<the hub's>-g`, with the same manager.
    `manager` is the instance id of the Swarm manager, and `headroom` a count of free seats. A node
    that has to go waits for its students to leave for `empty_deadline_s` (seconds).
    `node_start_s` is how long a node takes from its launch until it is open (seconds): a node that
    is not in order after that time is not just starting. `min_nodes` and `max_nodes` (None: no
    other than the group's own) bound what its size is set to.
    """

    name: str
    asg: str
    manager: str
    chef: Chef
    seat: Resources
    overhead: Resources
    headroom: int
    images: tuple[str, ...]
    empty_deadline_s: int
    timetable: str | None
    node_start_s: int = NODE_START_S
    min_nodes: int = 0
    max_nodes: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Cluster":
        """Read a description (JSON). Raises BadInput naming the first field that is wrong."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput(
                "cluster", f"its description is no JSON ({error}); apply its stack again"
            ) from error
        fields = Fields(values, names(cls), of="cluster")
        name = fields.text("name", NAME)
        cluster = cls(
            name=name,
            asg=fields.text("asg"),
            manager=fields.text("manager", INSTANCE_ID),
            chef=_chef(fields.inside("chef", names(Chef))),
            seat=_resources(fields.inside("seat", names(Resources)), least=1),
            overhead=_resources(fields.inside("overhead", names(Resources)), least=0),
            headroom=fields.count("headroom"),
            images=fields.texts("images", _IMAGE),
            empty_deadline_s=fields.count("empty_deadline_s"),
            timetable=fields.optional("timetable"),
            node_start_s=fields.count("node_start_s", 1, NODE_START_S),
            min_nodes=fields.count("min_nodes", 0, 0),
            max_nodes=fields.optional_count("max_nodes"),
        )
        if cluster.asg != asg_name(name):
            raise BadInput("asg", f"is {cluster.asg!r}; the group of {name!r} is {asg_name(name)}")
        return cluster

    def changed(self, changes: Mapping[str, Any]) -> "Cluster":
        """The cluster with the values of its hub's document: seat, headroom, further images.

        A seat may have one of its two fields. Raises BadInput for a value that is wrong.
        """
        fields = Fields(changes, ANY_VERSION, of="changes")
        seat = self.seat
        if fields.has("seat"):
            given = {**vars(self.seat), **fields.anything_by_name("seat")}
            seat = _resources(Fields(given, names(Resources), "seat."), least=1)
        images = fields.texts("images", _IMAGE, default=())
        return replace(
            self,
            seat=seat,
            headroom=fields.count("headroom", 0, self.headroom),
            images=tuple(dict.fromkeys((*images, *self.images))),
        )


class ReadClusters(Protocol):
    """Where lab hours read the description of a cluster."""

    def read_cluster(self, name: str) -> Cluster:
        """The cluster of this name. Raises BadInput when it is not described, or not well."""


class Clusters(ReadClusters, Protocol):
    """The descriptions of the clusters in this account and region."""

    def names(self) -> list[str]:
        """The names of all clusters, sorted."""


def _chef(fields: Fields) -> Chef:
    return Chef(
        url=fields.text("url", re.compile(r"https://\S+")),
        organization=fields.optional("organization"),
        ca_pem=fields.optional("ca_pem"),
        admin=fields.text("admin"),
        key_id=fields.text("key_id"),
    )


def _resources(fields: Fields, least: int) -> Resources:
    return Resources(fields.count("memory_bytes", least), fields.count("nano_cpus", least))
