"""The live classes: one look at the hub and at AWS for all pages that watch a class."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from labswarm.errors import LabswarmError

LOOK_S = 3.0
KEPT_ALIVE_S = 15.0

log = logging.getLogger("labswarm-labs")


@dataclass
class _Watched:
    """A class that somebody watches: the last look, and how many watch."""

    text: str = ""
    number: int = 0
    watchers: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class Watching:
    """Looks at each class that is watched, every few seconds, and at no other.

    `look` returns a class as text; a look that fails keeps the last one.
    """

    def __init__(self, look: Callable[[str], Awaitable[str]], every_s: float = LOOK_S) -> None:
        self._look = look
        self._every_s = every_s
        self._watched: dict[str, _Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def watch(self, group: str) -> AsyncGenerator[str | None, None]:
        """Yield the class now, and again whenever it has changed; None every 15 s without news."""
        if group not in self._watched:
            self._watched[group] = _Watched()
            task = asyncio.create_task(self._keep_looking(group, self._watched[group]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        watched = self._watched[group]
        watched.watchers += 1
        seen = 0
        try:
            while True:
                if watched.number == seen:
                    try:
                        async with asyncio.timeout(KEPT_ALIVE_S), watched.news:
                            await watched.news.wait()
                    except TimeoutError:
                        yield None
                        continue
                seen = watched.number
                yield watched.text
        finally:
            watched.watchers -= 1

    async def _keep_looking(self, group: str, watched: _Watched) -> None:
        while watched.watchers or not watched.number:
            try:
                text = await self._look(group)
            except LabswarmError as error:
                log.warning("the class of %s is not seen: %s", group, error)
                # Its page says how old the last look is.
                text = watched.text
            if text != watched.text or not watched.number:
                async with watched.news:
                    watched.text, watched.number = text, watched.number + 1
                    watched.news.notify_all()
            await asyncio.sleep(self._every_s)
        del self._watched[group]
