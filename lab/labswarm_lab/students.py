"""A class: students who do as a browser does, from the login form to a file saved in their home."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import aiohttp
from yarl import URL

STEPS = ("login", "spawn", "open", "cell", "save")

_HTTP_TIMEOUT_S = 60.0
_KERNEL_TIMEOUT_S = 120.0


class StudentFailed(Exception):
    """A student's failed step, in words for the person who runs the class."""


@dataclass(frozen=True)
class Progress:
    """A step of a student is done, or has something to say while it lasts."""

    student: str
    step: str
    message: str
    seconds: float | None = None


@dataclass(frozen=True)
class Result:
    """How it went for one student: the seconds of each step done, and where and why it ended.

    `file` is the saved file, relative to the student's home.
    """

    student: str
    seconds: Mapping[str, float]
    file: str | None = None
    failed_step: str | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every step was done."""
        return self.failed_step is None


def student_names(count: int) -> list[str]:
    """`student-01` and on, with as many digits as the last one needs, two at least."""
    digits = max(2, len(str(count)))
    return [f"student-{number:0{digits}}" for number in range(1, count + 1)]


async def run_class(
    hub_url: str,
    count: int,
    *,
    at_once: int = 8,
    spawn_timeout_s: float = 660.0,
    password: str = "",
    profile: str | None = None,
) -> AsyncIterator[Progress | Result]:
    """`count` students arrive at the hub; yields what they are at, and each one's result.

    A start without a place in line fails after 600 s and says why, so `spawn_timeout_s` is longer.
    It also bounds a wait in line, which the hub does not end while a student follows it. All of
    them wait for their servers together, as a class does; `at_once` bounds how many are at
    work otherwise (logging in, computing), for this machine's sake. Where the hub asks which
    profile they want they choose `profile`, or nothing.
    """
    events: asyncio.Queue[Progress | Result] = asyncio.Queue()
    busy = asyncio.Semaphore(at_once)
    async with asyncio.TaskGroup() as group:
        for name in student_names(count):
            student = _Student(
                hub_url.rstrip("/"), name, password, spawn_timeout_s, events, busy, profile
            )
            group.create_task(student.attend())
        results = 0
        while results < count:
            event = await events.get()
            results += isinstance(event, Result)
            yield event


def xsrf_of(page: str) -> str:
    """The `_xsrf` value of a page's form. Raises StudentFailed when there is none."""
    parser = _FormFields()
    parser.feed(page)
    if "_xsrf" not in parser.values:
        raise StudentFailed("the login page has no form with an _xsrf field")
    return parser.values["_xsrf"]


def spawn_form_of(page: str) -> str | None:
    """Where the form that asks what to start is sent to; None when the page does not ask."""
    parser = _FormFields()
    parser.feed(page)
    return parser.actions.get("spawn_form")


