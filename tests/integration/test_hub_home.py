"""The hub's home page shows the notices of servers whose own pages show none."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route
from tests.support.class_environment import PACKAGES
from tests.support.student_page import CHROMIUM, SCREENSHOTS, WIDTHS, chromium, expect, faults

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)

from tests.support.hub_pages import THEIRS, Student, rendered

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium")
SITE = "http://hub.example"
NOTICE = "**/user/ada/labswarm/notice"


@pytest.fixture
def page() -> Iterator[Page]:
    """The home page of a student with a running server, a stopped one, and one without notices."""
    home = rendered(
        "home.html",
        user=Student(default=True, stopped=False, other=True),
        default_server={"active": True},
        base_url="/hub/",
    )
    with chromium() as browser:
        opened = browser.new_page()
        opened.route(f"{SITE}/**", lambda route: route.fulfill(status=404))
        # The page as it looks, without its scripts.
        style = THEIRS.parent / "static/css/style.min.css"
        opened.route("**/style.min.css", lambda route: route.fulfill(path=style))
        opened.route(f"{SITE}/hub/home", lambda route: route.fulfill(body=home))
        yield opened


def answer(page: Page, said: Any) -> list[str]:
    """Let the running server say this, and open the page; the questions of the page."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def given(route: Route) -> None:
        route.fulfill(body=said) if isinstance(said, str) else route.fulfill(json=said)

    page.route(NOTICE, given)
    page.goto(f"{SITE}/hub/home")
    return [url for url in asked if "labswarm" in url]


def test_notice_and_message_are_shown_as_text(page: Page) -> None:
    markup = "<img src=x onerror=\"document.title='stolen'\"> Save <b>now</b>."
    notice = {
        "kind": "terminate",
        "deadline": int(time.time()) + 600,
        "id": 0,
        "message": "It goes.",
    }
    asked = answer(page, {"notice": notice, "message": {"id": 1, "text": markup}, "now": 1})
    shown = page.locator("#labswarm-notices")
    expect(shown).to_contain_text("Notice about your server (")
    expect(shown).to_contain_text("): It goes.")
    expect(shown).to_contain_text(f"A message from your instructor: {markup}")
    assert shown.locator("img, b").count() == 0
    # Only servers that run are asked.
    assert {url.removeprefix(SITE) for url in asked} <= {
        "/user/ada/labswarm/notice",
        "/user/ada/other/labswarm/notice",
    }
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=SCREENSHOTS / f"hub-home-{theme}-{width}.png")
        assert faults(page, "#labswarm-notices") == []


@pytest.mark.parametrize("rubbish", ["<html>", "[]", "null", '{"notice": null, "message": null}'])
def test_a_server_that_says_nothing_sensible_leaves_the_page_as_it_is(
    page: Page, rubbish: str
) -> None:
    failures: list[object] = []
    page.on("pageerror", lambda failure: failures.append(failure))
    with page.expect_response(NOTICE):
        answer(page, rubbish)
    expect(page.locator("#labswarm-notices")).to_be_empty()
    assert not [failure for failure in failures if "require" not in str(failure)]
