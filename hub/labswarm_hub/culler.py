"""The culler: stops students' servers on which nobody works, and those that run for too long.

JupyterHub's idle culler does the work; the rule is ours. JupyterHub's own time of a server's last
activity counts each request, so that a page left open keeps its server for ever; and it counts no
silent computation. So each server is asked (labswarm_notice: `GET labswarm/activity`).
"""

import logging
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from jupyterhub_idle_culler import IdleCuller

from labswarm_hub.exams import key_in
from labswarm_hub.settings import HubSettings
from labswarm_hub.student_servers import HomeUse, Server, StudentServers, owner_of

# A server is asked for its home so often (s). The alarm of full homes counts the lines.
_HOME_EVERY_S = 600.0

_log = logging.getLogger(__name__)


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
        if key_in(server.get("user_options") or {}) is not None:
            # The exam's end stops it.
            return False
        here_s = self._now() - self._since
        if here_s < inactive_limit:
            return False
        idle_s = await self._idle_s(server)
        if idle_s is None:
            idle_s = inactive.total_seconds() if inactive else 0.0
        return min(idle_s, here_s) >= inactive_limit


class FullHomes:
    """Logs each home that has reached its size, while a server of its student runs.

    The culler comes by at each server anyway. Only the server knows its home's use.
    """

    def __init__(
        self,
        home_use: Callable[[Server], Awaitable[HomeUse | None]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home_use = home_use
        self._now = now
        self._asked_at: dict[str, float] = {}

    async def look(self, server: Server) -> None:
        """Ask the server, unless it was asked a short time ago, and log a full home."""
        url, now = str(server["url"]), self._now()
        if now - self._asked_at.get(url, -_HOME_EVERY_S) < _HOME_EVERY_S:
            return
        self._asked_at[url] = now
        use = await self._home_use(server)
        if use is not None and use.used >= use.capacity:
            student, _ = owner_of(server)
            _log.warning(
                "The home of %r is full: %d MB of %d MB",
                *(student, use.used // 2**20, use.capacity // 2**20),
            )


def culler(settings: HubSettings) -> Any:
    """Return the idle culler with the settings' times and our rule."""
    servers = StudentServers(settings.manager_token_file.read_text().strip())
    idle, homes = Idle(servers.idle_s), FullHomes(servers.home_use)

    async def to_stop(*, server: Server, **given: Any) -> bool:
        if settings.home_bytes is not None:
            await homes.look(server)
        return await idle(server=server, **given)

    return IdleCuller(
        timeout=settings.idle_timeout_s,
        # A student counts down to the stop.
        cull_every=max(5, min(60, settings.idle_timeout_s // 10)),
        max_age=settings.longest_server_s,
        cull_arbiter_hook=to_stop,
        config_file="",
    )


def main() -> None:
    """Entry point: cull for ever. Raises BadInput when the hub's settings are wrong."""
    culler(HubSettings.read(Path(os.environ["LABSWARM_HUB_CONFIG"]))).start()


if __name__ == "__main__":
    main()
