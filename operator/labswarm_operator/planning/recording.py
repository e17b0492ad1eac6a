"""A class that was: when its students came and how long they waited; from a hub's log or a CSV."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from labswarm.planning.answer import Waits
from labswarm_operator.refusal import Refusal

# JupyterHub's own line at the end of a start, in its own time zone:
# https://github.com/jupyterhub/jupyterhub/blob/main/jupyterhub/handlers/base.py
_STARTED = re.compile(
    r"\[. (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) JupyterHub [^\]]*\](?:\x1b\[[0-9;]*m)? "
    r"User \S+ took ([\d.]+) seconds to start"
)
_COLUMNS = ("arrived", "wait_s")


@dataclass(frozen=True)
class Recording:
    """The starts of a class: each student's click (epoch seconds), and the wait (seconds)."""

    arrived: tuple[float, ...]
    waits_s: tuple[float, ...]

    def within(self, starts: float | None, lasts_s: float) -> "Recording":
        """Return the starts from `starts` (epoch seconds; None: the first click) on, for so long.

        Raises Refusal where there is none.
        """
        begins = min(self.arrived) if starts is None else starts
        kept = [
            (at, wait)
            for at, wait in zip(self.arrived, self.waits_s, strict=True)
            if begins <= at < begins + lasts_s
        ]
        if not kept:
            first, last = (datetime.fromtimestamp(f(self.arrived)) for f in (min, max))
            raise Refusal(
                f"--at: No start was recorded then; those of the file are from "
                f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}."
            )
        return Recording(tuple(at for at, _ in kept), tuple(wait for _, wait in kept))

    def offsets_s(self, starts: float) -> tuple[float, ...]:
        """The clicks as seconds after `starts`, in order."""
        return tuple(sorted(at - starts for at in self.arrived))

    @property
    def waits(self) -> Waits:
        """The recorded waits."""
        return Waits.of(self.waits_s)


def read_recording(file: Path) -> Recording:
    """Read a hub's log, or a table (CSV) with the columns arrived and wait_s.

    Raises Refusal for a file that cannot be read or that holds no start, naming a wrong line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise Refusal(
            f"--replay: {file} cannot be read ({error.strerror}). Name a readable file."
        ) from error
    table = text.partition("\n")[0].replace(" ", "").strip().split(",") == list(_COLUMNS)
    starts = list(_of_table(text, file) if table else _of_log(text))
    if not starts:
        raise Refusal(
            f"--replay: {file} has no start of a server. Give the hub's log, or a CSV whose first "
            f"line is {','.join(_COLUMNS)}."
        )
    return Recording(tuple(at for at, _ in starts), tuple(wait for _, wait in starts))


def _of_log(text: str) -> Iterator[tuple[float, float]]:
    for ended, wait in _STARTED.findall(text):
        yield datetime.fromisoformat(ended).timestamp() - float(wait), float(wait)


def _of_table(text: str, file: Path) -> Iterator[tuple[float, float]]:
    for number, row in enumerate(csv.DictReader(text.splitlines(), _COLUMNS), 1):
        if number == 1:
            continue
        try:
            wait_s = float(row["wait_s"])
            at = datetime.fromisoformat(row["arrived"].strip()).timestamp()
        except (AttributeError, TypeError, ValueError) as error:
            raise Refusal(_wrong(number, file)) from error
        if not 0 <= wait_s < 86_400:
            raise Refusal(_wrong(number, file))
        yield at, wait_s


def _wrong(number: int, file: Path) -> str:
    return (
        f"--replay: line {number} of {file} is no start; write a time and the seconds of the wait, "
        "like 2026-12-08T14:00:05,4.2."
    )
