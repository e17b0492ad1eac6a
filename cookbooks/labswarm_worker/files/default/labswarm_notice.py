"""A Jupyter Server extension: notifies a student of the end of their server's machine.

`GET labswarm/notice`, `POST labswarm/saved` and `POST labswarm/work` are for anyone who may use the
server. The others are for labswarm-manager and the hub (`labswarm/notify`), by the key that the hub
has put into the server's environment. Mounted into every server, in any image, so it needs nothing
but Jupyter Server (2.13 or later) and the files next to it.
"""

from __future__ import annotations

import atexit
import hmac
import json
import logging
import math
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from labswarm_limits import HomeUse, LabEnd, Memory, TimeLimits, home_notice
from tornado import web
from tornado.ioloop import PeriodicCallback
from tornado.locks import Condition

SENTENCES = {
    "interruption": (
        "The machine that your server runs on is being taken away: save your files now. "
        "Your server stops in a few seconds and starts again on another machine."
    ),
    "terminate": (
        "The machine that your server runs on goes out of service: save your files by then. "
        "A server that still runs on it then is stopped and starts again on another machine."
    ),
}
HUB_SENTENCE = (
    "Your server runs on, and nothing in this page is lost. Until the hub is back nobody can log "
    "in or start a server."
)
# After its deadline a server has been moved, or the machine stays; the hub is back sooner.
OVER_S, HUB_OVER_S = 300, 60
# The longest message of an instructor (characters; the hub refuses a longer one), and how long it
# is shown (s).
LONGEST_MESSAGE, MESSAGE_SHOWN_S = 500, 1800
_LONGEST_BODY = 8_000
_LONGEST_NAME = 200
# A proxy gives up on a server that is silent for longer.
_LONGEST_WAIT_S = 25
# A page that has asked for notices is open for so long (s): one in the background asks every 3 s.
_OPEN_S = 10
# A student who opens more of them at once is waited for with these.
_MOST_PAGES = 50
# The limits are looked at so often (ms).
_LOOK_MS = 2_000


class Notices:
    """The newest notice of the machine, in a file that only the server's own user reads; the
    notices of the server's own limits; and the newest message of an instructor."""

    def __init__(
        self,
        file: Path,
        memory: Memory,
        home: Path,
        activity: Activity,
        limits: TimeLimits,
        home_use: HomeUse,
    ) -> None:
        self._file, self._memory, self._home = file, memory, home
        self.home_use = home_use
        self._activity, self._limits = activity, limits
        self._shown = ""
        self._hub_down_at = 0
        self._lab = LabEnd()
        self._message: dict[str, Any] | None = None
        self._written = Condition()

    def take(self, body: bytes, now: float) -> None:
        """Keep a notice in JSON, in place of the last one of its kind.

        Raises ValueError, which names what is wrong with it.
        """
        notice = parsed(body)
        if notice["kind"] == "message":
            # No other message of this server or of one before it has the same id.
            self._message = {"id": int(now * 1000), "text": message_in(notice)}
        elif notice["kind"] == "hub":
            self._hub_down_at = deadline_in(notice)
        elif notice["kind"] == "lab":
            self._lab.ends_at = deadline_in(notice)
        else:
            self.write(*checked(notice))
        self._written.notify_all()

    def write(self, kind: str, deadline: int) -> None:
        """Keep a notice of the machine."""
        text = json.dumps({"kind": kind, "deadline": deadline})
        descriptor, name = tempfile.mkstemp(dir=self._file.parent)  # made with mode 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(name).replace(self._file)

    def look(self) -> None:
        """Look whether there is another notice: a limit was reached, or somebody works again."""
        now = time.time()
        self._memory.look(now)
        name = name_of(self.read(now))
        if name != self._shown:
            self._shown = name
            self._written.notify_all()

    async def wait(self, seconds: float) -> None:
        """Return at the next notice, or after so many seconds."""
        await self._written.wait(timeout=timedelta(seconds=seconds))

    def read(self, now: float) -> dict[str, Any] | None:
        """The most urgent notice for the student at `now` (epoch s); None without a notice."""
        return (
            self.machine(now)
            or self._stop(now)
            or self._hub(now)
            or self._memory.notice(now)
            or home_notice(self._home)
            or self.home_use.notice()
        )

    def machine(self, now: float) -> dict[str, Any] | None:
        """The notice of the server's machine."""
        try:
            kind, deadline = checked(parsed(self._file.read_text()))
        except (FileNotFoundError, ValueError):
            return None
        if now > deadline + OVER_S:
            return None
        return {"kind": kind, "deadline": deadline, "id": 0, "message": SENTENCES[kind]}

    def _stop(self, now: float) -> dict[str, Any] | None:
        """The notice that the culler stops this server, by the rule that stops it first."""
        worked_at = now - self._activity.idle_s(now)
        rules: list[dict[str, Any] | None] = [
            self._limits.notice(worked_at, now),
            self._lab.notice(worked_at, now),
        ]
        return min(filter(None, rules), key=lambda notice: int(notice["deadline"]), default=None)

    def idle_s(self, now: float) -> float:
        """The seconds for which the server counts as idle; at the end of a lab all of its limit."""
        idle_s = self._activity.idle_s(now)
        if self._lab.is_over(now - idle_s, now):
            return max(idle_s, self._limits.idle_s or 0.0)
        return idle_s

    def _hub(self, now: float) -> dict[str, Any] | None:
        if now > self._hub_down_at + HUB_OVER_S:
            return None
        return {"kind": "hub", "deadline": self._hub_down_at, "id": 0, "message": HUB_SENTENCE}

    def message(self, now: float) -> dict[str, Any] | None:
        """The newest message of an instructor at `now` (epoch s): its id and text."""
        message = self._message
        return message if message and now <= message["id"] / 1000 + MESSAGE_SHOWN_S else None


