"""A saved and confirmed content must be there, and the last one."""

from pathlib import Path

import pytest
from tests.chaos.notebook import Notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    notebook = Notebook(tmp_path)
    for content in ("first", "second"):
        save(notebook, content)
    return notebook


def save(notebook: Notebook, content: str) -> None:
    notebook.try_save("w01/notes.txt", content)
    write(notebook.homes, content)
    notebook.confirm("w01/notes.txt")


def write(homes: Path, content: str) -> None:
    (homes / "w01").mkdir(exist_ok=True)
    (homes / "w01/notes.txt").write_text(content)


def test_a_file_as_it_was_saved_last_is_not_lost(notebook: Notebook, tmp_path: Path) -> None:
    write(tmp_path, "second")
    assert notebook.lost() == []
    assert (notebook.saves, notebook.files) == (2, 1)


def test_a_file_that_is_not_there_is_lost(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "w01/notes.txt").unlink()
    assert notebook.lost() == ["w01/notes.txt was saved, and is not there"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("first", "but that of a save begun "),
        ("", "but 0 bytes of no save, written "),
        ("secon", "but 5 bytes of no save, written "),
    ],
)
def test_a_file_with_older_or_partial_content_is_lost_and_named(
    notebook: Notebook, tmp_path: Path, content: str, what: str
) -> None:
    write(tmp_path, content)
    (sentence,) = notebook.lost()
    assert sentence.startswith("w01/notes.txt has not the content that was saved last (begun ")
    assert what in sentence


def test_an_unconfirmed_save_that_overwrites_a_confirmed_one_is_a_loss(
    notebook: Notebook, tmp_path: Path
) -> None:
    for content in ("hangs", "saved elsewhere"):
        notebook.try_save("w01/notes.txt", content)
    notebook.confirm("w01/notes.txt")
    write(tmp_path, "hangs")
    (sentence,) = notebook.lost()
    assert ", never confirmed, written " in sentence


@pytest.mark.parametrize("content", ["second", "third"])
def test_an_unconfirmed_save_may_be_there_or_not(
    notebook: Notebook, tmp_path: Path, content: str
) -> None:
    notebook.try_save("w01/notes.txt", "third")
    notebook.try_save("w01/never.txt", "anything")
    write(tmp_path, content)
    assert notebook.lost() == []


def test_a_loss_that_the_next_save_hides_is_found_when_it_begins(
    notebook: Notebook, tmp_path: Path
) -> None:
    assert notebook.overwritten == []
    write(tmp_path, "first")
    save(notebook, "third")
    assert notebook.lost() == []
    (sentence,) = notebook.overwritten
    assert "but that of a save begun " in sentence


def test_a_partial_unconfirmed_save_is_no_loss_after_another(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.try_save("w01/notes.txt", "third")
    write(tmp_path, "thi")
    save(notebook, "fourth")
    assert notebook.overwritten == []
