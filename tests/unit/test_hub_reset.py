"""Settings are set aside for a student whose server does not start; nothing is deleted."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labswarm_hub.homes import set_settings_aside

NOW = datetime(2026, 12, 1, 6, 12, tzinfo=UTC)
ASIDE = "settings-2026-12-01-0612"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Folders belong to the students' user, which takes root.
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    home = tmp_path / "ada"
    for folder in (".local/lib", ".jupyter/lab", ".ssh", "work"):
        (home / folder).mkdir(parents=True)
    (home / ".jupyter/jupyter_server_config.py").write_text("raise SystemExit\n")
    (home / "work/thesis.ipynb").write_text("{}")
    return home


def test_settings_are_moved_into_a_folder_of_the_home_and_work_stays(home: Path) -> None:
    assert set_settings_aside(home, NOW) == ASIDE
    assert sorted(found.name for found in home.iterdir()) == [".ssh", ASIDE, "work"]
    assert sorted(found.name for found in (home / ASIDE).iterdir()) == [".jupyter", ".local"]
    assert (home / ASIDE / ".jupyter/jupyter_server_config.py").is_file()
    assert (home / ASIDE).stat().st_mode & 0o777 == 0o700


def test_twice_within_a_minute_makes_two_folders(home: Path) -> None:
    set_settings_aside(home, NOW)
    (home / ".jupyter").mkdir()
    assert set_settings_aside(home, NOW) == f"{ASIDE}-2"
    assert (home / f"{ASIDE}-2/.jupyter").is_dir()


def test_a_home_without_settings_stays_as_it_is(home: Path) -> None:
    set_settings_aside(home, NOW)
    assert set_settings_aside(home, NOW) is None
    assert sorted(found.name for found in home.iterdir()) == [".ssh", ASIDE, "work"]


def test_a_link_is_moved_and_not_followed(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "bob"
    (other / "secret").mkdir(parents=True)
    (home / ".ipython").symlink_to(other)
    set_settings_aside(home, NOW)
    assert (home / ASIDE / ".ipython").is_symlink()
    assert (other / "secret").is_dir()


def test_a_home_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "eve").symlink_to(home)
    with pytest.raises(OSError, match="eve"):
        set_settings_aside(tmp_path / "eve", NOW)
    assert (home / ".jupyter").is_dir()
