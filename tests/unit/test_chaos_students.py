"""A student of a run at a hub that may lose the server: comes, saves, comes again, leaves."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.chaos import students
from tests.chaos.notebook import Notebook
from tests.chaos.students import Student

NAME = "w01"
WITHIN_S = 20
FOR_EVER = (1e6, 1e6)


class Hub(ThreadingHTTPServer):
    """As much of a hub, and of one student's server, as a browser meets."""

    def __init__(self, homes: Path) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.homes, self.runs, self.starts, self.stops = homes, False, 0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Page(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None:
        """Not into the test's output."""

    def do_GET(self) -> None:
        if self.path == "/hub/login":
            return self.reply(200, body='<form><input name="_xsrf" value="x"></form>')
        if self.path == "/hub/spawn":
            if "known=1" not in self.headers.get("Cookie", ""):
                return self.reply(302, Location="/hub/login")
            self.server.starts += not self.server.runs
            self.server.runs = True
            return self.reply(302, Location=f"/user/{NAME}/lab")
        return self.reply(200 if self.server.runs else 424, cookie=f"_xsrf=u; Path=/user/{NAME}/")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        for cookie in ("known=1; Path=/", "_xsrf=h; Path=/hub/"):
            self.send_header("Set-Cookie", cookie)
        self.send_header("Location", "/hub/spawn")
        self.end_headers()

    def do_PUT(self) -> None:
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.runs or self.headers.get("X-XSRFToken") != "u":
            return self.reply(424)
        file = self.server.homes / NAME / self.path.rpartition("/")[2]
        file.parent.mkdir(exist_ok=True)
        file.write_text(model["content"])
        return self.reply(201)

    def do_DELETE(self) -> None:
        if self.headers.get("X-XSRFToken") != "h":
            return self.reply(403)
        self.server.stops, self.server.runs = self.server.stops + 1, False
        return self.reply(204)

    def reply(self, code: int, body: str = "", cookie: str = "", **headers: str) -> None:
        self.send_response(code)
        for name, value in {**headers, **({"Set-Cookie": cookie} if cookie else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture
def student(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Student]:
    for name in ("IS_AWAY_S", "TYPES_S"):
        monkeypatch.setattr(students, name, (0.0, 0.01))
    monkeypatch.setattr(students, "_LOOK_S", 0.01)
    closing, over = threading.Event(), threading.Event()
    one = Student(NAME, hub.url, 1, Notebook(hub.homes), closing, over)
    yield one
    closing.set()
    over.set()
    if one.ident is not None:
        one.join(WITHIN_S)


def eventually(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {what}"
        time.sleep(0.01)


def end(student: Student) -> None:
    student._closing.set()
    student._over.set()
    student.join(WITHIN_S)
    assert not student.is_alive()
    assert student.failed == ""


def test_one_whose_server_is_lost_asks_for_it_again_and_goes_on_saving(
    student: Student, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(students, "STAYS_S", FOR_EVER)
    student.start()
    eventually(lambda: student._notebook.saves > 3, "some saves")
    hub.runs = False
    eventually(lambda: hub.starts == 2, "another start")
    before = student._notebook.saves
    eventually(lambda: student._notebook.saves > before, "another save")
    end(student)
    assert (student.served, student.waits_since) == (1, None)
    assert student._notebook.lost() == []
    # A student who is there at the end leaves the server as it is.
    assert (hub.stops, hub.runs) == (0, True)


def test_a_student_who_leaves_may_stop_the_server_and_comes_again(
    student: Student, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(students, "STAYS_S", (0.0, 0.02))
    monkeypatch.setattr(students, "LOGS_OUT", 1.0)
    student.start()
    eventually(lambda: student.served > 2, "three visits")
    end(student)
    assert hub.stops >= 2
    assert hub.starts >= 3
    # Each time it is kept when that was, until there is a server again.
    assert len(student.leaves) == hub.stops
    assert all(a.since < a.until < b.since for a, b in pairwise(student.leaves))
    assert student._notebook.lost() == []


def test_a_student_who_comes_at_the_end_saves_a_file_or_reports_the_reason(
    student: Student, hub: Hub
) -> None:
    assert student.saves_again() == ""
    assert student._notebook.files == 1
    assert student._notebook.lost() == []

    hub.shutdown()
    hub.server_close()
    assert student.saves_again() == "GET /hub/spawn: ConnectionError"
