"""An open page on which nobody works: a warning, a way to keep the server, and why it stopped."""

import re
from collections.abc import Iterator

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.support.student_page import CHROMIUM, StudentPage, chromium, expect

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
    yield from brought_up("idle", "--workers", "1", "--idle-timeout", str(IDLE_S))


def test_an_open_page_keeps_its_server_only_while_somebody_works_on_it(lab: LabUnderTest) -> None:
    def seats_used() -> int:
        return sum(node["seats_used"] or 0 for node in lab.status()["nodes"])

    with chromium() as browser:
        ada = StudentPage(browser, lab.status()["hub"]["url"], "ada")
        ada.log_in()
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
        other.close()

        overlay.get_by_role("button", name="Start my server").click()
        expect(overlay).to_be_hidden(timeout=120_000)
        assert seats_used() == 1
        assert ada.dialogs() == []
