"""Each state of a student's page: its words, whether everybody can use it, and how it looks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.support.away import Away, banner_of, goes_on, overlay_of
from tests.support.lone_server import STUDENT, LoneServer, lone_server
from tests.support.notice_answers import NONE, NoticeAnswers, notice
from tests.support.student_page import CHROMIUM, StudentPage, chromium, expect, text

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
KINDS = {
    "interruption": "Your server is moving to another machine",
    "terminate": "The machine of your server goes out of service",
    "idle": "Your server is idle and stops soon",
    "age": "Your server stops soon",
    "lab": "Your lab ends soon",
    "memory": "Out of memory",
    "home": "Your home is nearly full",
    "hub": "The hub goes down for a moment",
}
TIMELESS = ("memory", "home")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneServer]:
    with lone_server(tmp_path_factory.mktemp("lone")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=["light", pytest.param("dark", marks=pytest.mark.deep)])
def opened(
    request: pytest.FixtureRequest, server: LoneServer, browser: Browser
) -> Iterator[tuple[StudentPage, NoticeAnswers]]:
    """A page in one of JupyterLab's two themes, and the answers that it gets about notices."""
    student = StudentPage(browser, server.site, STUDENT)
    answers = NoticeAnswers(student.page)
    (server.home / "notes.txt").write_text("first\n")
    student.open("notes.txt")
    student.theme = request.param
    if student.theme == "dark":
        student.choose_theme("JupyterLab Dark")
        student.open("notes.txt")
    yield student, answers
    student.close()


@pytest.fixture
def page(opened: tuple[StudentPage, NoticeAnswers]) -> Iterator[StudentPage]:
    """The page while its server is there and has no notice, as every test leaves it."""
    student, answers = opened
    yield student
    student.context.set_offline(False)
    expect(overlay_of(student)).to_be_hidden(timeout=60_000)
    answers.say(NONE)
    expect(banner_of(student)).to_be_hidden(timeout=30_000)


@pytest.fixture
def answers(opened: tuple[StudentPage, NoticeAnswers]) -> NoticeAnswers:
    return opened[1]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_notice_is_shown_and_can_be_used_without_a_mouse(
    page: StudentPage, answers: NoticeAnswers, kind: str
) -> None:
    banner = banner_of(page)
    answers.say(notice(kind, None if kind in TIMELESS else 150))
    expect(banner).to_contain_text(KINDS[kind], timeout=30_000)
    expect(banner).to_contain_text("Save your files.")
    if kind not in TIMELESS:
        expect(banner.locator(".labswarm-countdown")).to_contain_text("2 min")
    assert page.faults(".labswarm-banner") == []
    page.screenshot(f"notice-{kind}-{page.theme}")

    hide = banner.get_by_role("button", name="Hide")
    hide.focus()
    page.page.keyboard.press("Enter")
    expect(banner).to_be_hidden()


MARKUP = "<img src=x onerror=\"document.title='stolen'\"> & <b>bold</b>"


def test_a_notice_with_markup_is_shown_as_text(page: StudentPage, answers: NoticeAnswers) -> None:
    answers.say(notice("terminate", 150, MARKUP))
    banner = banner_of(page)
    expect(banner).to_contain_text(MARKUP, timeout=30_000)
    assert banner.locator("img, b").count() == 0
    assert page.page.title() != "stolen"


def test_an_instructors_message_is_shown_as_text_next_to_a_notice(
    page: StudentPage, answers: NoticeAnswers
) -> None:
    words = f"Please save.\nThe next part is in 5 minutes. {MARKUP}"
    said = notice("terminate", 150) | {"message": {"id": 1796078007123, "text": words}}
    answers.say(said)
    message = page.page.locator(".labswarm-message")
    expect(message).to_contain_text("A message from your instructor:", timeout=30_000)
    expect(message).to_contain_text(words)
    assert message.locator("img, b").count() == 0
    expect(banner_of(page)).to_contain_text(KINDS["terminate"])
    assert page.faults(".labswarm-corner") == []
    page.screenshot(f"message-{page.theme}")

    message.get_by_role("button", name="Hide").click()
    expect(message).to_be_hidden()
    expect(banner_of(page)).to_be_visible()


def test_a_countdown_goes_by_the_servers_clock(page: StudentPage, answers: NoticeAnswers) -> None:
    answer = notice("terminate", 150)
    answer["now"] -= 300
    answer["notice"]["deadline"] -= 300
    answers.say(answer)
    expect(banner_of(page).locator(".labswarm-countdown")).to_contain_text("2 min", timeout=30_000)


