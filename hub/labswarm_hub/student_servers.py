"""Calls to students' own servers (labswarm_notice), by the key that each of them has.

A server is called at its own address: a call through the proxy would count as the student's
activity. The answer comes from the student's own process, so it is short and follows no redirect.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import aiohttp
from yarl import URL

from labswarm.errors import Transient
from labswarm.notices import key_of
from labswarm_hub.names import service_name

PORT = 8888
# A server on a node that was killed answers nothing at all.
_PATIENCE_S = 2.0
_LONGEST_ANSWER = 200

Server = Mapping[str, Any]
"""A server as the hub's API lists it: `GET /users/NAME` has it under `servers`."""


@dataclass(frozen=True)
class HomeUse:
    """The bytes that a home has, and those that it may have."""

    used: int
    capacity: int


class StudentServers:
    """Calls students' servers.

    `token` is labswarm-manager's: each server's notice key is derived from it.
    """

    def __init__(self, token: str, address: Callable[[str, str], str] | None = None) -> None:
        self._token = token
        self._address = address or service_address

    async def idle_s(self, server: Server) -> float | None:
        """Return the seconds since somebody worked on the server, None without an answer."""
        try:
            status, content = await self._get(server, "activity")
            return max(0.0, float(content)) if status == 200 else None
        except (Transient, ValueError):
            return None

    async def home_use(self, server: Server) -> HomeUse | None:
        """Return the use of the student's home, None if the server does not know it."""
        try:
            status, content = await self._get(server, "home")
            said = json.loads(content) if status == 200 else {}
            return HomeUse(int(said["used"]), int(said["capacity"]))
        except (Transient, ValueError, KeyError, TypeError):
            return None

    async def _get(self, server: Server, path: str) -> tuple[int, bytes]:
        """Make one call; return status and content. Raises Transient without an answer."""
        user, name = owner_of(server)
        url = f"{self._address(user, name)}{server['url']}labswarm/{path}"
        headers = {"Authorization": f"labswarm {key_of(self._token, user, name)}"}
        timeout = aiohttp.ClientTimeout(_PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(
                    URL(url, encoded=True), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return answer.status, await answer.content.read(_LONGEST_ANSWER)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Transient(f"the server does not answer: {error!r}") from error


def owner_of(server: Server) -> tuple[str, str]:
    """Return the student's name, from the server's URL (`/user/<name, quoted>/...`), and the name
    of the server; that of the default one is empty.
    """
    student = unquote(str(server["url"]).partition("/user/")[2].partition("/")[0])
    return student, str(server.get("name") or "")


def service_address(user: str, name: str) -> str:
    """Return the address of a student's server on the hub's own network, by its Swarm service."""
    return f"http://{service_name(user, name)}:{PORT}"
