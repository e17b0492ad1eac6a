"""The extension of students' pages: its rules, and that the cookbook has what its sources build."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "hub/labextension"
LAID = REPOSITORY / "cookbooks/labswarm_worker/files/default/jupyterlab-labswarm"
# Node.js of the class environment, as `make extension` has it.
ENVIRONMENT = {**os.environ, "PATH": f"{REPOSITORY}/.class/bin:{os.environ['PATH']}"}


def npm(script: str) -> None:
    done = subprocess.run(
        ["npm", "--prefix", SOURCES, "run", "--silent", script],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_its_rules_pass_their_own_tests() -> None:
    npm("test")


def test_the_cookbook_has_the_build_of_these_sources() -> None:
    npm("build")
    built = SOURCES / "labextension"
    assert files(built) == files(LAID), "run make extension"
    differ = [name for name in files(built) if not filecmp.cmp(built / name, LAID / name, False)]
    assert differ == [], "run make extension"


def test_it_needs_nothing_but_a_jupyterlab_4() -> None:
    package = json.loads((LAID / "package.json").read_text())
    for name, version in package["dependencies"].items():
        assert name.startswith(("@jupyterlab/", "@lumino/")), name
        assert version in ("^4.0.0", "^6.0.0", "^7.0.0", "^2.0.0"), (name, version)


def test_jupyterlab_finds_it_by_jupyter_path(tmp_path: Path) -> None:
    folder = tmp_path / "labextensions"
    folder.mkdir()
    (folder / "jupyterlab-labswarm").symlink_to(LAID)
    listed = subprocess.run(
        [REPOSITORY / ".class/bin/python", "-m", "jupyter", "labextension", "list"],
        env={**ENVIRONMENT, "JUPYTER_PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    plain = re.sub(r"\x1b\[\d*m", "", listed.stdout + listed.stderr)
    assert "jupyterlab-labswarm v0.1.0 enabled OK" in plain


def test_it_is_a_wheel_too(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(LAID, sources / "labextension")
    shutil.copy(SOURCES / "pyproject.toml", sources)
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", *build, "-w", tmp_path, sources], check=True, capture_output=True
    )
    with zipfile.ZipFile(tmp_path / "jupyterlab_labswarm-0.1.0-py3-none-any.whl") as wheel:
        within = "jupyterlab_labswarm-0.1.0.data/data/share/jupyter/labextensions/"
        laid = [name.removeprefix(within) for name in wheel.namelist() if within in name]
    assert sorted(laid) == [f"jupyterlab-labswarm/{name}" for name in files(LAID)]
