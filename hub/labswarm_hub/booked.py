"""The booked labs of the hub's groups, from the page for instructors."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from labswarm.errors import BadInput
from labswarm.lab_hours.group_labs import GroupLab, key_of_labs, parsed
from labswarm_hub.settings import HubSettings

PATH = "/services/labs/groups.json"
KEPT_S = 20.0
"""How long an answer counts before the page is asked again (seconds)."""
_PATIENCE_S = 2.0

log = logging.getLogger(__name__)


class BookedLabs:
    """Asks the page for the labs of yesterday to tomorrow, and keeps its last answer in a file: the
    page and the hub restart by themselves, and an exam goes on in the meantime."""

    def __init__(
        self, url: str, key: str, file: Path, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._key = key
        self._file = file
        self._now = now
        self._asked_at = -KEPT_S
        self._labs: tuple[GroupLab, ...] | None = None
        self._asking = asyncio.Lock()

    @classmethod
    def of(cls, settings: HubSettings) -> "BookedLabs | None":
        """Return those of a hub; None for a hub without the page."""
        if settings.labs is None:
            return None
        key = key_of_labs(settings.labs.token_file.read_text().strip(), settings.cluster)
        return cls(f"{settings.labs.url}{PATH}", key, settings.data_dir / "booked-labs.json")

    async def labs(self) -> tuple[GroupLab, ...]:
        """Return the labs by the last answer of the page."""
        async with self._asking:
            if self._labs is None:
                self._labs = self._kept()
            if self._now() - self._asked_at >= KEPT_S:
                self._asked_at = self._now()
                await self._ask()
            return self._labs

    async def _ask(self) -> None:
        headers = {"Authorization": f"labswarm {self._key}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_PATIENCE_S)) as session,
                session.get(self._url, headers=headers, allow_redirects=False) as answer,
            ):
                answer.raise_for_status()
                text = await answer.text()
            self._labs = parsed(text)
        except (aiohttp.ClientError, TimeoutError, BadInput) as error:
            log.warning("the booked labs are those of the last answer: %r", error)
            return
        self._keep(text)

    def _kept(self) -> tuple[GroupLab, ...]:
        try:
            return parsed(self._file.read_text())
        except (OSError, BadInput):
            return ()

    def _keep(self, text: str) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(text)
        new.replace(self._file)
