"""The end of an exam: its servers stop, and each student's files are copied to the home of the
person who booked it, with their hashes.

A service of the hub, in the hub's own container: only there are the homes.
"""

import asyncio
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from labswarm.homes import escaped, home_name
from labswarm_hub.booked import BookedLabs
from labswarm_hub.copying import copied
from labswarm_hub.exams import Record, Records, key_in
from labswarm_hub.homes import EXAMS, GID, UID, make_home, new_folder
from labswarm_hub.settings import HubSettings

HASHES = "sha256.json"
_LOOK_S = 15.0
_PAGE = 200
_PATIENCE_S = 10.0
_FILE_NAME = 100

log = logging.getLogger("labswarm-exams")


class Servers:
    """The part of the hub's API that ends an exam's servers. Its methods raise aiohttp's errors."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api_url = api_url
        self._headers = {"Authorization": f"token {token}"}

    async def of_exam(self, key: str) -> list[tuple[str, str]]:
        """Return the servers of an exam, by student and name."""
        return [
            (str(user["name"]), str(name))
            for user in await self._active()
            for name, server in user["servers"].items()
            if key_in(server.get("user_options") or {}) == key
        ]

    async def stop(self, user: str, name: str) -> None:
        """Ask for a server's end, without waiting for it."""
        where = f"servers/{quote(name, safe='')}" if name else "server"
        async with (
            self._session() as session,
            session.delete(f"{self._api_url}/users/{quote(user, safe='')}/{where}") as answer,
        ):
            if answer.status != 404:
                answer.raise_for_status()

    async def _active(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with self._session() as session:
            while True:
                query = f"state=active&limit={_PAGE}&offset={len(found)}"
                async with session.get(f"{self._api_url}/users?{query}") as answer:
                    answer.raise_for_status()
                    page = await answer.json()
                found += page
                if len(page) < _PAGE:
                    return found

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(_PATIENCE_S)
        )


class ExamCopies:
    """Ends the exams that are over, one step at each look."""

    def __init__(
        self, settings: HubSettings, records: Records, servers: Servers, labs: BookedLabs
    ) -> None:
        self._settings = settings
        self._records = records
        self._servers = servers
        self._labs = labs

    async def look(self, now: float) -> None:
        """End the exams that are over at `now` (epoch seconds). A failure is logged, for the alarm,
        and the next look tries again."""
        known = {lab.key: lab for lab in await self._labs.labs()}
        for record in self._records.over(now):
            lab = known.get(record.lab.key)
            if lab is not None and lab.ends > now:  # it was extended
                continue
            try:
                await self._end(record)
            except (aiohttp.ClientError, TimeoutError, OSError):
                log.exception("Exam at risk: %s is not copied yet", record.lab.key)

    async def _end(self, record: Record) -> None:
        there = await self._servers.of_exam(record.lab.key)
        if there:
            log.info("%s is over: %d servers stop", record.lab.key, len(there))
            for user, name in there:
                await self._servers.stop(user, name)
            return
        where, files = await asyncio.to_thread(copy_all, self._settings.homes, record)
        self._records.close(record)
        log.info("%s is copied to %s: %d files", record.lab.key, where, files)


def copy_all(homes: Path, record: Record) -> tuple[Path, int]:
    """Copy the exam's homes into a new folder in the home of the person who booked it, and write
    the hashes next to them; return the folder, and the number of files. Raises OSError."""
    lab = record.lab
    home = homes / home_name(lab.by)
    make_home(home)
    opened = os.open(home, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        name = new_folder(opened, f"exam-{escaped(lab.title)[:_FILE_NAME]}-{lab.key}")
        folder = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
        try:
            hashes = {
                each.name: copied(each, folder, each.name)
                for each in sorted((homes / EXAMS / lab.key).iterdir())
            }
            _write_hashes(folder, hashes)
            os.fchown(folder, UID, GID)
        finally:
            os.close(folder)
    finally:
        os.close(opened)
    return home / name, sum(len(files) for files in hashes.values())


def _write_hashes(folder: int, hashes: dict[str, dict[str, str]]) -> None:
    opened = os.open(HASHES, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600, dir_fd=folder)
    with os.fdopen(opened, "w") as file:
        json.dump(hashes, file, indent=1)
        os.fchown(file.fileno(), UID, GID)


async def run(settings: HubSettings) -> None:
    """Look every few seconds, for ever."""
    labs = BookedLabs.of(settings)
    if labs is None:
        return
    servers = Servers(os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"])
    copies = ExamCopies(settings, Records(settings.data_dir / "exams"), servers, labs)
    while True:
        try:
            await copies.look(time.time())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("no look at the exams: %r", error)
        await asyncio.sleep(_LOOK_S)


def main() -> None:
    """Entry point. Raises BadInput when the hub's settings are wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    asyncio.run(run(HubSettings.read(Path(os.environ["LABSWARM_HUB_CONFIG"]))))


if __name__ == "__main__":
    main()
