"""The hub's log of each server: the place of its start, and the cause of its end."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_STAMP = re.compile(r"\[[A-Z] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) JupyterHub [^\]]*\] (.*)")
_PLACED = re.compile(r"Starting (\S+) on \S+ \((\w+)\)")
_OPENED = re.compile(r"User (\w+) took \S+ seconds to start")
_KEPT = re.compile(r"(\w+) still running")
_ASKED = re.compile(r"20[24] DELETE /hub/api/users/(\w+)/server\S* \(([^@)]+)@")
_STOPPED = re.compile(r"User (\w+) server took \S+ seconds to stop")
_DIED = re.compile(r"The server (\S+) has ended: (.*)")
_DOWN = re.compile(r"(\w+) appears to have stopped while the Hub was down")
_NOT_REACHED = re.compile(r"(\w+) does not appear to be running at \S+, shutting it down")

_SAME_STOP_S = 60.0
"""A stop's request is logged when it is answered: before the stop or after it, within this."""


@dataclass(frozen=True)
class Ending:
    """A server that was open, of a student, and is not any more since `at` (epoch seconds).

    `node_id` is where it was, `who` asked for it (a student, labswarm-manager), or empty: it died,
    as `why` says.
    """

    student: str
    at: float
    node_id: str | None
    who: str
    why: str


def stamped(lines: Iterable[str]) -> list[tuple[float, str]]:
    """The messages with their times (epoch seconds), in order, each once."""
    found = {match.groups() for line in lines if (match := _STAMP.search(line))}
    return sorted((_seconds(at), message) for at, message in found)


def endings(lines: Iterable[str], students: Mapping[str, str]) -> list[Ending]:
    """Every ending of an open server; `students` are their names by their services'."""
    log = stamped(lines)
    asked = [(at, m[1], m[2]) for at, text in log if (m := _ASKED.search(text))]
    nodes: dict[str, str] = {}
    opened: set[str] = set()
    found = []
    for at, text in log:
        if match := _PLACED.search(text):
            nodes[students.get(match[1], match[1])] = match[2]
        elif match := _OPENED.search(text) or _KEPT.search(text):
            opened.add(match[1])
        else:
            student, who, why = _ended(text, at, asked, students)
            if student in opened:
                opened.discard(student)
                found.append(Ending(student, at, nodes.get(student), who, why))
    return found


def _ended(
    text: str, at: float, asked: Iterable[tuple[float, str, str]], students: Mapping[str, str]
) -> tuple[str, str, str]:
    """Whose server ended by this message, who asked for it, and why; no student: nobody's."""
    if match := _STOPPED.search(text):
        student = match[1]
        near = [(abs(t - at), who) for t, of, who in asked if of == student]
        gap, who = min(near, default=(_SAME_STOP_S, ""))
        return student, who if gap < _SAME_STOP_S else "", "it was stopped"
    if match := _DIED.search(text):
        return students.get(match[1], match[1]), "", match[2]
    if match := _DOWN.search(text) or _NOT_REACHED.search(text):
        return match[1], "", text
    return "", "", ""


def _seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()
