"""docs/explanation/hazards.md names, for each thing that goes wrong, tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/explanation/hazards.md"
ROWS = [
    cells
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and "| hazard |" not in line
    for cells in [[cell.strip() for cell in line.strip("|").split(" | ")]]
]
TESTS = sorted({test for row in ROWS for test in re.findall(r"`([^`]+)`", row[-1])})


@cache
def names_in(path: Path) -> frozenset[str]:
    text = path.read_text()
    if path.name.endswith(".tftest.hcl"):
        return frozenset(re.findall(r'^run "(\w+)"', text, re.MULTILINE))
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_row_names_a_test_or_says_that_there_is_none(row: list[str]) -> None:
    assert len(row) == 3
    named = re.fullmatch(r"`[^` ]+`(<br>`[^` ]+`)*", row[2])
    assert named or row[2] == "no test", row[2]


@pytest.mark.parametrize("test", TESTS)
def test_every_test_that_is_named_exists(test: str) -> None:
    name, _, function = test.partition("::")
    path = ROOT / name
    assert path.is_file(), f"{name} is not there"
    if not name.endswith("_spec.rb"):
        assert function in names_in(path), f"{name} has no {function!r}"