class Pages:
    """The open pages of this server, and the notice at which each of them has saved.

    A page is open while it asks for notices. `now` is in monotonic seconds.
    """

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._saved: dict[str, str] = {}

    @contextmanager
    def asking(self, page: str) -> Iterator[None]:
        """Count a page as open while its question waits, and for a moment after that."""
        if page and (page in self._seen or len(self._seen) < _MOST_PAGES):
            self._seen[page] = math.inf
        try:
            yield
        finally:
            if page in self._seen:
                self._seen[page] = time.monotonic()

    def saved(self, page: str, notice: str) -> None:
        """Note that a page has saved at a notice (its name)."""
        if page in self._seen:
            self._saved[page] = notice

    def close(self, page: str) -> None:
        """Forget a page that is closed."""
        self._seen.pop(page, None)
        self._saved.pop(page, None)

    def are_saving(self, notice: str, now: float) -> bool:
        """Whether a page is open that has not saved at this notice (its name)."""
        for page in [page for page, seen in self._seen.items() if seen < now - _OPEN_S]:
            self.close(page)
        return any(self._saved.get(page) != notice for page in self._seen)


def parsed(text: str | bytes) -> dict[str, Any]:
    """The object with a kind in a JSON text. Raises ValueError where there is none."""
    notice = json.loads(text)
    if not isinstance(notice, dict) or "kind" not in notice:
        raise ValueError("a notice is an object with a kind")
    return notice


def checked(notice: dict[str, Any]) -> tuple[str, int]:
    """Kind and deadline of a notice of the machine. Raises ValueError naming what is wrong."""
    deadline = deadline_in(notice)
    kind = notice["kind"]
    if not isinstance(kind, str) or kind not in SENTENCES:
        raise ValueError(f"kind: has to be one of {', '.join(SENTENCES)}, hub, lab, message")
    return kind, deadline


def deadline_in(notice: dict[str, Any]) -> int:
    """The deadline of a notice (epoch s). Raises ValueError naming what is wrong with it."""
    if set(notice) != {"kind", "deadline"}:
        raise ValueError("a notice has a kind and a deadline")
    deadline = notice["deadline"]
    if type(deadline) is not int or not 0 <= deadline < 2**40:
        raise ValueError("deadline: has to be a whole number of seconds since 1970")
    return deadline


def message_in(notice: dict[str, Any]) -> str:
    """The text of an instructor's message. Raises ValueError naming what is wrong with it."""
    if set(notice) != {"kind", "text"}:
        raise ValueError("a message has a kind and a text")
    text = notice["text"]
    if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST_MESSAGE:
        raise ValueError(f"text: has to have 1 to {LONGEST_MESSAGE} characters")
    return text.strip()


