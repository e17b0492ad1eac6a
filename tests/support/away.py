"""A student's page whose server is away, with the answers of its hub as a test gives them."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Route

from tests.support.lone_server import STUDENT
from tests.support.student_page import StudentPage, expect


def banner_of(page: StudentPage) -> Locator:
    return page.page.locator(".labswarm-banner")


def overlay_of(page: StudentPage) -> Locator:
    return page.page.locator(".labswarm-overlay")


def goes_on(page: StudentPage) -> None:
    """The page sees its server again and says so; the student hides that."""
    expect(overlay_of(page)).to_be_hidden(timeout=60_000)
    banner = banner_of(page)
    expect(banner).to_contain_text("Your server is here again")
    banner.get_by_role("button", name="Hide").click()


class Away:
    """The page's server is away, and the hub says so of it."""

    def __init__(self, page: StudentPage) -> None:
        self.started: list[str] = []
        self._servers: dict[str, Any] = {}
        self._progress = ""
        self._page = page
        self._routes: dict[str, Callable[[Route], None]] = {
            f"**/user/{STUDENT}/**": lambda route: route.fulfill(status=424),
            "**/hub/home": lambda route: route.fulfill(body='xsrf_token: "token"'),
            f"**/hub/api/users/{STUDENT}?*": self._user,
            "**/server/progress?*": self._events,
            "**/server?*": self._start,
        }
        for url, handler in self._routes.items():
            page.page.route(url, handler)

    def starting(self, message: str) -> None:
        """The hub starts the server, and says this about it."""
        self._servers = {"": {"pending": "spawn"}}
        self._progress = json.dumps({"progress": 10, "message": message})

    def over(self) -> None:
        """The server is here again."""
        for url, handler in self._routes.items():
            self._page.page.unroute(url, handler)
        goes_on(self._page)

    def _user(self, route: Route) -> None:
        body = json.dumps({"name": STUDENT, "servers": self._servers})
        route.fulfill(content_type="application/json", body=body)

    def _events(self, route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=f"data: {self._progress}\n\n")

    def _start(self, route: Route) -> None:
        self.started.append(route.request.method)
        self.starting("Found a seat.")
        route.fulfill()
