"""`pip install .` in an empty environment gives an operator's command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
COMMANDS = ("reconcile", "redrive", "roll", "doctor", "completion")


@pytest.fixture(scope="module")
def bin_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment with nothing but the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("install")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sources = folder / "sources"
    for name in filter(None, listed.split("\0")):
        # The build leaves its own files next to the sources: it gets a copy.
        wanted = name.endswith((".py", ".toml", ".typed", ".sh", ".json", ".md"))
        if (wanted or name == "LICENSE") and (ROOT / name).exists():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, sources / name)
    wheels = folder / "wheels"
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels))
    subprocess.run([*PIP, *build, str(sources)], check=True)
    (wheel,) = wheels.glob("labswarm-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    subprocess.run([*PIP, "--python", environment / "bin/python", "install", wheel], check=True)
    return environment / "bin"


def run(bin_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [bin_dir / "labswarm", *words], capture_output=True, text=True, check=False, env=clean
    )


def test_every_help_of_the_operators_commands_is_printed(bin_dir: Path) -> None:
    listed = run(bin_dir, "--help")
    assert listed.returncode == 0, listed.stderr
    for command in COMMANDS:
        shown = run(bin_dir, command, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"  {command} " in listed.stdout


def test_without_the_extra_the_lab_says_how_to_get_it(bin_dir: Path) -> None:
    refused = run(bin_dir, "lab", "up", "--workers", "3")
    assert refused.returncode == 2
    assert "needs the extra 'lab'" in refused.stderr
    assert "pip install --editable '.[lab]'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert run(bin_dir, "lab", "--help").returncode == 0


def test_a_command_on_a_lab_says_that_aws_is_an_option(bin_dir: Path) -> None:
    refused = run(bin_dir, "reconcile")
    assert refused.returncode == 2
    assert refused.stderr.rstrip().endswith("To work on AWS, add --aws.")


def test_the_tools_of_a_node_are_there_with_its_extra_only(bin_dir: Path) -> None:
    assert (bin_dir / "labswarm-node").exists()
    shown = subprocess.run(
        [bin_dir / "labswarm-node", "--help"], capture_output=True, text=True, check=False
    )
    assert shown.returncode in (0, 2)