def event_of(line: str) -> dict[str, Any] | None:
    """The JSON object of one line of an event stream; None for a line without data.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    name, _, data = line.partition(":")
    if name != "data":
        return None
    event = json.loads(data)
    return event if isinstance(event, dict) else None


class CellOutput:
    """A kernel's answer to one execute request.

    https://jupyter-client.readthedocs.io/en/stable/messaging.html
    """

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._replied = self._idle = False
        self.text = ""

    @property
    def complete(self) -> bool:
        """Whether the reply has come and all output before it."""
        return self._replied and self._idle

    def take(self, message: Mapping[str, Any]) -> None:
        """Take one message of the kernel; those of other requests are passed over.

        Raises StudentFailed when the cell raised.
        """
        if message.get("parent_header", {}).get("msg_id") != self._request_id:
            return
        content = message["content"]
        match message["header"]["msg_type"]:
            case "stream":
                self.text += content["text"]
            case "error":
                raise StudentFailed(f"the cell raised {content['ename']}: {content['evalue']}")
            case "status":
                self._idle = self._idle or content["execution_state"] == "idle"
            case "execute_reply":
                self._replied = True


class _FormFields(HTMLParser):
    """The inputs of a page's forms, by name, and where the forms are sent to, by id."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.actions: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """HTMLParser's callback."""
        attributes = dict(attrs)
        if tag == "input" and attributes.get("name"):
            self.values[str(attributes["name"])] = attributes.get("value") or ""
        elif tag == "form" and attributes.get("id"):
            self.actions[str(attributes["id"])] = attributes.get("action") or ""


@dataclass
class _Student:
    hub_url: str
    name: str
    password: str
    spawn_timeout_s: float
    events: asyncio.Queue[Progress | Result]
    busy: asyncio.Semaphore
    profile: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    step: str = STEPS[0]
    heard: str = ""

    async def attend(self) -> None:
        """Do all steps; a result comes whatever happens."""
        failed_step = reason = None
        try:
            # The hub may be an IP address. Browsers keep its cookies; aiohttp does with `unsafe`.
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                timeout=aiohttp.ClientTimeout(total=_HTTP_TIMEOUT_S),
            ) as session:
                await self._attend(session)
        except (StudentFailed, aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            failed_step, reason = self.step, str(error) or type(error).__name__
        file = self._file if failed_step is None else None
        await self.events.put(Result(self.name, self.seconds, file, failed_step, reason))

    async def _attend(self, session: aiohttp.ClientSession) -> None:
        async with self.busy:
            with self._timed("login"):
                await self._log_in(session)
        with self._timed("spawn"):
            await self._in_time(self._spawn(session), self.spawn_timeout_s)
        async with self.busy:
            with self._timed("open"):
                await self._open(session)
            with self._timed("cell"):
                await self._in_time(self._run_cell(session), _KERNEL_TIMEOUT_S)
            with self._timed("save"):
                await self._save(session)

    async def _in_time(self, work: Awaitable[None], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError as error:
            last = f"; last heard: {self.heard}" if self.heard else ""
            raise StudentFailed(f"not done within {seconds:g} s{last}") from error

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        self.step, self.heard = step, ""
        begun = time.monotonic()
        yield
        self.seconds[step] = round(time.monotonic() - begun, 3)
        self.events.put_nowait(Progress(self.name, step, "done", self.seconds[step]))

    async def _log_in(self, session: aiohttp.ClientSession) -> None:
        login = f"{self.hub_url}/hub/login"
        async with session.get(login) as answer:
            _expect(answer, "the login page")
            xsrf = xsrf_of(await answer.text())
        form = {"_xsrf": xsrf, "username": self.name, "password": self.password}
        # Not followed: the page behind it starts the server, which is the next step.
        async with session.post(login, data=form, allow_redirects=False) as answer:
            if answer.status != 302:
                raise StudentFailed(f"the login form answered {answer.status}")

    async def _spawn(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self.hub_url}/hub/spawn") as answer:
            _expect(answer, "asking for a server")
            if answer.url.path.startswith(f"/user/{self.name}/"):
                return
            form = spawn_form_of(await answer.text())
        await self._choose(session, form)
        stream = f"{self.hub_url}/hub/api/users/{self.name}/server/progress"
        patient = aiohttp.ClientTimeout(total=None, sock_read=None)
        async with session.get(
            stream, timeout=patient, headers={"Accept": "text/event-stream"}
        ) as answer:
            _expect(answer, "the server's progress")
            async for line in answer.content:
                event = event_of(line.decode())
                if event is None:
                    continue
                if event.get("failed"):
                    raise StudentFailed(f"the server did not start: {event.get('message')}")
                if event.get("ready"):
                    return
                self.heard = str(event.get("message"))
                self.events.put_nowait(Progress(self.name, "spawn", self.heard))
        raise StudentFailed("the progress of the server's start ended without an outcome")

    async def _choose(self, session: aiohttp.ClientSession, form: str | None) -> None:
        if form is None:
            if self.profile:
                raise StudentFailed(f"the hub offers no profiles; {self.profile!r} was wanted")
            return
        choice = {"profile": self.profile} if self.profile else {}
        async with session.post(urljoin(self.hub_url, form), data=choice) as answer:
            _expect(answer, "choosing a profile")

    async def _open(self, session: aiohttp.ClientSession) -> None:
        """Open the page, which logs the student in to the server, and ask for the status."""
        async with session.get(f"{self._server_url}lab") as answer:
            _expect(answer, "the server's page")
        await self._api(session, "GET", "api/status")

    async def _run_cell(self, session: aiohttp.ClientSession) -> None:
        kernel = await self._api(session, "POST", "api/kernels", {"name": "python3"})
        request_id, session_id = uuid.uuid4().hex, uuid.uuid4().hex
        code = f"print('{request_id}'[::-1])"
        output = CellOutput(request_id)
        async with session.ws_connect(
            f"{self._server_url}api/kernels/{kernel['id']}/channels",
            params={"session_id": session_id, "_xsrf": self._xsrf(session)},
        ) as socket:
            await socket.send_json(_execute_request(request_id, session_id, self.name, code))
            async for message in socket:
                output.take(message.json())
                if output.complete:
                    break
        if output.text.strip() != request_id[::-1]:
            raise StudentFailed(f"the cell printed {output.text!r}, not the expected text")

    async def _save(self, session: aiohttp.ClientSession) -> None:
        model = {"type": "file", "format": "text", "content": f"Saved by {self.name}.\n"}
        await self._api(session, "PUT", f"api/contents/{self._file}", model)
        saved = await self._api(session, "GET", f"api/contents/{self._file}")
        if saved.get("content") != model["content"]:
            raise StudentFailed("the file read back is not the one saved")

    async def _api(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call of the server's API, as its page makes them."""
        async with session.request(
            method,
            f"{self._server_url}{path}",
            json=body,
            headers={"X-XSRFToken": self._xsrf(session)},
        ) as answer:
            _expect(answer, f"{method} {path}")
            document: dict[str, Any] = await answer.json()
            return document

    def _xsrf(self, session: aiohttp.ClientSession) -> str:
        cookie = session.cookie_jar.filter_cookies(URL(self._server_url)).get("_xsrf")
        if cookie is None:
            raise StudentFailed("the server's page set no _xsrf cookie")
        return cookie.value

    @property
    def _server_url(self) -> str:
        return f"{self.hub_url}/user/{self.name}/"

    @property
    def _file(self) -> str:
        return f"class-of-{self.name}.txt"


def _expect(answer: aiohttp.ClientResponse, what: str) -> None:
    if not answer.ok:
        raise StudentFailed(f"{what} answered {answer.status} {answer.reason} ({answer.url.path})")


def _execute_request(request_id: str, session_id: str, user: str, code: str) -> dict[str, Any]:
    return {
        "header": {
            "msg_id": request_id,
            "msg_type": "execute_request",
            "session": session_id,
            "username": user,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "channel": "shell",
        "buffers": [],
    }
