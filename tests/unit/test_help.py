"""The help texts: each begins with a verb, and none is cut off at 80 columns."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path as File

import click
import pytest
from tests.support.command_tree import Path, commands

COLUMNS = 80
WORDS = (
    "add affect answer begin book check choose clear compare connect crash cut delay deliver deny "
    "draw drop end exit give hold inject install keep kill let list lose lower make move never "
    "press print read refuse remove repeat replace report restore return roll "
    "run send set show simulate "
    "change open start stop throttle use watch write "
)
OF_PROGRAMS = (
    "activate back carry drain emulate end evacuate fetch join label leave limit listen look "
    "multiply name notify pause price pull "
)
VERBS = frozenset((WORDS + OF_PROGRAMS).split())
TREE = list(commands())


def named(path: Path) -> str:
    return " ".join(path)


def context(path: Path, command: click.Command) -> click.Context:
    return click.Context(command, info_name=" ".join(path), terminal_width=COLUMNS)


def begins_with_a_verb(text: str) -> bool:
    return text.split()[0].lower().rstrip(".,") in VERBS


@pytest.mark.parametrize(("path", "command"), TREE, ids=[named(path) for path, _ in TREE])
def test_every_paragraph_and_option_begins_with_a_verb(path: Path, command: click.Command) -> None:
    texts = [text for text in (command.help or "").split("\n\n") if text.strip()]
    assert texts, "the command has no help"
    records = [
        (param.opts[0], param.get_help_record(context(path, command)))
        for param in command.get_params(context(path, command))
        if isinstance(param, click.Option)
    ]
    options = {name: record[1] for name, record in records if record is not None}
    assert [text for text in texts if not begins_with_a_verb(text)] == []
    assert [name for name, text in options.items() if not text] == []
    assert {name: text for name, text in options.items() if not begins_with_a_verb(text)} == {}


@pytest.mark.parametrize(("path", "command"), TREE, ids=[named(path) for path, _ in TREE])
def test_no_line_is_wider_than_a_terminal_or_cut_off(path: Path, command: click.Command) -> None:
    shown = command.get_help(context(path, command))
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []
    assert [
        line for line in shown.splitlines() if line.endswith("...") and "[ARGS]" not in line
        and not line.startswith("Usage:")
    ] == []  # fmt: skip


PRODUCT = ("node", "cookbooks", "packer", "terraform-base", "emulator")


def of_argparse() -> Iterator[tuple[str, str]]:
    """Each text of a program's options and commands with its place."""
    root = File(__file__).resolve().parents[2]
    listed = ["git", "-C", str(root), "ls-files", *(f"{folder}/*.py" for folder in PRODUCT)]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split():
        for node in ast.walk(ast.parse((root / name).read_text())):
            if not isinstance(node, ast.Call) or not re.search(
                r"(add_argument|add_parser|Parser)$", ast.unparse(node.func)
            ):
                continue
            for keyword in node.keywords:
                text = re.match(r"""f?["'](.*)""", ast.unparse(keyword.value))
                if keyword.arg in ("help", "description") and text:
                    yield f"{name}:{node.lineno}", text[1]


OTHERS = dict(of_argparse())


@pytest.mark.parametrize("place", OTHERS)
def test_every_text_of_a_program_begins_with_a_verb(place: str) -> None:
    assert begins_with_a_verb(OTHERS[place]), OTHERS[place]


def test_the_programs_are_found() -> None:
    assert len({place.partition(":")[0] for place in OTHERS}) >= 7


def test_the_guard_sees_a_text_without_a_verb_and_one_that_is_cut_off() -> None:
    long = "Stop " + "the server " * 12
    group = click.Group("group", commands=[click.Command("one", help=long)])
    assert not begins_with_a_verb("NODE is gone at once.")
    assert "..." in group.get_help(context(("group",), group))
