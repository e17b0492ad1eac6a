"""Calls to students' own servers (labswarm_notice), by the key that each of them has.

A server is called at its own address: a call through the proxy would count as the student's
activity. The answer comes from the student's own process, so it is short and follows no redirect.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

import aiohttp
from yarl import URL

from labswarm.errors import Gone, Kind, LabswarmError, Permanent, Transient
from labswarm.notices import Message, Notice, key_of
from labswarm_hub.names import service_name

PORT = 8888
# A server on a node that was killed answers nothing at all.
_PATIENCE_S = 2.0
_LONGEST_ANSWER = 200
# Calls at a time: a class has hundreds of servers.
_AT_A_TIME = 50

Server = Mapping[str, Any]
"""A server as the hub's API lists it: `GET /users/NAME` has it under `servers`."""


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
            status, content = await self._call("GET", server, "activity")
            return max(0.0, float(content)) if status == 200 else None
        except (Transient, ValueError):
            return None

    async def notify(self, server: Server, notice: Notice | Message) -> None:
        """Send a notice or a message to the server; it replaces the last one of its kind.

        Raises Gone when its image has no labswarm_notice, Transient when it does not answer, and
        Permanent when it refuses the notice.
        """
        status, _ = await self._call("POST", server, "notify", json.dumps(asdict(notice)))
        # Jupyter answers with these to an unknown path; a wrong key gives a 401.
        if status in (403, 404, 405):
            raise Gone(f"the server takes no notices ({status})")
        if status >= 300:
            raise (Transient if status >= 500 else Permanent)(f"the server answers {status}")

    async def notify_all(
        self, servers: Iterable[Server], notice: Notice | Message
    ) -> dict[tuple[str, str], Kind | None]:
        """Send it to each of the servers, and return the outcome by student and server name.

        The outcome is None for a server that took it, else the kind of error. No server delays
        another one; 350 servers that do not answer take 14 s.
        """
        free = asyncio.Semaphore(_AT_A_TIME)

        async def outcome(server: Server) -> Kind | None:
            async with free:
                try:
                    await self.notify(server, notice)
                except LabswarmError as error:
                    return error.kind
                return None

        asked = list(servers)
        outcomes = await asyncio.gather(*map(outcome, asked))
        return dict(zip(map(owner_of, asked), outcomes, strict=True))

    async def _call(
        self, method: str, server: Server, path: str, body: str | None = None
    ) -> tuple[int, bytes]:
        """Make one call; return status and content. Raises Transient without an answer."""
        user, name = owner_of(server)
        url = f"{self._address(user, name)}{server['url']}labswarm/{path}"
        headers = {"Authorization": f"labswarm {key_of(self._token, user, name)}"}
        timeout = aiohttp.ClientTimeout(_PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method,
                    URL(url, encoded=True),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
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
