"""The hub's pages in this project's words, over JupyterHub's own templates."""

import pytest
from tests.support.class_environment import PACKAGES

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)

from tests.support.hub_pages import OURS, THEIRS, Student, rendered


def test_each_of_our_pages_extends_one_of_jupyterhubs() -> None:
    for file in OURS.iterdir():
        assert (THEIRS / file.name).is_file()
        assert file.read_text().startswith(f'{{% extends "templates/{file.name}" %}}')


def test_the_page_of_a_start_says_that_the_place_is_kept_and_when_it_failed() -> None:
    page = rendered("spawn_pending.html", progress_url="/hub/api/progress")
    assert "Keep the page open: you keep your place in line." in page
    assert "Your server did not start" in page
    # JupyterHub's own script follows the start, and marks the bar as ours expects it.
    assert 'progressBar.addClass("bg-danger")' in page.replace("'", '"')
    assert 'id="progress-bar"' in page


@pytest.mark.parametrize(
    ("server_name", "said"),
    [
        ("", "Nobody worked on it for an hour. Your files are safe."),
        (
            "two",
            "It was stopped from another tab, or because nobody worked on it for a while. "
            "Your files are safe.",
        ),
    ],
)
def test_a_stopped_server_says_why_and_has_one_button(server_name: str, said: str) -> None:
    page = rendered(
        "not_running.html",
        server_name=server_name,
        why_stopped={"": "Nobody worked on it for an hour."},
    )
    assert "Your server is stopped" in page
    assert said in page
    assert page.count("Start my server") == 1


@pytest.mark.parametrize(
    ("active", "offers", "forms"), [(False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_a_student_without_a_server_is_offered_a_start_with_clean_settings(
    active: bool, offers: bool, forms: int
) -> None:
    page = rendered(
        "home.html",
        offers_reset=offers,
        default_server={"active": active},
        base_url="/hub/",
        user=Student(),
        xsrf_token="a-token",
    )
    assert page.count('action="/hub/spawn"') == forms
    assert page.count('name="_xsrf" value="a-token"') == forms
    assert ("Nothing is deleted." in page) == bool(forms)


def test_a_start_that_failed_has_its_reason_and_the_button() -> None:
    page = rendered("not_running.html", failed=True, failed_message="<b>Your server</b> ended.")
    assert "Your server did not start" in page
    assert "&lt;b&gt;Your server&lt;/b&gt; ended." in page
    assert 'href="/hub/spawn/ada"' in page
