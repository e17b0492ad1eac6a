"""The seam to the hub: stopping and starting students' servers, as an admin would."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlsplit

from labswarm.errors import Permanent, Transient
from labswarm_node.config import HubConfig

Running = Literal["absent", "ready", "pending"]
"""A server as the hub sees it; `pending` while it starts or stops."""

# Less than the 5 s of a manager command, which makes several calls side by side.
_TIMEOUT_S = 3.0


class Hub(Protocol):
    """The hub's API; every call raises Transient when it does not answer."""

    def running(self, user: str, server: str) -> Running:
        """How a student's server stands."""
        ...

    def stop(self, user: str, server: str) -> None:
        """Ask for its stop, which may still go on after this; stopping twice is no error."""
        ...

    def start(self, user: str, server: str) -> None:
        """Ask for its start with the options it last had; does not wait for it.

        One that runs is no error. Raises Transient while it stops, Permanent for an unknown user.
        """
        ...


class HubApi:
    """`Hub` over JupyterHub's REST API.

    https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html
    """

    def __init__(self, config: HubConfig) -> None:
        self._config = config

    def running(self, user: str, server: str) -> Running:
        status, content = self._call("GET", f"/users/{quote(user, safe='')}", frozenset({404}))
        if status == 404:
            return "absent"
        servers: Mapping[str, Any] = json.loads(content).get("servers") or {}
        if server not in servers:
            return "absent"
        if servers[server]["pending"]:
            return "pending"
        return "ready" if servers[server]["ready"] else "absent"

    def stop(self, user: str, server: str) -> None:
        # 400: a start or stop is under way; 404: there is none to stop.
        self._call("DELETE", _path(user, server), also=frozenset({400, 404}))

    def start(self, user: str, server: str) -> None:
        # Without a body the hub takes the options it kept.
        status, _ = self._call("POST", _path(user, server), also=frozenset({400}))
        # 400: it runs already, or a stop is under way.
        if status == 400 and self.running(user, server) != "ready":
            raise Transient(f"the hub does not start {user}'s server {server!r} now")

    def _call(self, method: str, path: str, also: frozenset[int]) -> tuple[int, bytes]:
        """One call; its status and content. Raises Permanent for a status of 4xx not in `also`."""
        url = urlsplit(self._config.api_url)
        secure = url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(url.netloc, timeout=_TIMEOUT_S)
        headers = {"Authorization": f"token {self._token()}"}
        try:
            connection.request(method, url.path + path, headers=headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Transient(f"the hub does not answer: {error}") from error
        finally:
            connection.close()
        if status == 429 or status >= 500:
            raise Transient(f"the hub answers {method} {path} with {status}")
        if status >= 400 and status not in also:
            raise Permanent(f"the hub answers {method} {path} with {status}")
        return status, content

    def _token(self) -> str:
        try:
            return self._config.token_file.read_text().strip()
        except OSError as error:
            # The hub writes it when it starts for the first time.
            raise Transient(f"{self._config.token_file} cannot be read: {error}") from error


def _path(user: str, server: str) -> str:
    whose = f"/users/{quote(user, safe='')}"
    return f"{whose}/servers/{quote(server, safe='')}" if server else f"{whose}/server"
