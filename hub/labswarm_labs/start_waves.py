"""The loop of the warm-up: reads the bookings, and starts each wave through the hub."""

import asyncio
import logging
from typing import Any

from labswarm.errors import LabswarmError
from labswarm.lab_hours.group_labs import GroupLab
from labswarm_labs.classes import Classes
from labswarm_labs.hub import Hub
from labswarm_labs.service import Labs
from labswarm_labs.warm_up import (
    LOOK_S,
    Warming,
    Waves,
    exams_on,
    foreign_servers,
    warming,
)

log = logging.getLogger("labswarm-labs")


class WarmUp:
    """Starts the servers of booked classes before their bell."""

    def __init__(self, labs: Labs, classes: Classes, hub: Hub) -> None:
        self._labs = labs
        self._classes = classes
        self._hub = hub
        self._waves = Waves()

    async def run(self) -> None:
        """Look every few seconds, for ever. A look that fails is logged; the next one goes on."""
        while True:
            try:
                await self.look()
            except LabswarmError as error:
                log.warning("no wave of servers was started: %s", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Start the servers that are due now. Raises the errors of the hub and of AWS by kind."""
        now = self._labs.now()
        self._waves.forget(now)
        bookings = await asyncio.to_thread(self._labs.bookings)
        due, exams = warming(bookings, now), exams_on(bookings, now)
        if not due and not exams:
            return
        users = await self._hub.active()
        for exam in exams:
            await self._end_foreign(exam, users)
        if not due:
            return
        free = await self._classes.free_seats()
        active = {str(user["name"]) for user in users}
        for lab in due:
            free -= await self._start(lab, active, free)

    async def _end_foreign(self, exam: GroupLab, users: list[dict[str, Any]]) -> None:
        """Stop the servers of an exam's students that were started before it."""
        names = foreign_servers(exam, await self._hub.members(exam.group), users)
        failed = await self._hub.stop_all(names)
        if names:
            log.info("%d servers stop before the exam %r", len(names), exam.title)
        for name in failed:
            log.error("Exam at risk: %s: the server of %s did not stop", exam.key, name)

    async def _start(self, lab: Warming, active: set[str], free: int) -> int:
        """Start a wave of one lab; return how many."""
        group = lab.booking.group or ""
        wave = self._waves.next(lab, await self._hub.members(group), active, free)
        for outcome, name in zip(
            await asyncio.gather(
                *(self._hub.start(name, lab.booking.profile) for name in wave),
                return_exceptions=True,
            ),
            wave,
            strict=True,
        ):
            if isinstance(outcome, BaseException):
                log.warning("the server of %s was not started: %s", name, outcome)
        if wave:
            log.info("%d servers of %s start before %r", len(wave), group, lab.booking.title)
        return len(wave)
