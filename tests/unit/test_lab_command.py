"""The command line before it knows any lab: names, completion, colours."""

import ast
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from labswarm_lab.lab import Lab
from labswarm_lab.naming import chosen
from labswarm_operator.cli import labswarm
from labswarm_operator.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("labswarm"))
THERE = ["i-0aaa", "i-0abb", "i-1"]


def test_a_node_is_named_by_its_id_or_by_as_much_of_it_as_no_other_has() -> None:
    assert [chosen(node, THERE) for node in ("i-0aaa", "i-0ab", "i-1")] == [*THERE]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("i-0a", "'i-0a' is the beginning of several nodes: i-0aaa, i-0abb."),
        ("x", "There is no node 'x'. Choose from: i-0aaa, i-0abb, i-1, hub."),
        ("", "There is no node ''. Choose from: i-0aaa, i-0abb, i-1, hub."),
        ("i-0aba", "There is no node 'i-0aba'. Did you mean 'i-0abb'?"),
        ("hbu", "There is no node 'hbu'. Did you mean 'hub'?"),
    ],
)
def test_any_other_name_is_refused_with_the_nearest_or_all_nodes(node: str, said: str) -> None:
    with pytest.raises(Refusal, match=re.escape(said)):
        chosen(node, THERE, also="hub")


@pytest.mark.parametrize(
    ("name", "usual", "command"),
    [
        ("lab", None, "`labswarm lab down`"),
        ("ux", None, "`labswarm lab --name ux down`"),
        ("ux", "ux", "`labswarm lab down`"),
        ("lab", "ux", "`labswarm lab --name lab down`"),
    ],
)
def test_a_hint_names_the_lab_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch, name: str, usual: str | None, command: str
) -> None:
    monkeypatch.delenv("LABSWARM_LAB", raising=False)
    if usual:
        monkeypatch.setenv("LABSWARM_LAB", usual)
    assert Lab.named(name).command("down") == command


def test_no_text_of_the_lab_names_a_command_without_its_lab() -> None:
    """Each hint is made by `Lab.command`."""
    wrong = []
    for file in (ROOT / "lab/labswarm_lab").rglob("*.py"):
        tree = ast.parse(file.read_text())
        wrong += [
            f"{file.name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call | ast.Raise | ast.Assign)
            for text in ast.walk(node)
            if isinstance(text, ast.Constant) and "`labswarm lab " in str(text.value)
        ]
    assert wrong == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_asks_the_command(shell: str) -> None:
    done = CliRunner().invoke(labswarm, ["completion", shell])
    assert done.exit_code == 0
    assert f"_LABSWARM_COMPLETE={shell}_complete" in done.output


def test_the_script_of_bash_is_one() -> None:
    script = CliRunner().invoke(labswarm, ["completion", "bash"]).output
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_tab_offers_commands_and_where_no_lab_is_only_the_hub_as_a_node() -> None:
    asked = {**os.environ, "_LABSWARM_COMPLETE": "bash_complete"}

    def offered(words: str) -> str:
        environment = {**asked, "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        done = subprocess.run(
            [COMMAND], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    assert {"plain,watch", "plain,timeline"} <= set(offered("labswarm lab ").split())
    assert offered("labswarm lab --name none-such cut ").split() == ["plain,hub"]


def refused_at_a_terminal(**environment: str) -> bytes:
    """A refusal on a terminal."""
    ours, theirs = pty.openpty()
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    subprocess.run(
        [COMMAND, "lab", "scale", "many"],
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environment},
        check=False,
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    return shown


def test_colours_are_for_terminals_and_for_those_who_want_them() -> None:
    assert b"\x1b[31m" in refused_at_a_terminal()
    assert b"\x1b[31m" not in refused_at_a_terminal(NO_COLOR="1")
    piped = subprocess.run(
        [COMMAND, "lab", "scale", "many"], capture_output=True, check=False
    ).stderr
    assert b"many" in piped
    assert b"\x1b" not in piped
