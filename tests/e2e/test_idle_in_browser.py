"""A start without a node, and an open page on which nobody works, as the student sees them."""

import re
from collections.abc import Iterator

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.support.student_page import CHROMIUM, SCREENSHOTS, StudentPage, chromium, expect

from labswarm_lab.nodes.requirements import missing

pytestmark = [
    pytest.mark.swarm,
    # The idle timeout passes twice.
    pytest.mark.deep,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
IDLE_S = 60


@pytest.fixture(scope="module")
def lab() -> Iterator[LabUnderTest]:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up("idle", "--workers", "0", "--idle-timeout", str(IDLE_S))


def test_an_open_page_keeps_its_server_only_while_somebody_works_on_it(lab: LabUnderTest) -> None:
    """The first start, too: there is no node yet."""

    def seats_used() -> int:
        return sum(node["seats_used"] or 0 for node in lab.status()["nodes"])

    with chromium() as browser:
        ada = StudentPage(browser, lab.status()["hub"]["url"], "ada")
        ada.ask_for_server()
        progress = ada.page.locator("#progress-message")
        expect(progress).to_have_text(
            re.compile(r"A machine is starting for you: about \d+ (s|min)\. You are next\."),
            timeout=60_000,
        )
        expect(ada.page.locator("h1")).to_have_text("Your server is starting")
        assert ada.faults(".container") == []
        ada.screenshot("spawn")
        ada.await_server()
        banner = ada.page.locator(".labswarm-banner")
        keep = banner.get_by_role("button", name="Keep working")

        expect(keep).to_be_visible(timeout=2 * IDLE_S * 1000)
        expect(banner).to_contain_text("Your server is idle and stops soon")
        expect(banner.locator(".labswarm-countdown")).to_have_text(re.compile(r"In \d\d? s\."))
        keep.click()
        expect(banner).to_be_hidden(timeout=10_000)
        # Over the time at which it would have been stopped.
        ada.page.wait_for_timeout(IDLE_S * 1000 // 2)
        assert seats_used() == 1

        overlay = ada.page.locator(".labswarm-overlay")
        expect(overlay).to_contain_text("Your server is stopped", timeout=3 * IDLE_S * 1000)
        expect(overlay).to_contain_text("Nobody worked on it for a while")
        assert seats_used() == 0
        other = ada.context.new_page()
        other.goto(f"{ada.site}/hub/user/ada/lab")
        expect(other.locator("body")).to_contain_text("Nobody worked on it for a while")
        other.screenshot(path=SCREENSHOTS / "why-stopped.png")
        other.close()

        overlay.get_by_role("button", name="Start my server").click()
        expect(overlay).to_be_hidden(timeout=120_000)
        assert seats_used() == 1
        assert ada.dialogs() == []
