"""Every Chef Server that the suite is held to: the lab's, and goiardi where it is installed."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labswarm.chef.server import ChefServer, Connection
from labswarm_lab.chef.keys import KeySigner
from labswarm_lab.chef.server import ChefProcess, LabChefServer
from labswarm_lab.chef.twin import Twin
from tests.support import goiardi
from tests.support.goiardi import Goiardi

ADDRESS = "127.0.0.1"
KINDS = ["goiardi", "twin"]
NewNode = Callable[[str], Connection]


def free_port() -> int:
    """A TCP port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def make_server(kind: str, state_dir: Path) -> ChefProcess:
    """A server of one of `KINDS`, not started."""
    if kind == "goiardi":
        if not goiardi.is_installed():
            pytest.skip("goiardi is not installed (apt-get install goiardi)")
        return Goiardi(ADDRESS, free_port(), state_dir)
    return Twin(ADDRESS, free_port(), state_dir)


@dataclass(frozen=True)
class Provisioned:
    """A running server, and the key of its admin."""

    kind: str
    server: LabChefServer
    admin: KeySigner

    @property
    def is_goiardi(self) -> bool:
        return self.kind == "goiardi"

    def as_admin(self) -> ChefServer:
        """The control plane's objects."""
        server = self.server
        return ChefServer(server.url, server.organization, "labswarm", self.admin, server.ca_pem)

    def connection(self, actor: str, key: KeySigner) -> Connection:
        """Bare signed requests as any actor."""
        server = self.server
        return Connection(server.url, server.organization, actor, key, server.ca_pem)

    def status(self, by: Connection, method: str, path: str, body: Any = None) -> int:
        """The status of one request that may be refused."""
        refusals = frozenset({400, 401, 403, 404, 405, 406, 409})
        return by.request(method, path, body, also=refusals).status


def node(name: str) -> dict[str, object]:
    """A node object as a first chef-client run makes it."""
    return {
        "name": name,
        "chef_type": "node",
        "json_class": "Chef::Node",
        "chef_environment": "_default",
        "run_list": [],
        "normal": {},
        "default": {},
        "override": {},
        "automatic": {},
    }
