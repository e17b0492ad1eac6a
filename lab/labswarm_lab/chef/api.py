"""The part of the Chef Server API that labswarm and chef-client's first run need, in memory.

Users stand above organizations, and everything else is in one: a path that does not name it finds
nothing. Missing APIs (roles, cookbooks, search, ...) answers 404.
https://docs.chef.io/server/api_chef_server/
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from labswarm_lab.chef.acl import CONTAINERS, PERMISSIONS, Acl, acl_of_new, allows
from labswarm_lab.chef.authentication import Request, public_key, signer
from labswarm_lab.chef.objects import SUPERUSER, Actor, Node, Objects, Refusal

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NEEDED = {"GET": "read", "PUT": "update", "DELETE": "delete", "POST": "create"}
_API_VERSIONS = ("0", "1")
Answer = tuple[int, Any]


class Api:
    """Answers requests from `objects`, in the one organization that there is."""

    def __init__(self, objects: Objects, organization: str) -> None:
        self.objects = objects
        self._prefix = f"/organizations/{organization}/"

    def answer(self, request: Request, now: datetime) -> Answer:
        """The HTTP status and the JSON body for one request that came at `now` (UTC)."""
        try:
            by = signer(self.objects, request, now)
            return self._routed(request, by)
        except Refusal as refusal:
            return refusal.status, {"error": [str(refusal)]}

    def _routed(self, request: Request, by: Actor) -> Answer:
        version = request.headers.get("x-ops-server-api-version", "0")
        if version not in _API_VERSIONS:
            raise Refusal(406, f"Specified version {version} not supported")
        body = _json(request.body) if request.body else {}
        method, path = request.method, request.path
        if path == "/users" or path.startswith("/users/"):
            return self._user(method, path.removeprefix("/users").strip("/"), body, by)
        if not path.startswith(self._prefix):
            raise Refusal(404, f"there is no such organization: {path}")
        match path.removeprefix(self._prefix).strip("/").split("/"):
            case [container] if container in CONTAINERS:
                return self._container(method, container, body, by)
            case ["nodes", name]:
                return self._node(method, name, body, by)
            case ["clients", name]:
                return self._client(method, name, by, version)
            case [container, name, "_acl", *rest] if container in CONTAINERS and len(rest) < 2:
                return self._acl(method, container, name, rest, body, by)
        raise Refusal(404, f"this server has no {path}")

    def _container(self, method: str, container: str, body: dict[str, Any], by: Actor) -> Answer:
        """List the objects, or make another."""
        held: Mapping[str, object] = (
            self.objects.nodes if container == "nodes" else self.objects.clients
        )
        if method not in ("GET", "POST"):
            raise Refusal(405, f"no {method} here")
        _check(acl_of_new(container), _NEEDED[method], by)
        if method == "GET":
            return 200, {name: f"{self._prefix}{container}/{name}" for name in held}
        name = _name_in(body)
        if name in held:
            raise Refusal(409, f"{container.removesuffix('s').title()} already exists")
        if container == "nodes":
            self.objects.nodes[name] = Node(body, acl_of_new(container, by.authz_id))
        elif body.get("validator") is True:
            raise Refusal(400, "this server makes no validators")
        else:
            # That of a client says nothing: only a group makes it an admin.
            made = _actor_of({**body, "admin": False}, client=True)
            self.objects.clients[name] = made
            self.objects.client_acls[name] = acl_of_new(container, by.authz_id, made.authz_id)
        return 201, {"uri": f"{self._prefix}{container}/{name}"}

    def _node(self, method: str, name: str, body: dict[str, Any], by: Actor) -> Answer:
        self._check_on("nodes", name, method, by)
        there = self.objects.nodes[name]
        if method == "PUT":
            if body.get("name", name) != name:
                raise Refusal(400, "Node name mismatch.")
            there.body = {**body, "name": name}
        elif method == "DELETE":
            del self.objects.nodes[name]
        return 200, there.body

    def _client(self, method: str, name: str, by: Actor, version: str) -> Answer:
        self._check_on("clients", name, method, by)
        there = self.objects.clients[name]
        if method == "PUT":
            raise Refusal(405, "a client is deleted and made again")
        if method == "DELETE":
            del self.objects.clients[name], self.objects.client_acls[name]
        answer = {
            "name": name,
            "clientname": name,
            "validator": False,
            "public_key": there.public_key,
        }
        if version != "0":  # keys are another endpoint's since version 1
            del answer["public_key"]
        return 200, answer

    def _check_on(self, container: str, name: str, method: str, by: Actor) -> None:
        """Refuse when the actor may not do this to the object, or there is none."""
        if method not in ("GET", "PUT", "DELETE"):
            raise Refusal(405, f"no {method} here")
        _check(self._acl_of(container, name), _NEEDED[method], by)

    def _acl_of(self, container: str, name: str) -> Acl:
        objects = self.objects
        if container == "nodes" and name in objects.nodes:
            return objects.nodes[name].acl
        if container == "clients" and name in objects.client_acls:
            return objects.client_acls[name]
        raise Refusal(404, f"{container.removesuffix('s')} '{name}' not found")

    def _acl(
        self,
        method: str,
        container: str,
        name: str,
        permission: list[str],
        body: Mapping[str, Any],
        by: Actor,
    ) -> Answer:
        """Show an object's list, or set who has one permission; both take `grant`."""
        acl = self._acl_of(container, name)
        _check(acl, "grant", by)
        if method == "GET" and not permission:
            return 200, self.objects.named(acl)
        if method != "PUT" or permission[:1] not in [[known] for known in PERMISSIONS]:
            raise Refusal(405, f"no {method} here")
        entry = body.get(permission[0])
        if not isinstance(entry, dict):
            raise Refusal(400, f"Field '{permission[0]}' missing")
        actors = [self.objects.actor(str(one)) for one in entry.get("actors", [])]
        if None in actors:
            raise Refusal(400, "Invalid/missing actor in request body")
        acl[permission[0]] = {
            "actors": [actor.authz_id for actor in actors if actor],
            "groups": [str(group) for group in entry.get("groups", [])],
        }
        return 200, {}

    def _user(self, method: str, name: str, body: Mapping[str, Any], by: Actor) -> Answer:
        """Users: the superuser manages them, and anyone sees itself."""
        users = self.objects.users
        if by.client or (by.name != SUPERUSER and not (method == "GET" and name == by.name)):
            raise Refusal(403, "missing server-admin permission")
        if method == "GET" and not name:
            return 200, {each: f"/users/{each}" for each in users}
        if method == "POST" and not name:
            made = _actor_of(body, client=False)
            if made.name in users:
                raise Refusal(409, "User already exists")
            users[made.name] = made
            return 201, {"uri": f"/users/{made.name}"}
        if name not in users:
            raise Refusal(404, f"user '{name}' not found")
        there = users[name]
        if method == "PUT":
            # The same user with another key: its objects stay its own.
            changed = _actor_of({**body, "name": name}, client=False)
            users[name] = Actor(name, changed.public_key, changed.admin, False, there.authz_id)
        elif method == "DELETE":
            del users[name]
        elif method != "GET":
            raise Refusal(405, f"no {method} here")
        return 200, {"username": name, "public_key": there.public_key}


def _check(acl: Acl, permission: str, by: Actor) -> None:
    if not allows(acl, permission, by.authz_id, by.groups):
        raise Refusal(403, f"missing {permission} permission")


def _name_in(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refusal(400, "Field 'name' invalid")
    return name


def _actor_of(body: Mapping[str, Any], *, client: bool) -> Actor:
    key = str(body.get("public_key"))
    try:
        public_key(key)
    except ValueError as error:
        raise Refusal(400, "Field 'public_key' invalid") from error
    return Actor(_name_in(body), key, body.get("admin") is True, client)


def _json(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "invalid JSON") from error
    if not isinstance(decoded, dict):
        raise Refusal(400, "the body is no JSON object")
    return decoded
