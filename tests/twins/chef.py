"""One Chef Server's clients and nodes in memory."""

from labswarm.errors import BadInput, Permanent, Transient


class TwinChefServer:
    """Implements the methods of labswarm.chef.server.ChefServer.

    `down` lets every call fail; `log` has the deletions in order; `urls` the servers asked for.
    """

    def __init__(self, clients: set[str] | None = None) -> None:
        self.clients: dict[str, str] = dict.fromkeys(clients or (), "")
        self.nodes: set[str] = set()
        self.down = False
        self.log: list[str] = []
        self.urls: set[str] = set()

    def at(self, url: str, *_connection: object) -> "TwinChefServer":
        """Stand in for `ChefServer(url, ...)`."""
        self.urls.add(url)
        return self

    def create_client(self, name: str, public_key_pem: str) -> None:
        self._reached(name)
        if self.clients.setdefault(name, public_key_pem) != public_key_pem:
            raise Permanent(f"the Chef client {name!r} exists with another key: delete it first")

    def delete_client(self, name: str) -> None:
        self._reached(name)
        self.clients.pop(name, None)
        self.log.append(f"client {name}")

    def delete_node(self, name: str) -> None:
        self._reached(name)
        self.nodes.discard(name)
        self.log.append(f"node {name}")

    def list_clients(self) -> list[str]:
        self._reached()
        return sorted(self.clients)

    def list_nodes(self) -> list[str]:
        self._reached()
        return sorted(self.nodes)

    def _reached(self, name: str = "x") -> None:
        if self.down:
            raise Transient("the Chef Server does not answer")
        if not name or not all(c.isalnum() or c in "._-" for c in name):
            raise BadInput("name", f"{name!r} is no Chef name")
