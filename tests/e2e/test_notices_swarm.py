"""Only the student on a node that EC2 takes back is notified, before their server stops."""

import json
import time
from typing import Any

import pytest
import requests
from tests.e2e.conftest import LabUnderTest

from labswarm_lab.students import xsrf_of

# Bound in time by the request, so not for a machine that does other work too.
pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600), pytest.mark.deep]

STUDENTS = ("student-01", "student-02")
NOTIFIED_WITHIN_S = 20
BACK_WITHIN_S = 60


class Browser:
    """A browser in which a student has logged in and opened their own server."""

    def __init__(self, hub: str, student: str) -> None:
        self._session = requests.Session()
        self._hub = hub
        login = f"{hub}/hub/login"
        xsrf = xsrf_of(self._session.get(login, timeout=10).text)
        form = {"username": student, "password": "", "_xsrf": xsrf}
        self._session.post(login, form, timeout=10).raise_for_status()
        self._session.get(f"{hub}/user/{student}/lab", timeout=10).raise_for_status()

    def notice(self, student: str) -> tuple[int, Any]:
        """The answer of the student's server to this browser's open page."""
        at = f"{self._hub}/user/{student}/labswarm/notice?page=page-1"
        answer = self._session.get(at, timeout=10, allow_redirects=False)
        return answer.status_code, answer.json()["notice"] if answer.ok else None

    def has_saved(self, student: str, notice: dict[str, Any]) -> None:
        """Say that the open page has saved at a notice."""
        server = f"/user/{student}/"
        (xsrf,) = (c.value for c in self._session.cookies if (c.name, c.path) == ("_xsrf", server))
        name = f"{notice['kind']}.{notice['deadline']}.{notice['id']}"
        at = f"{self._hub}{server}labswarm/saved?page=page-1&notice={name}"
        self._session.post(at, headers={"X-XSRFToken": xsrf}, timeout=10).raise_for_status()


def test_students_are_notified_before_their_servers_stop_and_back_soon(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    attended = json.loads(lab.must("class", str(len(STUDENTS)), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * len(STUDENTS)
    lab.must("scale", "2")
    seen = lab.status()
    (full,) = (node for node in seen["nodes"] if node["seats_used"] == len(STUDENTS))
    browsers = {student: Browser(seen["hub"]["url"], student) for student in STUDENTS}
    for student, browser in browsers.items():
        assert browser.notice(student) == (200, None)

    lab.must("interrupt", full["instance_id"])
    warned = time.time()

    notified: dict[str, float] = {}
    while len(notified) < len(STUDENTS):
        assert time.time() < warned + NOTIFIED_WITHIN_S, notified
        for student, browser in browsers.items():
            status, notice = browser.notice(student)
            if student not in notified and notice:
                notified[student] = time.time() - warned
                assert (status, notice["kind"]) == (200, "interruption")
                # 40 s of the two minutes are for the steps after the students.
                assert notice["deadline"] == pytest.approx(warned + 80, abs=10)
    # Each server runs until its page has saved, or for 20 s.
    for student, browser in browsers.items():
        status, notice = browser.notice(student)
        assert status == 200
        browser.has_saved(student, notice)
    # Not notified, whether the other's server still runs or not.
    assert browsers[STUDENTS[0]].notice(STUDENTS[1])[0] in (403, 424)

    lab.eventually(
        "both are on another node",
        lambda seen: (
            sum(
                node["seats_used"] or 0
                for node in seen["nodes"]
                if node["instance_id"] != full["instance_id"]
            )
            == len(STUDENTS)
        ),
        within_s=BACK_WITHIN_S,
    )
    print({"notified": notified, "back": time.time() - warned})
    # It may end between the two looks.
    (interrupted,) = {
        *lab.executions("labswarm-spot-interruption", "RUNNING"),
        *lab.executions("labswarm-spot-interruption", "SUCCEEDED"),
    }
    entered = lab.states_entered(interrupted)
    warned_first = ["Claim", "Owned?", "Warn", "Replace", "Occupied?", "Evacuate"]
    assert entered[: len(warned_first)] == warned_first