class NoticeHandler(APIHandler):  # type: ignore[misc]  # Jupyter has no types here
    """For the student's page."""

    auth_resource = "labswarm"
    # A page that asks again and again is not yet a student who works.
    _track_activity = False

    def initialize(self, notices: Notices, pages: Pages) -> None:
        self._notices, self._pages, self._page = notices, pages, ""

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]  # Jupyter has no types
    async def get(self) -> None:
        """Answer at once, or with `wait` (s) once the notice is another one than `had`, or the
        message another one than `read`."""
        notice, message = self._news()
        wait = waited_for(self.get_query_argument("wait", "0"))
        self._page = self.get_query_argument("page", "")[:_LONGEST_NAME]
        had = (self.get_query_argument("had", ""), self.get_query_argument("read", ""))
        with self._pages.asking(self._page):
            if wait and had == (name_of(notice), str(message["id"]) if message else ""):
                await self._notices.wait(wait)
                notice, message = self._news()
        if self.request.connection.stream.closed():
            return
        self.set_header("Cache-Control", "no-store")
        # A browser's clock may be wrong: the page counts down by this one.
        home = self._notices.home_use.shown()
        self.finish(
            json.dumps({"notice": notice, "message": message, "home": home, "now": time.time()})
        )

    def _news(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        now = time.time()
        return self._notices.read(now), self._notices.message(now)

    def on_connection_close(self) -> None:
        """Tornado's callback: the page was closed while its question waited."""
        self._pages.close(self._page)


class SavedHandler(APIHandler):  # type: ignore[misc]  # as above
    """For the student's page, once it has saved at a notice."""

    auth_resource = "labswarm"
    _track_activity = False

    def initialize(self, pages: Pages) -> None:
        self._pages = pages

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        """Take the names of the page and of the notice, as `GET labswarm/notice` has them."""
        self._pages.saved(self.get_query_argument("page"), self.get_query_argument("notice"))
        self.set_status(204)
        self.finish()


class WorkHandler(APIHandler):  # type: ignore[misc]  # as above
    """For the student's page: somebody types, points, or has pressed "Keep working"."""

    auth_resource = "labswarm"

    def initialize(self, notices: Notices, activity: Activity) -> None:
        self._notices, self._activity = notices, activity

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        self._activity.work()
        self._notices.look()
        self.set_status(204)
        self.finish()


def waited_for(text: str) -> int:
    """The seconds that a page waits at most. Raises HTTPError 400 for a value that is not a number
    of them.
    """
    if not text.isdecimal() or len(text) > 4:
        raise web.HTTPError(400, "wait: give a whole number of seconds")
    return min(int(text), _LONGEST_WAIT_S)


def name_of(notice: dict[str, Any] | None) -> str:
    """The page's name for its notice; empty for none."""
    return f"{notice['kind']}.{json.dumps(notice['deadline'])}.{notice['id']}" if notice else ""


class KeyHandler(web.RequestHandler):
    """For holders of the key. They send no cookie, and so there is none to be forged."""

    def initialize(self, key: str, notices: Notices) -> None:
        self._key, self._notices = key, notices

    def check_xsrf_cookie(self) -> None:
        return

    def prepare(self) -> None:
        shown = self.request.headers.get("Authorization", "")
        if not hmac.compare_digest(shown.encode(), f"labswarm {self._key}".encode()):
            # Not 403, which is Jupyter's answer where there is no such extension.
            self.set_header("WWW-Authenticate", "labswarm")
            self.set_status(401)
            self.finish()


class Ending:
    """Whether this server ends because its hub has asked for it."""

    def __init__(self) -> None:
        self.asked_for = False
        # The first that is registered is the last that is called.
        atexit.register(self._leave)

    def _leave(self) -> None:
        # The rest is Python unloading its modules: 0.35 s of CPU, and all servers of
        # a node that goes end at once.
        if self.asked_for:
            logging.shutdown()
            os._exit(0)


class EndHandler(KeyHandler):
    """For the hub, when this server is to stop. The Swarm's own stop takes seconds to begin."""

    def initialize(  # type: ignore[override]  # each has its own arguments
        self, key: str, notices: Notices, ending: Ending
    ) -> None:
        super().initialize(key, notices)
        self._ending = ending

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        """Answer the seconds since somebody worked, which the student reads after the stop."""
        self.set_status(202)
        self.finish(f"{self._notices.idle_s(time.time()):.0f}")

    def on_finish(self) -> None:
        if self.get_status() == 202:
            self._ending.asked_for = True
            # As the Swarm would: Jupyter Server ends its kernels, and then itself.
            signal.raise_signal(signal.SIGTERM)


class NotifyHandler(KeyHandler):
    """For labswarm-manager, and for services on the hub's host that send messages."""

    def initialize(self, key: str, notices: Notices, pages: Pages) -> None:  # type: ignore[override]  # each has its own arguments
        super().initialize(key, notices)
        self._pages = pages

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def get(self) -> None:
        """Whether an open page has not saved yet at the newest notice."""
        name = name_of(self._notices.machine(time.time()))
        saving = bool(name) and self._pages.are_saving(name, time.monotonic())
        self.finish({"saving": saving})

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        if len(self.request.body) > _LONGEST_BODY:
            raise web.HTTPError(413)
        try:
            self._notices.take(self.request.body, time.time())
        except ValueError as error:
            raise web.HTTPError(400, "%s", error) from error
        self.set_status(204)


class Activity:
    """When somebody worked on this server: an execution, a terminal, a change of a file, or a hand
    on the keyboard or mouse of its page.

    Other requests do not count: a page that is left open makes them for ever. An execution counts
    until it ends, also a silent one.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._changed = time.time()  # a server that has just started
        app.event_logger.add_listener(
            schema_id=app.contents_manager.event_schema_id, listener=self._on_file
        )

    async def _on_file(self, *, data: dict[str, Any], **_: Any) -> None:
        if data["action"] != "get":
            self._changed = time.time()

    def work(self) -> None:
        """Somebody works at the page."""
        self._changed = time.time()

    def idle_s(self, now: float) -> float:
        """The seconds since somebody worked, at `now` (epoch s)."""
        times = [self._changed]
        kernels = self._app.kernel_manager
        for kernel in map(kernels.get_kernel, kernels.list_kernel_ids()):
            if getattr(kernel, "execution_state", "") == "busy":
                return 0.0
            # A kernel that is just being started has none yet.
            if last := getattr(kernel, "last_activity", None):
                times.append(last.timestamp())
        terminals = self._app.web_app.settings.get("terminal_last_activity")
        if terminals:
            times.append(terminals.timestamp())
        return max(0.0, now - max(times))


class ActivityHandler(KeyHandler):
    """For the hub's culler."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def get(self) -> None:
        self.finish(f"{self._notices.idle_s(time.time()):.0f}")


class HomeHandler(KeyHandler):
    """For the hub's culler."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def get(self) -> None:
        """Answer with the use and the size of the home (bytes); {} while they are not known."""
        self.finish(json.dumps(self._notices.home_use.shown() or {}))


def _load_jupyter_server_extension(app: Any) -> None:
    """Start no extension without a key: the hub did not start this server."""
    key = os.environ.get("LABSWARM_NOTICE_KEY")
    if not key:
        app.log.warning("labswarm_notice: LABSWARM_NOTICE_KEY is not set; there are no notices")
        return
    limit = os.environ.get("MEM_LIMIT", "")  # by JupyterHub
    memory = Memory(int(limit) if limit.isdecimal() else None)
    activity, file = Activity(app), Path(app.runtime_dir) / "labswarm-notice.json"
    home_use = HomeUse.of(Path.home(), os.environ)
    home_use.begin()
    limits = TimeLimits.of(os.environ)
    notices = Notices(file, memory, Path.home(), activity, limits, home_use)
    PeriodicCallback(notices.look, _LOOK_MS).start()
    pages = Pages()
    base = url_path_join(app.base_url, "labswarm")
    app.web_app.add_handlers(
        ".*$",
        [
            (f"{base}/notice", NoticeHandler, {"notices": notices, "pages": pages}),
            (f"{base}/saved", SavedHandler, {"pages": pages}),
            (f"{base}/work", WorkHandler, {"notices": notices, "activity": activity}),
            (f"{base}/notify", NotifyHandler, {"notices": notices, "pages": pages, "key": key}),
            (f"{base}/end", EndHandler, {"key": key, "ending": Ending(), "notices": notices}),
            (f"{base}/activity", ActivityHandler, {"key": key, "notices": notices}),
            (f"{base}/home", HomeHandler, {"key": key, "notices": notices}),
        ],
    )


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "labswarm_notice"}]
