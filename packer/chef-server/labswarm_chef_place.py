"""The Chef Server on this machine: its flavour, its facts, its API and its AWS."""

import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from labswarm_chef_contents import Server
from labswarm_chef_server import CHEF, CINC, GROUND, ROOT, TLS, Flavour, client


class Place(NamedTuple):
    """The server's flavour, and its facts in ground.json."""

    flavour: Flavour
    ground: Mapping[str, Any]

    @property
    def organization(self) -> str:
        """The organization of the clusters' nodes."""
        return str(self.ground["chef"]["organization"])

    @property
    def server(self) -> Server:
        """The server's API, as its superuser."""
        ca = TLS / "ca.pem"
        tls = ssl.create_default_context(cafile=str(ca) if ca.exists() else None)
        key = ROOT / "etc" / self.flavour.project / "pivotal.pem"
        return Server(self.ground["chef"]["url"], self.organization, key, tls)

    def of(self, service: str) -> Any:
        """A client of an AWS service in the server's region."""
        return client(service, self.ground["region"])


def here() -> Place:
    """Return the server that ground.json describes."""
    flavour = CINC if (ROOT / "opt" / CINC.project).exists() else CHEF
    return Place(flavour, json.loads(GROUND.read_text()))
