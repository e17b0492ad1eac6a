"""Read a feed in a process of its own, which can be ended: however a library loops over hostile
input, its caller has an answer in bounded time."""

import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from labswarm.errors import BadInput
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.timetable import Ending, Timetable, read_timetable

LIMIT_S = 15.0
"""When the reading of a feed is ended (seconds). The reader itself names the events that it has no
time for, before that (`timetable.BUDGET_S`)."""
_REMEDY = "give a feed of the labs only"
# Forked: the libraries take longer to import than most feeds to read.
_FORK = multiprocessing.get_context("fork")


class Overran(BadInput):
    """A feed could not be read in the time or memory there is, and its reading was ended."""


class Reading:
    """The reading of a feed in its own process, from its construction on.

    `read` reads the feed; a test gives one that does not end.
    """

    def __init__(
        self,
        text: str,
        cluster: str,
        now: float,
        most_seats: int | None = None,
        read: Callable[[str, str, float, int | None], Timetable] = read_timetable,
    ) -> None:
        self._answers, answer = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(
            target=_answer, args=(answer, read, (text, cluster, now, most_seats)), daemon=True
        )
        self._begun = time.monotonic()
        self._process.start()
        answer.close()

    def timetable(self, within_s: float = LIMIT_S) -> Timetable:
        """Return the timetable. Raises BadInput as read_timetable does, and Overran when that took
        over `within_s` seconds from its beginning, or ended its process."""
        try:
            left_s = within_s - (time.monotonic() - self._begun)
            if not self._answers.poll(max(0.0, left_s)):
                raise Overran("timetable", f"took over {within_s:g} s to read; {_REMEDY}")
            answer = json.loads(self._answers.recv_bytes())
        except EOFError as error:
            raise Overran("timetable", f"ended the process that read it; {_REMEDY}") from error
        finally:
            self._process.kill()
            self._process.join()
            self._answers.close()
        if "refused" in answer:
            raise BadInput("timetable", answer["refused"])
        return _timetable(answer)


def read_bounded(text: str, cluster: str, now: float, most_seats: int | None = None) -> Timetable:
    """Do the same as read_timetable, in bounded time."""
    return Reading(text, cluster, now, most_seats).timetable()


def _answer(
    to: "Connection[Any, Any]",
    read: Callable[[str, str, float, int | None], Timetable],
    given: tuple[str, str, float, int | None],
) -> None:
    try:
        answer = asdict(read(*given))
    except BadInput as bad:
        answer = {"refused": str(bad).removeprefix(f"{bad.field}: ")}
    to.send_bytes(json.dumps(answer).encode())


def _timetable(answer: dict[str, Any]) -> Timetable:
    return Timetable(
        bookings=tuple(Booking(**booking) for booking in answer["bookings"]),
        problems=tuple(answer["problems"]),
        warnings=tuple(answer["warnings"]),
        endings={Ending(name): count for name, count in answer["endings"].items()},
    )
