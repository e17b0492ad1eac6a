"""The Chef Server as the control plane uses it: registering and removing a node's identity.

It can make a *client* and never a *node object*: a node made by anyone but its own client refuses
that client (403), so the first chef-client run makes it.
"""

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import urllib3

from labswarm.chef.signing import Signer, signed_headers
from labswarm.error_table import CHEF, http_kind
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient

_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,255}")


@dataclass(frozen=True)
class Answer:
    """A Chef Server's answer: the HTTP status, and the body decoded from JSON."""

    status: int
    body: Any


class Connection:
    """Signed requests to one Chef Server, as one of its actors.

    `url` is the server's (https), `organization` None where it has none, `actor` the client or user
    whose key `signer` holds. `ca_pem` (PEM text) is the one authority trusted; None trusts the
    system's.

    Raises:
        BadInput: one of these is malformed.
    """

    def __init__(
        self,
        url: str,
        organization: str | None,
        actor: str,
        signer: Signer,
        ca_pem: str | None = None,
        timeout_s: float = 10,
    ) -> None:
        self._base = _base_url(url, organization)
        self._actor = _checked(actor, "actor")
        self._signer = signer
        self._http = urllib3.PoolManager(
            ssl_context=_trust(ca_pem), timeout=urllib3.Timeout(total=timeout_s), retries=False
        )

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        """The answer to `method` on `path` (such as "/nodes"), when it is 2xx or `also` expected.

        Raises:
            Transient: no answer in time, a certificate that the trusted authority did not issue,
                or 5xx, 408 and 429.
            Permanent: any other answer.
        """
        url = self._base + path
        what = f"{method} {path}"
        data = b"" if body is None else json.dumps(body).encode()
        signed_path = urllib3.util.parse_url(url).path or "/"
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Chef-Version": "18.0.0",
            **signed_headers(
                method, signed_path, data, self._actor, self._signer, datetime.now(UTC)
            ),
        }
        try:
            answer = self._http.request(
                method, url, body=data or None, headers=headers, redirect=False
            )
        except urllib3.exceptions.SSLError as error:
            raise Transient(f"the Chef Server at {self._base} is not trusted: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise Transient(f"the Chef Server at {self._base} does not answer: {error}") from error
        if not (200 <= answer.status < 300 or answer.status in also):
            raise self._refusal(answer.status, what)
        try:
            return Answer(answer.status, json.loads(answer.data))
        except ValueError as error:
            raise Permanent(
                f"the answer to {what} is no JSON: is {self._base} a Chef Server's base URL?"
            ) from error

    def _refusal(self, status: int, what: str) -> LabswarmError:
        messages = {
            401: f"the Chef Server does not know {self._actor!r} by this signature "
            f"(401 to {what}): check that the actor exists with this key, and this machine's clock",
            403: f"the Chef Server does not allow {self._actor!r} to {what} (403)",
        }
        message = messages.get(status, f"the Chef Server answered {status} to {what}")
        return http_kind(CHEF, status)(message)


class ChefServer:
    """The control plane's calls to a Chef Server, as the actor `admin`.

    Every method raises Transient or Permanent as `Connection.request` does, and BadInput on a name
    that no Chef Server would take.
    """

    def __init__(
        self,
        url: str,
        organization: str | None,
        admin: str,
        signer: Signer,
        ca_pem: str | None = None,
        timeout_s: float = 10,
    ) -> None:
        self._connection = Connection(url, organization, admin, signer, ca_pem, timeout_s)

    def create_client(self, name: str, public_key_pem: str) -> None:
        """Make the client `name` with this public key; one that has it already is success.

        Raises Permanent when there is a client of this name with another key.
        """
        path = f"/clients/{_checked(name, 'name')}"
        client = {
            "name": name,
            "clientname": name,
            "public_key": public_key_pem,
            "validator": False,
            "admin": False,
        }
        made = self._connection.request("POST", "/clients", client, also=frozenset({409}))
        if made.status != 409:
            return
        there = self._connection.request("GET", path).body
        if _unwrapped(there.get("public_key", "")) != _unwrapped(public_key_pem):
            raise Permanent(f"the Chef client {name!r} exists with another key: delete it first")

    def delete_client(self, name: str) -> None:
        """Delete the client `name`, which ends its access at once; one not there is success."""
        path = f"/clients/{_checked(name, 'name')}"
        self._connection.request("DELETE", path, also=frozenset({404}))

    def delete_node(self, name: str) -> None:
        """Delete the node object `name`; one not there is success."""
        path = f"/nodes/{_checked(name, 'name')}"
        self._connection.request("DELETE", path, also=frozenset({404}))

    def list_clients(self) -> list[str]:
        """The names of all clients, sorted."""
        return sorted(self._connection.request("GET", "/clients").body)

    def list_nodes(self) -> list[str]:
        """The names of all nodes, sorted."""
        return sorted(self._connection.request("GET", "/nodes").body)

    def get_node(self, name: str) -> dict[str, Any] | None:
        """The node object `name` (run_list, automatic, normal, ...), or None."""
        path = f"/nodes/{_checked(name, 'name')}"
        answer = self._connection.request("GET", path, also=frozenset({404}))
        return None if answer.status == 404 else dict(answer.body)


def _checked(name: str, field: str) -> str:
    """`name`, when it can stand in a path and in a Chef Server as it is."""
    if not _NAME.fullmatch(name):
        raise BadInput(field, f"{name!r} is no Chef name; use letters, digits, '.', '_' and '-'")
    return name


def _base_url(url: str, organization: str | None) -> str:
    if not re.fullmatch(r"https://[^/?#\s]+(/[^?#\s]*)?", url):
        raise BadInput("url", f"{url!r} is no Chef Server; use https://HOST[:PORT]")
    prefix = f"/organizations/{_checked(organization, 'organization')}" if organization else ""
    return url.rstrip("/") + prefix


def _unwrapped(pem: str) -> str:
    """A PEM text without its line breaks, which a server is free to move."""
    return "".join(pem.split())


def _trust(ca_pem: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise BadInput("ca_pem", "it holds no certificate; give the authority's PEM") from error
