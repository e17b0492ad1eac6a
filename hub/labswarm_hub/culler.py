"""The culler: stops students' servers on which nobody works, and those that run for too long.

JupyterHub's idle culler does the work; the rule is ours. JupyterHub's own time of a server's last
activity counts each request, so that a page left open keeps its server for ever; and it counts no
silent computation. So each server is asked (labswarm_notice: `GET labswarm/activity`).
"""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
from jupyterhub_idle_culler import IdleCuller
from yarl import URL

from labswarm.notices import key_of
from labswarm_hub.names import service_name
from labswarm_hub.settings import HubSettings

PORT = 8888
# A server on a node that was killed answers nothing at all.
_PATIENCE_S = 2.0
_LONGEST_ANSWER = 200

Server = Mapping[str, Any]
"""A server as the hub's API lists it."""


class Idle:
    """Decides whether nobody works on a server: the idle culler's `cull_arbiter_hook`.

    `idle_s` returns the seconds since somebody worked on a server, None without an answer.
    Nobody could work before the hub was there, so no server is idle for longer than the hub runs.
    """

    def __init__(
        self,
        idle_s: Callable[[Server], Awaitable[float | None]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_s = idle_s
        self._now = now
        self._since = now()

    async def __call__(
        self, *, inactive: timedelta | None, inactive_limit: float, server: Server, **_: Any
    ) -> bool:
        """Return whether to stop the server; `inactive` is JupyterHub's time since its activity.

        That time counts for a server that does not answer: its image has no Jupyter Server.
        """
        here_s = self._now() - self._since
        if here_s < inactive_limit:
            return False
        idle_s = await self._idle_s(server)
        if idle_s is None:
            idle_s = inactive.total_seconds() if inactive else 0.0
        return min(idle_s, here_s) >= inactive_limit


class Asked:
    """Asks students' servers how long nobody has worked on them.

    `token` is labswarm-manager's: each server's notice key is derived from it. A server is asked at
    its own address: a question through the proxy would count as the student's activity.
    """

    def __init__(self, token: str, address: Callable[[str, str], str]) -> None:
        self._token = token
        self._address = address

    async def idle_s(self, server: Server) -> float | None:
        """Return the seconds since somebody worked on the server, None without an answer.

        The answer comes from the student's own process: it follows no redirect and is short.
        """
        user, name = student_of(server), str(server.get("name") or "")
        url = f"{self._address(user, name)}{server['url']}labswarm/activity"
        headers = {"Authorization": f"labswarm {key_of(self._token, user, name)}"}
        timeout = aiohttp.ClientTimeout(_PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(
                    URL(url, encoded=True), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return _seconds(await answer.content.read(_LONGEST_ANSWER), answer.status)
        except (aiohttp.ClientError, TimeoutError):
            return None


def student_of(server: Server) -> str:
    """Return the student's name, from the server's URL: `/user/<name, quoted>/...`."""
    return unquote(str(server["url"]).partition("/user/")[2].partition("/")[0])


def service_address(user: str, name: str) -> str:
    """Return the address of a student's server on the hub's own network, by its Swarm service."""
    return f"http://{service_name(user, name)}:{PORT}"


def _seconds(content: bytes, status: int) -> float | None:
    try:
        return max(0.0, float(content)) if status == 200 else None
    except ValueError:
        return None


def culler(settings: HubSettings) -> Any:
    """Return the idle culler with the settings' times and our rule."""
    token = settings.manager_token_file.read_text().strip()
    return IdleCuller(
        timeout=settings.idle_timeout_s,
        # A student counts down to the stop.
        cull_every=max(5, min(60, settings.idle_timeout_s // 10)),
        max_age=settings.longest_server_s,
        cull_arbiter_hook=Idle(Asked(token, service_address).idle_s),
        config_file="",
    )


def main() -> None:
    """Entry point: cull for ever. Raises BadInput when the hub's settings are wrong."""
    culler(HubSettings.read(Path(os.environ["LABSWARM_HUB_CONFIG"]))).start()


if __name__ == "__main__":
    main()
