"""A class on a node that EC2 takes back: when all are notified and back, and the node forgotten."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from labswarm.homes import home_name
from labswarm_lab.lab import Lab
from labswarm_lab.students import student_names, xsrf_of
from labswarm_lab.swarm_seen import swarm_of
from labswarm_lab.timeline_events import timeline_events
from tests.e2e.conftest import LabUnderTest
from tests.support.labs import agreed

NOTICE_S = 120.0
"""From EC2's warning to its kill."""
TYPED_BEFORE_S = 1.0
_LOOK_S = 0.25


@dataclass
class Interruption:
    """The times of one interruption, in seconds from the warning; a missing student never reached
    that point.

    `lost` are the files whose content was another one, or none, at the end.
    """

    instance_id: str
    students: tuple[str, ...]
    notified: dict[str, float] = field(default_factory=dict)
    back: dict[str, float] = field(default_factory=dict)
    gone: float | None = None
    lost: list[str] = field(default_factory=list)

    def wrong(self, notified_within_s: float, back_within_s: float) -> list[str]:
        """A sentence for each promise that was not kept."""
        found = [f"{file} is not as it was saved" for file in self.lost]
        for what, seen, within in (
            ("notified", self.notified, notified_within_s),
            ("back", self.back, back_within_s),
        ):
            late = {s: seen.get(s) for s in self.students if seen.get(s, within + 1) > within}
            found += [f"{s} was {what} at {at} s, not within {within}" for s, at in late.items()]
        if self.gone is None or self.gone > NOTICE_S:
            found.append(f"the node was gone at {self.gone} s, not before the kill at {NOTICE_S}")
        return found


class Browser:
    """A browser in which a student has logged in and opened their own server."""

    def __init__(self, hub: str, student: str) -> None:
        self._session = requests.Session()
        self.student, self._hub, self._server = student, hub, f"{hub}/user/{student}"
        login = f"{hub}/hub/login"
        xsrf = xsrf_of(self._session.get(login, timeout=10).text)
        form = {"username": student, "password": "", "_xsrf": xsrf}
        self._session.post(login, form, timeout=10).raise_for_status()
        self.open()

    def open(self) -> None:
        """Open the page of their server."""
        self._session.get(f"{self._server}/lab", timeout=10).raise_for_status()

    def notice(self, of: str | None = None) -> tuple[int, Any]:
        """The answer of a student's server, by default their own, to this browser."""
        server = self._server.removesuffix(self.student) + (of or self.student)
        answer = self._session.get(f"{server}/labswarm/notice", timeout=10, allow_redirects=False)
        return answer.status_code, answer.json()["notice"] if answer.ok else None

    def answers(self) -> bool:
        """Whether their server answers any client; without one the hub redirects."""
        try:
            answer = self._session.get(f"{self._server}/api", timeout=5, allow_redirects=False)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def has_server(self) -> bool:
        """Ask for their server, as the page does when it is loaded again, and whether there is one.

        Students, too, reload a page that does not answer at once.
        """
        try:
            self._session.get(f"{self._hub}/hub/spawn", timeout=5)
        except requests.RequestException:
            return False
        return self.answers()

    def save(self, file: str, content: str) -> None:
        """Save a file, as the page does."""
        xsrf = next(
            cookie.value
            for cookie in self._session.cookies
            if cookie.name == "_xsrf" and cookie.path == f"/user/{self.student}/"
        )
        self._session.put(
            f"{self._server}/api/contents/{file}",
            json={"type": "file", "format": "text", "content": content},
            headers={"X-XSRFToken": str(xsrf)},
            timeout=10,
        ).raise_for_status()


def seated(lab: LabUnderTest, students: int) -> None:
    """A class sits on one of two workers, and the other is empty."""
    lab.must("scale", "1")
    attended = json.loads(lab.must("class", str(students), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * students, attended
    lab.must("scale", "2")


def full_node(lab: LabUnderTest, students: int) -> str:
    """The instance on which all `students` sit."""
    (full,) = (node for node in lab.status()["nodes"] if node["seats_used"] == students)
    return str(full["instance_id"])


def interrupted(lab: LabUnderTest, students: int, patience_s: float) -> Interruption:
    """EC2 warns of the node on which all `students` sit, 1 s after the last of them has saved what
    was typed; returns once all is over, or `patience_s` have passed."""
    status = lab.eventually("two workers are open", agreed(2), within_s=300)
    full = full_node(lab, students)
    names = student_names(students)
    browsers = [Browser(status["hub"]["url"], name) for name in names]
    homes = Path(status["homes"])
    browsers[-1].save("typed.txt", f"typed at {time.time()}\n" * 100)
    typed_at = time.monotonic()
    saved = dict(_hashes(homes, names))
    seen = Interruption(full, tuple(names))
    time.sleep(max(0.0, typed_at + TYPED_BEFORE_S - time.monotonic()))
    lab.must("interrupt", seen.instance_id)
    warned = time.monotonic() - (time.time() - _warned_at(lab, seen.instance_id))
    _watch(lab, seen, browsers, warned, patience_s)
    while seen.gone is None and time.monotonic() < warned + patience_s:
        if seen.instance_id not in {node["instance_id"] for node in lab.status()["nodes"]}:
            seen.gone = round(time.monotonic() - warned, 1)
    now = dict(_hashes(homes, names))
    seen.lost = sorted(file for file, digest in saved.items() if now.get(file) != digest)
    return seen


def _watch(
    lab: LabUnderTest,
    seen: Interruption,
    browsers: list[Browser],
    warned: float,
    patience_s: float,
) -> None:
    """Until each student is back on another node."""
    swarm = swarm_of(Lab.named(lab.name))
    lost = {node.node_id for node in swarm.nodes() if node.instance_id == seen.instance_id}
    waiting = list(browsers)
    while waiting and time.monotonic() < warned + patience_s:
        for browser in waiting:
            if browser.student not in seen.notified and (browser.notice()[1] or {}).get("kind"):
                seen.notified[browser.student] = round(time.monotonic() - warned, 1)
        elsewhere = {
            task.server.user
            for task in swarm.tasks()
            if task.node_id is not None and task.node_id not in lost
        }
        for browser in waiting:
            if browser.student in elsewhere and browser.answers():
                seen.back[browser.student] = round(time.monotonic() - warned, 1)
        waiting = [browser for browser in waiting if browser.student not in seen.back]
        time.sleep(_LOOK_S)


def _warned_at(lab: LabUnderTest, instance_id: str) -> float:
    """When EC2 warned (epoch seconds): the command takes a moment to begin and to end."""
    record = Lab.named(lab.name).emulator_dir / "record.jsonl"
    return max(
        one.at
        for one in timeline_events(record)
        if one.instance_id == instance_id and "EC2 sends a spot warning" in one.text
    )


def _hashes(homes: Path, students: list[str]) -> Iterator[tuple[str, str]]:
    for student in students:
        for file in sorted((homes / home_name(student)).glob("*.txt")):
            yield f"{student}/{file.name}", hashlib.sha256(file.read_bytes()).hexdigest()


def figures(seen: Interruption) -> Mapping[str, Any]:
    """One interruption as a line of figures: the slowest student of each."""
    return {
        "notified": max(seen.notified.values(), default=None),
        "back": max(seen.back.values(), default=None),
        "gone": seen.gone,
        "lost": len(seen.lost),
    }
