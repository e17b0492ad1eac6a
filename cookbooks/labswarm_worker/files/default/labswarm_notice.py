"""A Jupyter Server extension: tells a student what happens to the machine of their server.

`GET labswarm/notice` is for anyone who may use the server. `POST labswarm/notify` is for
labswarm-manager and `POST labswarm/end` for the hub, by the key that the hub has put into the
server's environment. Mounted into every server, in any image, so it needs nothing but
Jupyter Server (2.13 or later).
"""

from __future__ import annotations

import atexit
import hmac
import json
import logging
import os
import signal
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
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
# After its deadline a server has been moved, or the machine stays.
OVER_S = 300
_LONGEST_BODY = 200
# A proxy gives up on a server that is silent for longer.
_LONGEST_WAIT_S = 25


class Notices:
    """The newest notice, in a file that only the server's own user reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._written = Condition()

    def write(self, kind: str, deadline: int) -> None:
        text = json.dumps({"kind": kind, "deadline": deadline})
        descriptor, name = tempfile.mkstemp(dir=self._file.parent)  # made with mode 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(name).replace(self._file)
        self._written.notify_all()

    async def wait(self, seconds: float) -> None:
        """Return at the next notice, or after so many seconds."""
        await self._written.wait(timeout=timedelta(seconds=seconds))

    def read(self, now: float) -> dict[str, Any] | None:
        """The notice for the student at `now` (epoch s); None without a notice."""
        try:
            kind, deadline = checked(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        if now > deadline + OVER_S:
            return None
        return {"kind": kind, "deadline": deadline, "message": SENTENCES[kind]}


def checked(text: str | bytes) -> tuple[str, int]:
    """Kind and deadline of a notice in JSON. Raises ValueError naming what is wrong with it."""
    notice = json.loads(text)
    if not isinstance(notice, dict) or set(notice) != {"kind", "deadline"}:
        raise ValueError("a notice has a kind and a deadline")
    kind, deadline = notice["kind"], notice["deadline"]
    if not isinstance(kind, str) or kind not in SENTENCES:
        raise ValueError(f"kind: has to be one of {', '.join(SENTENCES)}")
    if type(deadline) is not int or not 0 <= deadline < 2**40:
        raise ValueError("deadline: has to be a whole number of seconds since 1970")
    return kind, deadline


class NoticeHandler(APIHandler):  # type: ignore[misc]  # Jupyter has no types here
    """For the student's page."""

    auth_resource = "labswarm"
    # A page that asks again and again is not yet a student who works.
    _track_activity = False

    def initialize(self, notices: Notices) -> None:
        self._notices = notices

    @web.authenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    @authorized  # type: ignore[untyped-decorator]  # Jupyter has no types
    async def get(self) -> None:
        """Answer at once, or with `wait` (s) once the notice is another one than `had`."""
        notice = self._notices.read(time.time())
        wait = waited_for(self.get_query_argument("wait", "0"))
        if wait and name_of(notice) == self.get_query_argument("had", ""):
            await self._notices.wait(wait)
            notice = self._notices.read(time.time())
        if self.request.connection.stream.closed():
            return
        self.set_header("Cache-Control", "no-store")
        # A browser's clock may be wrong: the page counts down by this one.
        self.finish(json.dumps({"notice": notice, "now": time.time()}))


def waited_for(text: str) -> int:
    """The seconds that a page waits at most. Raises HTTPError 400 for a value that is not a number
    of them.
    """
    if not text.isdecimal() or len(text) > 4:
        raise web.HTTPError(400, "wait: give a whole number of seconds")
    return min(int(text), _LONGEST_WAIT_S)


def name_of(notice: dict[str, Any] | None) -> str:
    """The page's name for its notice; empty for none."""
    return f"{notice['kind']}.{notice['deadline']}" if notice else ""


class KeyHandler(web.RequestHandler):  # type: ignore[misc]  # Tornado neither
    """For holders of the key. They send no cookie, and so there is none to be forged."""

    def initialize(self, key: str) -> None:
        self._key = key

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

    def initialize(self, key: str, ending: Ending) -> None:  # type: ignore[override]  # each has its own arguments
        super().initialize(key)
        self._ending = ending

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        self.set_status(202)

    def on_finish(self) -> None:
        if self.get_status() == 202:
            self._ending.asked_for = True
            # As the Swarm would: Jupyter Server ends its kernels, and then itself.
            signal.raise_signal(signal.SIGTERM)


class NotifyHandler(KeyHandler):
    """For labswarm-manager."""

    def initialize(self, notices: Notices, key: str) -> None:  # type: ignore[override]  # each has its own arguments
        super().initialize(key)
        self._notices = notices

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def post(self) -> None:
        if len(self.request.body) > _LONGEST_BODY:
            raise web.HTTPError(413)
        try:
            kind, deadline = checked(self.request.body)
        except ValueError as error:
            raise web.HTTPError(400, "%s", error) from error
        self._notices.write(kind, deadline)
        self.set_status(204)


class Activity:
    """When somebody worked on this server: an execution, a terminal, or a change of a file.

    Requests do not count: a page that is left open makes them for ever. An execution counts until
    it ends, also a silent one.
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

    def initialize(self, key: str, activity: Activity) -> None:  # type: ignore[override]  # each has its own arguments
        super().initialize(key)
        self._activity = activity

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # Jupyter has no types
    def get(self) -> None:
        self.finish(f"{self._activity.idle_s(time.time()):.0f}")


def _load_jupyter_server_extension(app: Any) -> None:
    """Without a key, in a server that the hub did not start, there is nobody to tell anything."""
    key = os.environ.get("LABSWARM_NOTICE_KEY")
    if not key:
        app.log.warning("labswarm_notice: LABSWARM_NOTICE_KEY is not set; there are no notices")
        return
    notices = Notices(Path(app.runtime_dir) / "labswarm-notice.json")
    base = url_path_join(app.base_url, "labswarm")
    app.web_app.add_handlers(
        ".*$",
        [
            (f"{base}/notice", NoticeHandler, {"notices": notices}),
            (f"{base}/notify", NotifyHandler, {"notices": notices, "key": key}),
            (f"{base}/end", EndHandler, {"key": key, "ending": Ending()}),
        ],
    )
    activity = {"key": key, "activity": Activity(app)}
    app.web_app.add_handlers(".*$", [(f"{base}/activity", ActivityHandler, activity)])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "labswarm_notice"}]
