"""docs/reference/lab-hours.md has every problem that a timetable can have."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from labswarm.lab_hours import bounded, event, timetable, timetables

ROOT = Path(__file__).resolve().parents[2]
PAGE = " ".join((ROOT / "docs/reference/lab-hours.md").read_text().split())
SOURCES = sorted((ROOT / "layers/labswarm/labswarm/lab_hours").glob("*.py"))


def problems(path: Path) -> Iterator[str]:
    """The longest fixed part of each problem's text, without its remedy."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "EventProblem":
            (text,) = node.args
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            fixed = [str(p.value).split(". ")[0] for p in parts if isinstance(p, ast.Constant)]
            yield max(fixed, key=len).strip()


@pytest.mark.parametrize("problem", sorted({p for path in SOURCES for p in problems(path)}))
def test_a_problem_is_on_the_page(problem: str) -> None:
    assert problem in PAGE


def test_the_limits_are_on_the_page() -> None:
    assert f"{timetable.MOST_OCCURRENCES:,} |" in PAGE
    assert f"| {timetable.BUDGET_S:g} s |" in PAGE
    assert f"| {bounded.LIMIT_S:g} s |" in PAGE
    assert f"rests for {timetables.REST_S / 60:g} minutes" in PAGE
    assert f"fetches all feeds at once, in {timetables.FETCH_S:g} s" in PAGE
    assert f"from 1 to {event.MOST_SEATS}" in PAGE


@pytest.mark.parametrize("ending", timetable.Ending)
def test_an_ending_is_on_the_page(ending: timetable.Ending) -> None:
    assert f"| `{ending}` |" in PAGE
