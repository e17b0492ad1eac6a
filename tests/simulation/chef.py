"""The Chef Server in memory, as the app's connection and a node's chef-client see it.

A client may make its own node and no other; a node that another made refuses it.
https://docs.chef.io/server/api_chef_server/
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labswarm.chef.server import Answer, ChefServer
from labswarm.errors import Permanent, Transient
from labswarm_node.chef_run import Ended


class ChefTwin:
    """A server with an admin; `up` says whether it answers."""

    def __init__(self) -> None:
        self.up = True
        self.clients: dict[str, str] = {}
        self.nodes: dict[str, str] = {}
        """Node to the client that made it."""

    def server(self, *_connection: object) -> ChefServer:
        """The functions' client, in place of `ChefServer(url, ...)`."""
        made = ChefServer.__new__(ChefServer)
        made._connection = self  # type: ignore[assignment]
        return made

    def request(
        self, method: str, path: str, body: Any = None, also: frozenset[int] = frozenset()
    ) -> Answer:
        """As labswarm.chef.server.Connection, for the admin."""
        if not self.up:
            raise Transient("the Chef Server cannot be reached")
        answer = self._answer(method, path.strip("/").split("/"), body)
        if answer.status >= 400 and answer.status not in also:
            raise Permanent(f"the Chef Server answers {method} {path} with {answer.status}")
        return answer

    def _answer(self, method: str, path: list[str], body: Any) -> Answer:
        kind: dict[str, str] = self.clients if path[0] == "clients" else self.nodes
        match method, path[1:]:
            case "GET", []:
                return Answer(200, dict.fromkeys(kind, ""))
            case "POST", [] if path[0] == "clients":
                if body["name"] in self.clients:
                    return Answer(409, {})
                self.clients[body["name"]] = body["public_key"]
                return Answer(201, {})
            case "GET", [name]:
                if name not in kind:
                    return Answer(404, {})
                return Answer(200, {"name": name, "public_key": self.clients.get(name, "")})
            case "DELETE", [name]:
                return Answer(200 if kind.pop(name, None) is not None else 404, {})
        raise AssertionError(f"{method} {path} is nothing that the app asks for")

    def converge(self, command: Sequence[str], _timeout_s: float) -> Ended:
        """A node's chef-client run: it makes its node when its client is there."""
        config = Path(command[command.index("--config") + 1]).read_text()
        (line,) = [one for one in config.splitlines() if one.startswith("node_name")]
        name = json.loads(line.removeprefix("node_name "))
        if not self.up:
            return Ended(1, "connection refused")
        if name not in self.clients:
            return Ended(1, f"401: {name} is no client")
        if self.nodes.setdefault(name, name) != name:
            return Ended(1, f"403: {name} was made by {self.nodes[name]}")
        return Ended(0, "")
