"""Asking a server to end, and one that does not take it up; and how servers find their hub."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from labswarm_hub.ending import asked_to_end

CHECKOUT = Path(__file__).parents[2]
CLASS_PYTHON = CHECKOUT / ".class/bin/python"
CONFIG = CHECKOUT / "cookbooks/labswarm_worker/files/default/jupyter_server_path.py"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(status: str, body: str = "") -> tuple[Answer, list[str]]:
    """A server that gives one answer to everything, and its requests."""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        length = f"Content-Length: {len(body)}"
        writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n\r\n{body}".encode())
        writer.close()

    return answer, heard


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def asked(server: Answer, patience_s: float = 10) -> float | None:
    async def ask() -> float | None:
        async with await asyncio.start_server(server, "127.0.0.1") as listening:
            port = listening.sockets[0].getsockname()[1]
            return await asked_to_end(f"http://127.0.0.1:{port}/user/ada/", "a-key", patience_s)

    return asyncio.run(ask())


@pytest.mark.parametrize(("body", "idle_s"), [("3600", 3600), ("", 0), ("<html>", 0)])
def test_a_server_is_asked_by_its_own_key_and_says_since_when_nobody_worked(
    body: str, idle_s: float
) -> None:
    server, heard = answering("202 Accepted", body)
    assert asked(server) == idle_s
    (request,) = heard
    assert request.startswith("POST /user/ada/labswarm/end HTTP/1.1\r\n")
    assert "\r\nAuthorization: labswarm a-key\r\n" in request


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "503 Unavailable"])
def test_one_that_does_not_take_it_up_is_left_to_the_swarm(status: str) -> None:
    assert asked(answering(status)[0]) is None


def test_the_hub_follows_a_student_s_server_nowhere() -> None:
    elsewhere, heard = answering("202 Accepted")

    async def ask() -> float | None:
        async with await asyncio.start_server(elsewhere, "127.0.0.1") as victim:
            port = victim.sockets[0].getsockname()[1]
            there = f"307 Temporary Redirect\r\nLocation: http://127.0.0.1:{port}/"
            async with await asyncio.start_server(answering(there)[0], "127.0.0.1") as hostile:
                own = hostile.sockets[0].getsockname()[1]
                return await asked_to_end(f"http://127.0.0.1:{own}/user/ada/", "a-key")

    assert asyncio.run(ask()) is None
    assert heard == []


def test_a_name_stays_escaped_as_its_server_knows_it() -> None:
    server, heard = answering("202 Accepted")

    async def ask() -> float | None:
        async with await asyncio.start_server(server, "127.0.0.1") as listening:
            port = listening.sockets[0].getsockname()[1]
            return await asked_to_end(f"http://127.0.0.1:{port}/user/a%28b%29/", "a-key")

    assert asyncio.run(ask()) == 0
    assert heard[0].startswith("POST /user/a%28b%29/labswarm/end HTTP/1.1\r\n")


def test_one_that_does_not_answer_is_not_waited_for() -> None:
    assert asked(silent, patience_s=0.05) is None
    assert asyncio.run(asked_to_end("http://127.0.0.1:9/user/ada/", "a-key")) is None


@pytest.mark.skipif(not CLASS_PYTHON.exists(), reason="no class environment: run lab/setup.sh")
def test_a_server_asks_for_its_hub_s_address_each_time() -> None:
    """Docker's name server lets its answers be kept for 600 s, and c-ares keeps them."""
    program = (
        "from traitlets.config import Config as get_config\n"
        f"exec(compile(open({str(CONFIG)!r}).read(), {str(CONFIG)!r}, 'exec'))\n"
        "import aiohttp, asyncio\n"
        "from jupyterhub.httpclient import JupyterHubHTTPClient\n"
        "async def connects():\n"
        "    return JupyterHubHTTPClient()._new_connector()._resolver\n"
        "print(type(asyncio.run(connects())).__name__)\n"
    ).replace("exec(compile", f"__file__ = {str(CONFIG)!r}\nexec(compile")
    done = subprocess.run(
        [CLASS_PYTHON, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "ThreadedResolver\n", done.stderr


HUB_COMES_BACK = f"""
import asyncio, socket
from traitlets.config import Config as get_config
__file__ = {str(CONFIG)!r}
exec(compile(open(__file__).read(), __file__, "exec"))
from jupyterhub.services import auth

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
tries, begins = [], asyncio.Event()
fetch = auth.fetch

async def counted(url, **more):
    tries.append(url)
    if len(tries) == 2:
        begins.set()
    return await fetch(url, **more)

_ANSWERS_WITHIN_S = 0.5
silent = iter([True])

async def hub(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    if next(silent, False):
        return
    body = b'{{"name": "ada"}}' if status == "200 OK" else b"{{}}"
    head = f"HTTP/1.1 {{status}}\\r\\nContent-Length: {{len(body)}}\\r\\n\\r\\n"
    writer.write(head.encode() + body)
    writer.close()

async def ask():
    api = auth.HubAuth(api_url=f"http://127.0.0.1:{{port}}/hub/api", api_token="x", cache_max_age=1)
    asked = asyncio.ensure_future(api.user_for_token("t", sync=False))
    await begins.wait()
    async with await asyncio.start_server(hub, "127.0.0.1", port):
        return await asked

auth.fetch = counted
"""


@pytest.mark.skipif(not CLASS_PYTHON.exists(), reason="no class environment: run lab/setup.sh")
@pytest.mark.parametrize(
    ("status", "said"),
    [("200 OK", "{'name': 'ada'}"), ("401 Unauthorized", "500"), ("503 Unavailable", "502")],
)
def test_a_request_waits_for_a_hub_that_is_away_and_then_silent_and_takes_any_answer(
    status: str, said: str
) -> None:
    program = f"""{HUB_COMES_BACK}
status = {status!r}
try:
    print(asyncio.run(ask()))
except auth.HTTPError as error:
    print(error.status_code)
"""
    done = subprocess.run(
        [CLASS_PYTHON, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == f"{said}\n", done.stderr
