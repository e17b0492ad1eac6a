"""A student's server with a class's files: it starts with a full home and has a class's tools."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from tests.support.lone_server import STUDENT, lone_server
from tests.support.running_emulator import eventually
from tests.support.student_page import notebook

from labswarm.notices import Message, Notice, key_of
from labswarm_lab.nodes.cookbooks import CLASS_FILES
from labswarm_node.config import HubConfig
from labswarm_node.hub import HubApi
from labswarm_node.notifying import send

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a full home skipped: not root")


SESSION = {"name": "", "path": "work.ipynb", "type": "notebook", "kernel": {"name": "python3"}}


class Server:
    """A student's own requests."""

    def __init__(self, site: str) -> None:
        self.url = f"{site}/user/{STUDENT}"
        self._session = requests.Session()
        self._session.get(f"{self.url}/lab", timeout=60).raise_for_status()
        self._session.headers["X-XSRFToken"] = self._session.cookies["_xsrf"]

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self._session.request(method, f"{self.url}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose student has no room left in the home, with a limit of 512 MB."""
    folder = tmp_path_factory.mktemp("full")
    home = folder / "home"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "full", home], check=True)
    try:
        with suppress(OSError):
            (home / "everything").write_bytes(bytes(2**21))
        with lone_server(folder, {"MEM_LIMIT": str(512 * 2**20), "PATH": "/usr/bin:/bin"}) as lone:
            yield Server(lone.site)
    finally:
        subprocess.run(["umount", home], check=True)


def test_a_server_starts_with_a_full_home_and_says_so(server: Server) -> None:
    notice = server.call("GET", "labswarm/notice")["notice"]
    assert (notice["kind"], notice["deadline"]) == ("home", None)
    assert notice["message"].startswith("Your home has 0 MB left of 1 MB.")


async def typed(server: Server, line: str, until: str) -> str:
    """Type a line in a new terminal; return its output up to a text."""
    name = server.call("POST", "api/terminals")["name"]
    address = f"{server.url}/terminals/websocket/{name}"
    shown = ""
    async with (
        asyncio.timeout(60),
        aiohttp.ClientSession(headers={"Cookie": server.cookies}) as session,
        session.ws_connect(address) as terminal,
    ):
        await terminal.send_json(["stdin", f"{line}\r"])
        while until not in shown:
            kind, *said = await terminal.receive_json()
            shown += said[0] if kind == "stdout" else ""
    return shown


def test_a_terminal_is_a_bash_that_finds_jupyter_and_pip(server: Server) -> None:
    line = "command -v jupyter pip; echo ${BASH_VERSION:+ba''sh}"
    shown = asyncio.run(typed(server, line, until="bash\r\n"))
    found = {Path(line.strip()).name for line in shown.splitlines()}
    assert found >= {"jupyter", "pip", "bash"}


def test_the_status_bar_has_memory_and_cpu_with_the_seats_limits(server: Server) -> None:
    usage = server.call("GET", "api/metrics/v1")
    assert usage["limits"]["memory"]["pss"] == 512 * 2**20
    assert "cpu_percent" in usage


def test_a_message_and_a_notice_of_the_hub_reach_the_student(tmp_path: Path) -> None:
    token = "the token of labswarm-manager"
    (tmp_path / "token").write_text(token)
    with lone_server(tmp_path, {"LABSWARM_NOTICE_KEY": key_of(token, STUDENT, "")}) as lone:
        server = Server(lone.site)
        hub = HubApi(HubConfig(f"{lone.site}/hub/api", tmp_path / "token", lone.site))

        def seen(question: str = "") -> Any:
            return server.call("GET", f"labswarm/notice?{question}")

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(seen, "wait=20")
            assert send(hub, [(STUDENT, "")], Message("Save <b>now</b>.")) == {(STUDENT, ""): None}
            first = waiting.result()
        assert first["message"]["text"] == "Save <b>now</b>."
        assert first["notice"] is None

        down_at = int(time.time()) + 60
        hub.notify(STUDENT, "", Notice("hub", down_at))
        hub.notify(STUDENT, "", Message("Go on."))
        both = seen()
        assert (both["notice"]["kind"], both["notice"]["deadline"]) == ("hub", down_at)
        assert both["message"]["text"] == "Go on."
        assert both["message"]["id"] > first["message"]["id"]
        # A machine that goes is more urgent, and hides no message.
        hub.notify(STUDENT, "", Notice("terminate", down_at + 500))
        last = seen(f"wait=20&had=hub.{down_at}.0&read={both['message']['id']}")
        assert last["notice"]["kind"] == "terminate"
        assert last["message"] == both["message"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"kind": "party", "deadline": 1}',
        '{"kind": "hub", "deadline": "soon"}',
        '{"kind": "message", "text": ""}',
        '{"kind": "message", "text": 7}',
        '{"kind": "message", "text": "x", "deadline": 1}',
        json.dumps({"kind": "message", "text": "x" * 501}),
    ],
)
def test_a_notice_that_makes_no_sense_is_refused(server: Server, body: str) -> None:
    before = server.call("GET", "labswarm/notice")
    answer = requests.post(
        f"{server.url}/labswarm/notify",
        body,
        headers={"Authorization": "labswarm key"},
        timeout=10,
    )
    assert answer.status_code == 400
    after = server.call("GET", "labswarm/notice")
    assert (after["notice"], after["message"]) == (before["notice"], before["message"])


def test_no_sqlite_file_comes_to_the_home(tmp_path: Path) -> None:
    """It would lock up on a network file system."""
    kept = tmp_path / "home"
    # In a container it is in /etc/ipython, which is this machine's here.
    profile = kept / ".ipython/profile_default"
    profile.mkdir(parents=True)
    (config,) = [file for file in CLASS_FILES if file.name == "ipython_config.py"]
    (profile / config.name).symlink_to(config)
    with lone_server(tmp_path) as lone:
        server = Server(lone.site)
        server.call("PUT", "api/contents/work.ipynb", notebook("print(1)"))
        server.call("GET", "api/contents/work.ipynb")
        server.call("POST", "api/sessions", SESSION)
        # The kernel makes it shortly before its history.
        eventually((profile / "startup").is_dir, within_s=60)
    made = [file for file in kept.rglob("*") if file.is_file()]
    assert kept / "work.ipynb" in made
    assert [file for file in made if file.read_bytes().startswith(b"SQLite format 3")] == []


def test_a_server_on_which_nobody_works_says_so_although_its_page_asks_on(tmp_path: Path) -> None:
    limits = {"LABSWARM_IDLE_TIMEOUT_S": "6", "LABSWARM_IDLE_WARNING_S": "300"}
    with lone_server(tmp_path, limits) as lone:
        server = Server(lone.site)

        def notice(wait_s: int = 0) -> Any:
            for path in ("api/kernels", "api/sessions", "api/contents", "api/terminals"):
                server.call("GET", path)
            return server.call("GET", f"labswarm/notice?wait={wait_s}")["notice"]

        idle = notice(wait_s=20)
        assert idle["kind"] == "idle"
        assert 0 < idle["deadline"] - time.time() <= 4
        server.call("POST", "labswarm/work")
        assert notice() is None
