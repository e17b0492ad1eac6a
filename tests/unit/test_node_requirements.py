"""The parts that a machine lacks for real nodes, and the remedies."""

import os
import shutil
import subprocess
import sys

import pytest

from labswarm_lab.nodes import requirements
from labswarm_lab.nodes.requirements import Missing, missing


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, path: None if name == "dockerd" else name)
    monkeypatch.setattr(requirements, "_of_the_kernel", list)
    (lacking,) = missing()
    assert lacking.what == "dockerd"
    assert "apt-get install docker.io" in lacking.remedy


def test_root_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name, path: name)
    assert missing() == [Missing("root", "run it as root: sudo make lab")]
    assert str(missing()[0]) == "root (run it as root: sudo make lab)"


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or bool(missing()),
    reason="needs to be root where real nodes can be had, and setpriv (Debian: util-linux)",
)
def test_without_the_right_to_make_namespaces_it_says_so() -> None:
    script = (
        "from labswarm_lab.nodes.requirements import missing; print([m.what for m in missing()])"
    )
    done = subprocess.run(
        [
            *("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"),
            *(sys.executable, "-c", script),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'namespaces'" in done.stdout
