"""Students who come, save what they type, stay a while, leave, and come again."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin

import requests

from labswarm_lab.students import StudentFailed, spawn_form_of, xsrf_of
from tests.chaos.injector import HUB_BACK_WITHIN_S
from tests.chaos.notebook import Notebook

STAYS_S, IS_AWAY_S, TYPES_S = (30.0, 180.0), (5.0, 40.0), (1.0, 6.0)
LOGS_OUT = 0.7
"""How often one who leaves stops the server; the others leave it running."""
_ANSWER_S = 15.0
_LOOK_S = 1.0


class NoServer(Exception):
    """The student has no server that answers, for now."""


@dataclass
class Leave:
    """A student has asked the hub to stop the server at `since` (epoch seconds): it ends by `until`
    at the latest, when there is another or a restarted hub has seen it.

    The request is in the hub's log only if the hub lives long enough to answer.
    """

    since: float
    until: float


class Student(threading.Thread):
    """One student, as a browser: reloads the page until the server is there again.

    `open_until` ends all coming and going: present students stay and go on typing, absent ones stay
    away. `over` ends all.
    """

    def __init__(
        self,
        name: str,
        hub_url: str,
        seed: int,
        notebook: Notebook,
        closing: threading.Event,
        over: threading.Event,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.served = 0
        self.longest_wait_s = 0.0
        self.waits_since: float | None = None
        self.why_waits = ""
        self.sits = False
        self.failed = ""
        self.leaves: list[Leave] = []
        self._chance = random.Random(f"{seed} {name}")  # noqa: S311
        self._hub, self._notebook = hub_url, notebook
        self._closing, self._over = closing, over
        self._session = requests.Session()

    def run(self) -> None:
        """Come and go until it is over; fatal errors of a browser are kept in `failed`."""
        try:
            while not self._closing.wait(self._chance.uniform(*IS_AWAY_S)):
                self._visit()
        except Exception as error:  # noqa: BLE001  # a thread's; the verdict says it
            self.failed = f"{type(error).__name__}: {error}"

    def saves_again(self) -> str:
        """Save one more file now, as a student who arrives and asks for a server; the reason if it
        failed, or empty.
        """
        try:
            self._sit()
            self._save("last.txt")
        except NoServer as error:
            return str(error)
        return ""

    def _visit(self) -> None:
        number = self.served + 1
        self._until_done(self._sit)
        if self.leaves:
            self.leaves[-1].until = min(self.leaves[-1].until, time.time())
        self.served, self.sits = number, True
        leaves_at = time.monotonic() + self._chance.uniform(*STAYS_S)
        while not self._over.is_set():
            if time.monotonic() > leaves_at and not self._closing.is_set():
                break
            self._until_done(lambda: self._save(f"notes-{number}.txt"))
            self._over.wait(self._chance.uniform(*TYPES_S))
        self.sits = False
        if not self._over.is_set() and self._chance.random() < LOGS_OUT:
            with suppress(NoServer):  # then it goes on running, as with one who closes the window
                self._take_down()

    def _until_done(self, act: Callable[[], None]) -> None:
        """Try it, and the page again, until it works."""
        begun, reload = time.monotonic(), False
        while not self._over.is_set():
            try:
                if reload:
                    self._sit()
                act()
            except NoServer as error:
                self.waits_since, self.why_waits, reload = begun, str(error), True
                self._over.wait(_LOOK_S)
            else:
                self.waits_since = None
                self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - begun)
                return

    def _sit(self) -> None:
        """Log in if need be, ask for the server, and open its page."""
        page = self._ask("GET", f"{self._hub}/hub/spawn")
        if page.url.split("?")[0].endswith("/hub/login"):
            try:
                form = {"_xsrf": xsrf_of(page.text), "username": self.name, "password": ""}
            except StudentFailed as error:
                raise NoServer(str(error)) from error
            page = self._ask("POST", f"{self._hub}/hub/login?next=/hub/spawn", data=form)
        chosen = spawn_form_of(page.text)
        if chosen is not None:
            self._ask("POST", urljoin(self._hub, chosen), data={})
        page = self._ask("GET", f"{self._server}lab")
        if not page.url.startswith(self._server):
            raise NoServer(f"not there yet ({page.url.removeprefix(self._hub)})")
        self._ask("GET", f"{self._server}api/status")

    def _save(self, name: str) -> None:
        """Save a file with content of its own, as the page does."""
        file = f"{self.name}/{name}"
        content = f"{file} {time.time()}\n{self._chance.randbytes(512).hex()}\n"
        self._notebook.try_save(file, content)
        model = {"type": "file", "format": "text", "content": content}
        self._ask(
            "PUT", f"{self._server}api/contents/{name}", json=model, headers=self._xsrf("/user/")
        )
        self._notebook.confirm(file)

    def _take_down(self) -> None:
        """Have the hub stop the server."""
        self.leaves.append(Leave(time.time(), time.time() + HUB_BACK_WITHIN_S))
        url = f"{self._hub}/hub/api/users/{self.name}/server"
        self._ask("DELETE", url, headers=self._xsrf("/hub/"))

    def _xsrf(self, path: str) -> dict[str, str]:
        for cookie in self._session.cookies:
            if cookie.name == "_xsrf" and cookie.path.startswith(path):
                return {"X-XSRFToken": str(cookie.value)}
        raise NoServer(f"no _xsrf cookie of {path}")

    def _ask(self, method: str, url: str, **options: object) -> requests.Response:
        try:
            answer = self._session.request(method, url, timeout=_ANSWER_S, **options)  # type: ignore[arg-type]
        except requests.RequestException as error:
            raise NoServer(
                f"{method} {url.removeprefix(self._hub)}: {type(error).__name__}"
            ) from error
        if not answer.ok:
            raise NoServer(f"{method} {url.removeprefix(self._hub)} answered {answer.status_code}")
        return answer

    @property
    def _server(self) -> str:
        return f"{self._hub}/user/{self.name}/"
