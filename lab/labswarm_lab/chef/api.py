"""The part of the Chef Server API that labswarm and chef-client's first run need, in memory.

Who may do what follows a new organization's default permissions
(https://docs.chef.io/server/server_orgs/): admins everything; a client reads every node, makes
nodes, writes and deletes those that it made, and sees and deletes itself alone. A test of the
contract suite that goiardi does not pass names what goiardi allows.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from labswarm.chef_signing import canonical_request, content_hash

_CLOCK_SKEW = timedelta(minutes=15)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_Object = TypeVar("_Object")


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are lower-case, the path is without its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Actor:
    """Who signs requests: a user, or a client."""

    name: str
    public_key: str
    admin: bool


@dataclass
class Node:
    """A node object, and the actor that made it."""

    maker: str
    body: dict[str, Any]


@dataclass
class Objects:
    """All that a Chef Server holds."""

    users: dict[str, Actor] = field(default_factory=dict)
    clients: dict[str, Actor] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> "Objects":
        """Read what `to_json` wrote."""
        objects = json.loads(text)
        return cls(
            users={name: Actor(**actor) for name, actor in objects["users"].items()},
            clients={name: Actor(**actor) for name, actor in objects["clients"].items()},
            nodes={name: Node(**node) for name, node in objects["nodes"].items()},
        )


class Refusal(Exception):
    """The answer is no, with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Answers requests from `objects`, below `/organizations/<organization>` when there is one."""

    def __init__(self, objects: Objects, organization: str | None = None) -> None:
        self.objects = objects
        self._prefix = f"/organizations/{organization}" if organization else ""

    def answer(self, request: Request, now: datetime) -> tuple[int, Any]:
        """The HTTP status and the JSON body for one request that came at `now` (UTC)."""
        try:
            return self._routed(request, self._authenticated(request, now))
        except Refusal as refusal:
            return refusal.status, {"error": [str(refusal)]}

    def _authenticated(self, request: Request, now: datetime) -> Actor:
        """The actor that signed the request; 401 when it did not, or not now."""
        headers = request.headers
        name = headers.get("x-ops-userid", "")
        actor = self.objects.clients.get(name) or self.objects.users.get(name)
        if actor is None:
            raise Refusal(401, f"Failed to authenticate as '{name}'")
        if "version=1.3" not in headers.get("x-ops-sign", "").split(";"):
            raise Refusal(401, "this server takes signatures of version 1.3")
        timestamp = headers.get("x-ops-timestamp", "")
        if abs(now - _time(timestamp)) > _CLOCK_SKEW:
            raise Refusal(401, "Failed to authenticate: check this machine's clock")
        if headers.get("x-ops-content-hash") != content_hash(request.body):
            raise Refusal(401, "the content hash is not the body's")
        message = canonical_request(
            request.method,
            request.path,
            content_hash(request.body),
            timestamp,
            name,
            headers.get("x-ops-server-api-version", "0"),
        )
        try:
            _public_key(actor.public_key).verify(
                _signature(headers), message, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature as error:
            raise Refusal(401, f"Invalid signature for user or client '{name}'") from error
        return actor

    def _routed(self, request: Request, actor: Actor) -> tuple[int, Any]:
        path = request.path
        if path.startswith("/users"):  # users stand above organizations
            kind, name = _parts(path)
        elif path.startswith(f"{self._prefix}/"):
            kind, name = _parts(path.removeprefix(self._prefix))
        else:
            raise Refusal(404, f"no such organization: {path}")
        body = _json(request.body) if request.body else {}
        method = request.method
        if kind == "nodes":
            return self._node(method, name, body, actor)
        if kind == "users":
            return self._actor(self.objects.users, method, name, body, actor)
        if kind == "clients":
            return self._actor(self.objects.clients, method, name, body, actor)
        raise Refusal(404, f"no such collection: {kind}")

    def _actor(
        self,
        actors: dict[str, Actor],
        method: str,
        name: str | None,
        body: Mapping[str, Any],
        by: Actor,
    ) -> tuple[int, Any]:
        """Users or clients: an admin does everything, anyone else sees and deletes itself."""
        itself = actors.get(name or "") == by
        if not (by.admin or (itself and method in ("GET", "DELETE"))):
            raise Refusal(403, f"missing {method} permission")
        if method == "GET" and name is None:
            return 200, {each: f"{self._prefix}/{each}" for each in actors}
        if method == "POST" and name is None:
            made = _actor_of(body)
            if made.name in actors:
                raise Refusal(409, "Client already exists")
            actors[made.name] = made
            return 201, asdict(made)
        there = _found(actors, name)
        if method == "PUT":
            actors[there.name] = _actor_of({**body, "name": there.name})
        elif method == "DELETE":
            del actors[there.name]
        elif method != "GET":
            raise Refusal(405, f"no {method} here")
        return 200, asdict(there)

    def _node(
        self, method: str, name: str | None, body: dict[str, Any], by: Actor
    ) -> tuple[int, Any]:
        """Nodes: anyone reads and makes them, an admin or its maker changes one."""
        nodes = self.objects.nodes
        if method == "GET" and name is None:
            return 200, {each: f"{self._prefix}/nodes/{each}" for each in nodes}
        if method == "POST" and name is None:
            named = _name_in(body)
            if named in nodes:
                raise Refusal(409, "Node already exists")
            nodes[named] = Node(by.name, body)
            return 201, {"uri": f"{self._prefix}/nodes/{named}"}
        there = _found(nodes, name)
        if method == "GET":
            return 200, there.body
        if not (by.admin or there.maker == by.name):
            raise Refusal(403, f"missing {method} permission on node '{name}'")
        if method == "PUT":
            there.body = {**body, "name": name}
        elif method == "DELETE":
            del nodes[str(name)]
        else:
            raise Refusal(405, f"no {method} here")
        return 200, there.body


def _parts(path: str) -> tuple[str, str | None]:
    match path.strip("/").split("/"):
        case [kind]:
            return kind, None
        case [kind, name]:
            return kind, name
    raise Refusal(404, f"no such object: {path}")


def _found(objects: Mapping[str, _Object], name: str | None) -> _Object:
    if name is None:
        raise Refusal(405, "this wants an object's name")
    if name not in objects:
        raise Refusal(404, f"'{name}' not found")
    return objects[name]


def _name_in(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refusal(400, "Field 'name' invalid")
    return name


def _actor_of(body: Mapping[str, Any]) -> Actor:
    key = str(body.get("public_key"))
    try:
        _public_key(key)
    except ValueError as error:
        raise Refusal(400, "Field 'public_key' invalid") from error
    return Actor(_name_in(body), key, body.get("admin") is True)


def _public_key(pem: str) -> rsa.RSAPublicKey:
    """The RSA key in a PEM text; raises ValueError when it is none."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("no RSA key")  # noqa: TRY004  # the value is wrong, not its type
    return key


def _json(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "invalid JSON") from error
    if not isinstance(decoded, dict):
        raise Refusal(400, "the body is no JSON object")
    return decoded


def _time(timestamp: str) -> datetime:
    try:
        return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal(401, "the time is not in the form 2009-01-01T12:00:00Z") from error


def _signature(headers: Mapping[str, str]) -> bytes:
    lines: list[str] = []
    while (line := headers.get(f"x-ops-authorization-{len(lines) + 1}")) is not None:
        lines.append(line)
    try:
        return b64decode("".join(lines), validate=True)
    except NotBase64 as error:
        raise Refusal(401, "the signature is no Base64") from error