def test_a_countdown_in_the_past_is_now(page: StudentPage, answers: NoticeAnswers) -> None:
    answers.say(notice("interruption", -50))
    countdown = banner_of(page).locator(".labswarm-countdown")
    expect(countdown).to_have_text("At the latest now.", timeout=30_000)


def test_a_page_whose_server_starts_elsewhere_follows_the_line(
    page: StudentPage, answers: NoticeAnswers
) -> None:
    overlay = overlay_of(page)
    in_line = "All seats are taken. You are number 3 in line."
    answers.say(notice("interruption", 80))
    expect(banner_of(page)).to_be_visible(timeout=30_000)
    away = Away(page)
    away.starting(in_line)
    expect(overlay).to_contain_text("Your server is moving to another machine", timeout=30_000)
    expect(overlay).to_contain_text(in_line, timeout=30_000)
    assert page.faults(".labswarm-overlay") == []
    page.screenshot(f"in-line-{page.theme}")

    away.over()
    assert page.dialogs() == []


def test_a_page_whose_server_was_idle_says_why_it_stopped_and_starts_it(
    page: StudentPage, answers: NoticeAnswers
) -> None:
    overlay = overlay_of(page)
    answers.say(notice("idle", 5))
    expect(banner_of(page)).to_be_visible(timeout=30_000)
    away = Away(page)
    expect(overlay).to_contain_text("Your server is stopped", timeout=40_000)
    expect(overlay).to_contain_text("Nobody worked on it for a while")
    assert page.faults(".labswarm-overlay") == []
    page.screenshot(f"stopped-{page.theme}")
    # Nothing behind the overlay can be reached by the keyboard.
    button = overlay.get_by_role("button", name="Start my server")
    page.page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(overlay).to_contain_text("Your server is starting", timeout=30_000)
    assert away.started == ["POST"]

    away.over()
    assert page.dialogs() == []


@pytest.mark.parametrize("kind", ["idle", "lab"])
def test_a_student_who_keeps_working_keeps_the_server(
    page: StudentPage, answers: NoticeAnswers, kind: str
) -> None:
    answers.say(notice(kind, 150))
    keep = banner_of(page).get_by_role("button", name="Keep working")
    expect(keep).to_be_visible(timeout=30_000)
    keep.focus()
    with page.page.expect_response("**/labswarm/work") as reported:
        page.page.keyboard.press("Enter")
    assert reported.value.status == 204
    expect(banner_of(page)).to_be_hidden()


def test_a_page_without_a_connection_says_so_and_goes_on(
    page: StudentPage, answers: NoticeAnswers
) -> None:
    overlay = overlay_of(page)
    page.context.set_offline(True)
    answers.break_off()
    expect(overlay).to_contain_text("There is no connection", timeout=40_000)
    page.screenshot(f"offline-{page.theme}")
    page.context.set_offline(False)
    goes_on(page)
    assert page.dialogs() == []


@pytest.mark.deep
@pytest.mark.parametrize(
    "rubbish",
    ["<html>", "[]", '{"notice": 7}', '{"notice": {"kind": "party", "message": "x"}}'],
)
def test_an_answer_that_makes_no_sense_shows_nothing(
    page: StudentPage, answers: NoticeAnswers, rubbish: str
) -> None:
    before = page.dialogs()
    # The page asks again 10 s after an answer that it cannot read.
    with page.page.expect_request("**/labswarm/notice**", timeout=30_000):
        answers.say(rubbish)
    expect(banner_of(page)).to_be_hidden()
    assert page.dialogs() == before


def test_a_newer_version_on_disk_is_not_overwritten_unasked(
    page: StudentPage, server: LoneServer, answers: NoticeAnswers
) -> None:
    file = server.home / "both.txt"
    file.write_text("first\n")
    page.open("both.txt")
    page.page.locator(".jp-FileEditor:visible .cm-content").click()
    page.page.keyboard.type("typed here, ")
    page.save("both.txt", text("written elsewhere\n"))

    answers.say(notice("interruption", 80))

    asked = page.page.locator(".jp-Dialog", has_text="File Changed")
    expect(asked).to_be_visible(timeout=30_000)
    page.screenshot(f"newer-{page.theme}")
    asked.get_by_role("button", name="Cancel").click()
    expect(banner_of(page)).to_contain_text(
        "Not saved: both.txt (there is a newer version on disk)."
    )
    assert file.read_text() == "written elsewhere\n"
