"""Folders of the class: from the document to the mounts of a student's server."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.support.hub_settings import SETTINGS

from labswarm.document.parse import BadDocument, parse
from labswarm.document.settings import hub_settings
from labswarm.errors import BadInput
from labswarm_hub.folders import Folder, make_folder, mounts
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import HOME, Server, service_spec

DOCUMENT = """
singleuser:
  storage:
    capacity: 10G
    extraVolumeMounts:
      - name: datasets
        mountPath: /srv/datasets
        readOnly: true
      - name: physics
        mountPath: /home/jovyan/physics
        readOnly: true
        readers: [physics]
        writers: [physics-teachers]
      - name: exchange
        mountPath: /srv/nbgrader/exchange
"""
DATASETS = {"Source": "/homes/.folders/datasets", "Target": "/srv/datasets"}
PHYSICS = {"Source": "/homes/.folders/physics", "Target": "/home/jovyan/physics"}
EXCHANGE = {"Source": "/homes/.folders/exchange", "Target": "/srv/nbgrader/exchange"}


def settings(text: str = DOCUMENT) -> HubSettings:
    return HubSettings.parse(json.dumps(hub_settings(parse(text), SETTINGS)))


def seen_by(*groups: str, admin: bool = False) -> list[dict[str, Any]]:
    read = settings()
    return list(mounts(read.folders, read.homes, groups, admin=admin))


def mount(folder: dict[str, str], *, read_only: bool) -> dict[str, Any]:
    return {"Type": "bind", **folder, "ReadOnly": read_only}


def test_a_student_reads_what_is_for_all_and_writes_where_nothing_else_is_said() -> None:
    assert seen_by("chemistry") == [
        mount(DATASETS, read_only=True),
        mount(EXCHANGE, read_only=False),
    ]


def test_a_student_of_the_class_reads_its_folder_and_an_instructor_writes_in_it() -> None:
    assert mount(PHYSICS, read_only=True) in seen_by("physics")
    assert mount(PHYSICS, read_only=False) in seen_by("physics-teachers")
    assert mount(PHYSICS, read_only=False) in seen_by("physics", "physics-teachers")


def test_an_admin_writes_in_every_folder() -> None:
    assert [one["ReadOnly"] for one in seen_by(admin=True)] == [False] * 3


def test_a_servers_folders_are_mounted_next_to_its_home() -> None:
    read = settings()
    folders = seen_by("physics")
    spec = service_spec(read, read.own, Server("ada"), "n1", ["run"], {}, folders=folders)

    mounted = spec["task_template"]["ContainerSpec"]["Mounts"]
    assert [one for one in mounted if one in folders] == folders
    assert HOME in [one["Target"] for one in mounted]


def test_the_size_of_a_home_reaches_the_hub() -> None:
    assert settings().home_bytes == 10 * 2**30
    assert settings("").home_bytes is None


def test_a_folder_is_made_once_for_the_students_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned: dict[Path, tuple[int, int]] = {}
    monkeypatch.setattr(os, "chown", lambda file, uid, gid: owned.update({file: (uid, gid)}))

    make_folder(tmp_path, "physics")
    (tmp_path / ".folders/physics/notes.md").write_text("kept")
    make_folder(tmp_path, "physics")

    folder = tmp_path / ".folders/physics"
    assert (folder / "notes.md").read_text() == "kept"
    assert owned == {folder: (1000, 100)} or folder.stat().st_uid == 1000
    assert stat.S_IMODE(folder.stat().st_mode) & 0o700 == 0o700


def test_no_folder_is_made_where_the_homes_are_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_folder(tmp_path / "homes", "physics")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *((path, False) for path in ("/home/jovyan", "/etc/jupyter", "/srv", "physics", "/opt/x")),
        *((path, False) for path in ("/srv/../etc", "/home/jovyan/.ssh", "/home/jovyan/a/../..")),
        *((path, True) for path in ("/home/jovyan/physics", "/srv/nbgrader/exchange", "/mnt/a_1")),
    ],
)
def test_a_folder_hides_nothing_of_the_image_or_the_home(path: str, allowed: bool) -> None:
    mounted = json.dumps([{"name": "a", "mountPath": path}])
    text = f"singleuser: {{storage: {{extraVolumeMounts: {mounted}}}}}"
    if allowed:
        parse(text)
        return
    with pytest.raises(BadDocument, match="Allowed: a folder below /home/jovyan, /srv or /mnt"):
        parse(text)


@pytest.mark.parametrize(
    "mounted",
    [
        "[{name: a, mountPath: /srv/a}, {name: a, mountPath: /srv/b}]",
        "[{name: a, mountPath: /srv/a}, {name: b, mountPath: /srv/a}]",
    ],
    ids=["names", "paths"],
)
def test_two_folders_of_one_name_or_place_are_refused(mounted: str) -> None:
    with pytest.raises(BadDocument, match="one of its own for each folder"):
        parse(f"singleuser: {{storage: {{extraVolumeMounts: {mounted}}}}}")


def test_zero_to_jupyterhubs_volumes_are_refused_with_the_remedy() -> None:
    with pytest.raises(BadDocument, match="a folder is made by its name"):
        parse("singleuser: {storage: {extraVolumes: [{name: a, nfs: {server: b}}]}}")


def test_a_hub_refuses_a_folder_without_a_place() -> None:
    with pytest.raises(BadInput, match="target"):
        HubSettings.parse(json.dumps({**SETTINGS, "folders": {"a": {}}}))


def test_readers_and_writers_are_separate() -> None:
    folder = Folder("/srv/a", readers=("class",))
    assert folder.writable({"class"}, admin=False) is True
    assert folder.writable(set(), admin=False) is None
