"""The objects of a Chef Server: actors, nodes, and their access control lists."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from labswarm_lab.chef.acl import ADMINS, CLIENTS, USERS, Acl

SUPERUSER = "admin"
"""The user that the server makes by itself, and the only one who manages users."""


class Refusal(Exception):
    """The answer is no, with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Actor:
    """A signer of requests: a user, or a client.

    One made again under the same name is another: lists of permissions have its `authz_id`.
    """

    name: str
    public_key: str
    admin: bool = False
    client: bool = False
    authz_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the organization that it is in: a user who is no admin is in none."""
        if self.client:
            return (CLIENTS,)
        return (ADMINS, USERS) if self.admin else ()


@dataclass
class Node:
    """A node object, and who may do what with it."""

    body: dict[str, Any]
    acl: Acl


@dataclass
class Objects:
    """All that a Chef Server holds: users, and of its one organization clients and nodes."""

    users: dict[str, Actor] = field(default_factory=dict)
    clients: dict[str, Actor] = field(default_factory=dict)
    client_acls: dict[str, Acl] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        objects = json.loads(text)
        return cls(
            users={name: Actor(**actor) for name, actor in objects["users"].items()},
            clients={name: Actor(**actor) for name, actor in objects["clients"].items()},
            client_acls=objects["client_acls"],
            nodes={name: Node(**node) for name, node in objects["nodes"].items()},
        )

    def actor(self, name: str) -> Actor | None:
        """The client or user of this name."""
        return self.clients.get(name) or self.users.get(name)

    def named(self, acl: Acl) -> Acl:
        """The list with the actors' names, as it is shown; without those that are gone."""
        actors: Mapping[str, str] = {
            actor.authz_id: actor.name for actor in (*self.users.values(), *self.clients.values())
        }
        return {
            permission: {
                "actors": sorted(actors[id_] for id_ in entry["actors"] if id_ in actors),
                "groups": entry["groups"],
            }
            for permission, entry in acl.items()
        }
