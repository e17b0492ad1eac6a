"""A student at a real browser: Debian's Chromium, driven by Playwright."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

from labswarm_lab.chromium import ARGUMENTS, CHROMIUM

_REPOSITORY = Path(__file__).resolve().parents[2]
AXE = _REPOSITORY / "hub/labextension/node_modules/axe-core/axe.min.js"
SCREENSHOTS = _REPOSITORY / "build/screenshots"
FAILURES = _REPOSITORY / "build/failures"
WIDTHS = (1280, 400)
# Every dialog, and every text of the banner and the overlay, however short it was shown.
_WATCH = """
window.seenDialogs = [];
window.seenTexts = {banner: [], overlay: []};
new MutationObserver(changes => {
  for (const change of changes) for (const node of change.addedNodes)
    if (node instanceof HTMLElement && node.matches('.jp-Dialog'))
      window.seenDialogs.push(node.innerText);
  for (const [name, texts] of Object.entries(window.seenTexts)) {
    const text = document.querySelector(`.labswarm-${name}:not([hidden])`)?.innerText;
    if (text && text !== texts.at(-1)) texts.push(text);
  }
}).observe(document, {childList: true, subtree: true, attributes: true, characterData: true});
"""


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium with a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


class StudentPage:
    """One tab of a student. `site` is the hub, or the server of a student without one."""

    def __init__(
        self, browser: Browser, site: str, student: str, context: BrowserContext | None = None
    ) -> None:
        """`context` is that of another tab of the same student."""
        self.theme = "light"
        if context is None:
            context = browser.new_context(viewport={"width": WIDTHS[0], "height": 800})
            context.add_init_script(_WATCH)
        self.context: BrowserContext = context
        self.page: Page = self.context.new_page()
        self.site, self.student = site, student
        self._events: list[str] = []
        self._record()

    def ask_for_server(self) -> None:
        """Log in at the hub, which starts the server."""
        self.page.goto(f"{self.site}/hub/login")
        self.page.fill("#username_input", self.student)
        self.page.fill("#password_input", "x")
        self.page.click("#login_submit")

    def log_in(self) -> None:
        """Log in at the hub, and wait for the server."""
        self.ask_for_server()
        self.await_server()

    def await_server(self) -> None:
        """Wait until the page of the start has opened the server."""
        self.page.wait_for_url(f"**/user/{self.student}/lab**", timeout=120_000)
        self._ready()

    def open(self, *files: str) -> None:
        """Open files in the tab, each over the one before."""
        self.page.goto(f"{self.site}/user/{self.student}/lab/tree/{files[0]}")
        self._ready()
        self._in_front(files[0])
        for file in files[1:]:
            listed = self.page.locator(".jp-DirListing-itemText", has_text=file)
            listed.first.dblclick(timeout=30_000)
            self._in_front(file)

    def save(self, path: str, model: dict[str, Any]) -> None:
        """Write a file on the server, past the page."""
        self._put(f"api/contents/{path}", model)

    def choose_theme(self, name: str) -> None:
        """Choose one of JupyterLab's themes, for the next time that the page is opened."""
        themes = "lab/api/settings/@jupyterlab/apputils-extension:themes"
        self._put(themes, {"raw": json.dumps({"theme": name})})

    def _put(self, path: str, body: dict[str, Any]) -> None:
        status = self.page.evaluate(
            """async ([url, body]) => {
                const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
                const answer = await fetch(url, {method: 'PUT', body: JSON.stringify(body),
                    headers: {'X-XSRFToken': xsrf, 'Content-Type': 'application/json'}});
                return answer.status;
            }""",
            [f"/user/{self.student}/{path}", body],
        )
        assert 200 <= status < 300, status

    def type_in_cell(self, text: str, number: int = 0) -> None:
        """Type at the end of a cell of the notebook in front."""
        self._cell(number).click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)

    def scroll_to_cell(self, number: int) -> None:
        """Bring a cell into view."""
        self._cell(number).scroll_into_view_if_needed()

    def place(self) -> dict[str, Any]:
        """Where the student is: the open tabs, how far down the notebook, and the cursor."""
        place: dict[str, Any] = self.page.evaluate(
            """() => ({
                tabs: [...document.querySelectorAll('#jp-main-dock-panel .lm-TabBar-tabLabel')]
                    .map(label => label.textContent),
                scrolled: Math.max(...[...document.querySelectorAll('.jp-NotebookPanel *')]
                    .map(node => Math.round(node.scrollTop))),
                cell: document.querySelector('.jp-Cell.jp-mod-active .cm-content')?.innerText,
                cursor: getSelection().focusOffset,
            })"""
        )
        return place

    def dialogs(self) -> list[str]:
        """The texts of all dialogs that were shown since the page was loaded."""
        seen: list[str] = self.page.evaluate("window.seenDialogs")
        return seen

    def texts(self, name: Literal["banner", "overlay"]) -> str:
        """All texts that the banner or the overlay has shown since the page was loaded."""
        seen: list[str] = self.page.evaluate("name => window.seenTexts[name]", name)
        return "\n".join(" ".join(text.split()) for text in seen)

    def faults(self, selector: str) -> list[str]:
        """axe's findings in a part of the page that keep somebody from using it."""
        return faults(self.page, selector)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the page in each width, in build/screenshots."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        assert size is not None
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": size["height"]})
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png")
        self.page.set_viewport_size(size)

    def keep(self, name: str) -> None:
        """Keep a picture of the page, its texts and what happened in it, in build/failures."""
        FAILURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=FAILURES / f"{name}.png")
        texts = [f"{name}: {self.texts(name)}" for name in ("banner", "overlay")]
        lines = [*self._events, *texts, f"place: {self.place()}", f"dialogs: {self.dialogs()}"]
        (FAILURES / f"{name}.txt").write_text("\n".join(lines))

    def _record(self) -> None:
        """Note saves, failed requests and messages of the console, for `keep`."""

        def note(words: str) -> None:
            self._events.append(f"{datetime.now():%H:%M:%S.%f} {words}")

        def answered(answer: Response) -> None:
            request = answer.request
            if answer.status >= 400 or request.method in ("PUT", "POST"):
                note(f"{answer.status} {request.method} {request.url}")

        self.page.on("console", lambda said: note(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: note(f"error: {error}"))
        self.page.on("requestfailed", lambda one: note(f"{one.failure} {one.method} {one.url}"))
        self.page.on("response", answered)

    def close(self) -> None:
        """Close the tab and forget its cookies."""
        self.context.close()

    def _in_front(self, file: str) -> None:
        # The tabs of the last visit are restored first.
        tab = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current")
        tab.filter(has_text=file).wait_for()
        self.page.locator(".jp-Document:visible .cm-content").first.wait_for()

    def _cell(self, number: int) -> Locator:
        cells = self.page.locator(".jp-Notebook:visible .jp-Cell")
        return cells.nth(number).locator(".cm-content")

    def _ready(self) -> None:
        self.page.wait_for_selector("#jp-main-dock-panel", timeout=120_000)
        self.page.wait_for_selector(".labswarm-banner", state="attached", timeout=60_000)


def faults(page: Page, selector: str) -> list[str]:
    """axe's findings in a part of a page that keep somebody from using it."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(
        """async selector => (await axe.run(selector)).violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`)""",
        selector,
    )
    return found


def notebook(*cells: str) -> dict[str, Any]:
    """A contents model of a Python notebook with these cells."""
    return {
        "type": "notebook",
        "format": "json",
        "content": {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
    }


def text(content: str) -> dict[str, Any]:
    """A contents model of a file of text."""
    return {"type": "file", "format": "text", "content": content}


def source_of(file: Path, number: int = 0) -> str:
    """A cell of a notebook on disk; empty while the file is being written."""
    try:
        cells = json.loads(file.read_text())["cells"]
    except json.JSONDecodeError:
        return ""
    return "".join(cells[number]["source"])


def within(seconds: float, is_so: Callable[[], bool], what: str) -> float:
    """Wait until it is so; the seconds that it took."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() < begun + seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - begun


__all__ = [
    "CHROMIUM",
    "StudentPage",
    "chromium",
    "expect",
    "notebook",
    "source_of",
    "text",
    "within",
]
