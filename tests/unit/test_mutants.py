"""Which changes of the code are made to look whether a test notices."""

import ast
from pathlib import Path

import pytest
from tests.support.mutants import draw, mutants_of
from tests.support.mutation import TEST_LIMIT_S, within

ROOT = Path(__file__).resolve().parents[2]
MODULE = """\
import logging
from dataclasses import dataclass

LIMIT_S: float = 600
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Node:
    seats: int = 3

    def is_late(self, since: float, now: float, patience_s: float = 30) -> bool:
        assert self.seats > 0
        log.info("late", exc_info=True)
        return now - since > patience_s
"""


def changes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for mutant in mutants_of("module.py", MODULE):
        found.setdefault(mutant.old, set()).add(mutant.new)
    return found


def test_a_time_is_compared_the_other_way_round_and_gets_ten_times_as_long() -> None:
    assert changes()["now - since > patience_s"] == {"(now - since < patience_s)"}
    assert changes()["600"] == {"6000"}
    assert changes()["3"] == {"4"}


def test_a_second_more_in_a_comparison_of_times_is_no_change() -> None:
    text = "def f(left_s, count):\n    return left_s <= 0 or count == 0\n"

    numbers = [m.old for m in mutants_of("module.py", text) if m.old == "0"]
    assert numbers == ["0"], "the count's"


def test_nothing_is_changed_that_makes_no_difference() -> None:
    lines = {mutant.line for mutant in mutants_of("module.py", MODULE)}

    code = MODULE.splitlines()
    spared = ("@dataclass", "        assert", "        log.info", "log = ", "import", "from")
    assert not {number for number in lines if code[number - 1].startswith(spared)}


@pytest.mark.parametrize(
    ("old", "used"), [("600", "LIMIT_S"), ("3", "seats"), ("30", range(12, 16)), ("0", None)]
)
def test_a_change_names_the_place_where_it_is_used(old: str, used: range | str | None) -> None:
    found = [mutant.used for mutant in mutants_of("module.py", MODULE) if mutant.old == old]
    assert found == ([] if used is None else [used])


def test_every_mutant_is_still_python() -> None:
    for mutant in mutants_of("module.py", MODULE):
        ast.parse(mutant.of(MODULE))


def test_the_same_seed_draws_the_same_mutants_each_of_another_line() -> None:
    drawn, again = draw(40, 7, ROOT), draw(40, 7, ROOT)

    assert drawn == again
    assert len({(mutant.path, mutant.line) for mutant in drawn}) == 40
    assert {Path(mutant.path).suffix for mutant in drawn} == {".py", ".yaml"}


def test_the_nearest_tests_that_fit_look_at_a_mutant() -> None:
    tests = {"near": 1.0, "slow": TEST_LIMIT_S, "far": 5.0, "farther": 2.0}

    assert within(tests, budget_s=4) == ["near", "farther"]
