"""Answers of a student's server about notices, as a test gives them to the page."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

NONE: dict[str, Any] = {"notice": None}


class NoticeAnswers:
    """Answers the page's questions for notices as `labswarm_notice` does.

    A question waits until there is something else to say than the page has.
    """

    def __init__(self, page: Page) -> None:
        self._answer: str | dict[str, Any] | None = NONE
        self._kept: Route | None = None
        self._made = time.time()
        page.route("**/labswarm/notice**", self._asked)

    def say(self, answer: str | dict[str, Any]) -> None:
        """Give this answer from now on; a text is given as it is."""
        self._answer, self._made = answer, time.time()
        self._answer_kept()

    def break_off(self) -> None:
        """Break off each question, as a lost network does, until there is an answer again."""
        self._answer = None
        self._answer_kept()

    def _asked(self, route: Route) -> None:
        question = parse_qs(urlsplit(route.request.url).query, keep_blank_values=True)
        self._kept = route
        if question["wait"] == ["0"] or (question["had"], question["read"]) != (
            [_name(self._answer)],
            [_message(self._answer)],
        ):
            self._answer_kept()

    def _answer_kept(self) -> None:
        route, self._kept = self._kept, None
        if route is None:
            return
        if self._answer is None:
            route.abort("internetdisconnected")
        elif isinstance(self._answer, str):
            route.fulfill(content_type="application/json", body=self._answer)
        else:
            now = self._answer.get("now", self._made) + time.time() - self._made
            route.fulfill(json={"message": None, **self._answer, "now": now})


def _name(answer: str | dict[str, Any] | None) -> str | None:
    """Return the page's name for a notice; None for an answer that the page cannot read."""
    if answer is None or isinstance(answer, str):
        return None
    notice = answer["notice"]
    return f"{notice['kind']}.{json.dumps(notice['deadline'])}.{notice['id']}" if notice else ""


def _message(answer: str | dict[str, Any] | None) -> str | None:
    """Return the id of an instructor's message; None for an answer that the page cannot read."""
    if answer is None or isinstance(answer, str):
        return None
    message = answer.get("message")
    return str(message["id"]) if message else ""


def notice(kind: str, left_s: float | None, message: str = "Save your files.") -> dict[str, Any]:
    """Return an answer with a notice whose time is over in so many seconds."""
    now = time.time()
    deadline = None if left_s is None else int(now + left_s)
    said = {"kind": kind, "deadline": deadline, "id": 0, "message": message}
    return {"notice": said, "now": now}
