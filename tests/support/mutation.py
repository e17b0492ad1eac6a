"""Changes the code a little, at random, and looks whether a test notices.

`python -m tests.support.mutation --count 200 --seed 1` copies the repository, makes that many
mutants one after the other, and runs the unit and contract tests that run the changed line, the
nearest first. A test file is run under coverage before its first use, to know its tests' lines.
It prints each mutant that no test notices, and exits with 1 if more than 5 % are left. The same
seed makes the same mutants of the same code.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.mutants import PARTS, Mutant, draw
from tests.support.reached import Map
from tests.support.tree import ROOT, Tree

ENOUGH = 0.95
BUDGET_S = 20
"""So many seconds of tests look at a mutant; those that are left out are counted."""
TEST_LIMIT_S = 10
"""A test that takes longer looks at none."""
MOST_FILES = 8
"""So many test files further away look at a mutant that its own do not notice."""
# The app at work, for whatever a module's own tests do not notice.
WHOLE = ("test_app_lifecycle", "test_app_spot", "test_hub_away", "test_unstarted", "test_reconcile")
OF_MACHINES = (
    *("test_statemachines", "test_transient_retries", "test_template_settings"),
    *("test_alarms_page", "test_app_deliveries"),
)
_SUPPORT = re.compile(r"^from tests\.support\.(\w+) import", re.MULTILINE)
STORE = ROOT / "build" / "reached"


class Chosen:
    """Plugin of pytest: runs only these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._place = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep pytest's items of these tests."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._place),
            key=lambda item: self._place[item.nodeid],
        )


def within(tests: dict[str, float], budget_s: float) -> list[str]:
    """The first tests that fit into so many seconds together; a slow one is passed over."""
    chosen, used_s = [], 0.0
    for test, seconds in tests.items():
        if seconds < TEST_LIMIT_S and used_s + seconds <= budget_s:
            chosen.append(test)
            used_s += seconds
    return chosen


def notices(tree: Tree, known: Map, mutant: Mutant, budget_s: float) -> tuple[str | None, str]:
    """The test that fails, None if none does; and how many have looked."""
    text = (tree.root / mutant.path).read_text()
    looked, left = 0, 0
    for name in nearest(mutant, text, tree.root):
        tests = known.tests_for(mutant, name)
        chosen = within(tests, budget_s)
        looked, left = looked + len(chosen), left + len(tests) - len(chosen)
        if chosen:
            spent_s = sum(tests[test] for test in chosen)
            budget_s -= spent_s
            with tree.changed(mutant.path, mutant.of(text)):
                failed = tree.run_tests([name], [Chosen(chosen)], 20 + 3 * spent_s)
            if failed:
                return failed, ""
    return None, f"{looked} tests, {left} had no time"


def nearest(mutant: Mutant, text: str, root: Path) -> Iterator[str]:
    """The test files that may run a changed file, the nearest first.

    First those that name it, or its function, or the place in a machine or template; then those
    that name its importers, and the whole app at work.
    """
    tests = {
        str(file.relative_to(root)): _with_support(file, root)
        for folder in ("tests/unit", "tests/contract")
        for file in (root / folder).rglob("test_*.py")
    }
    whole = [f"tests/unit/{name}.py" for name in WHOLE]
    if not mutant.path.endswith(".py"):
        above = "\n".join(text.splitlines()[: mutant.line])
        places = re.findall(r"^ +([A-Z]\w+\??):(?: *$| *\{)", above, re.MULTILINE)[-1:]
        own = [f"tests/unit/{name}.py" for name in OF_MACHINES]
        named = [name for name, test in tests.items() if any(place in test for place in places)]
        yield from dict.fromkeys([*own, *sorted(named, key=_size(tests))[:MOST_FILES], *whole])
        return
    module = _module(mutant.path)
    stem = module.rpartition(".")[2] if mutant.path.startswith(PARTS[0]) else module
    direct = [name for name, test in tests.items() if _names(test, module)]
    if mutant.path.startswith("functions"):
        folder = f'"{Path(mutant.path).parent.name}"'
        direct += [name for name, test in tests.items() if folder in test]
    direct.sort(key=lambda name: (stem not in name, _size(tests)(name)))
    yield from dict.fromkeys(direct)
    importers = {
        _module(str(file.relative_to(root)))
        for part in PARTS
        for file in (root / part).rglob("*.py")
        if _names(file.read_text(), module)
    }
    near = [name for name, test in tests.items() if any(_names(test, i) for i in importers)]
    further = sorted(set(near) - set(direct), key=_size(tests))[:MOST_FILES]
    yield from (name for name in dict.fromkeys([*further, *whole]) if name not in direct)


@cache
def _with_support(file: Path, root: Path) -> str:
    """A test file's text, and that of the shared parts that it imports."""
    text = file.read_text()
    parts = [root / f"tests/support/{name}.py" for name in _SUPPORT.findall(text)]
    return "\n".join([text, *(part.read_text() for part in parts if part.exists())])


def _size(tests: Mapping[str, str]) -> Callable[[str], int]:
    return lambda name: len(tests[name])


def _module(path: str) -> str:
    dotted = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return re.sub(r"^(layers\.labswarm|node|hub)\.", "", dotted)


def _names(text: str, module: str) -> bool:
    package, _, last = module.rpartition(".")
    imported = rf"from {re.escape(package)} import [^\n]*\b{last}\b" if package else r"(?!)"
    return module in text or re.search(imported, text) is not None


def main(arguments: Sequence[str] | None = None) -> int:
    """Make mutants, and print how each was noticed."""
    parser = argparse.ArgumentParser(prog="tests.support.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants to make")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", nargs="*", help="only these of them: numbers, beginning with 1")
    parser.add_argument("--seconds", type=float, default=BUDGET_S, help="of tests for each mutant")
    given = parser.parse_args(arguments)
    drawn = list(enumerate(draw(given.count, given.seed, ROOT), start=1))
    if given.only:
        drawn = [(number, mutant) for number, mutant in drawn if str(number) in given.only]
    left = 0
    with tempfile.TemporaryDirectory(prefix="labswarm-mutation-") as folder:
        tree = Tree(Path(folder))
        known = Map(tree, STORE)
        for number, mutant in drawn:
            began = time.monotonic()
            how, looked = notices(tree, known, mutant, given.seconds)
            left += how is None
            took_s = time.monotonic() - began
            how = how or f"NOT NOTICED by {looked}"
            print(f"{number} {mutant}: {how} ({took_s:.0f} s)", flush=True)
    print(f"{len(drawn) - left} of {len(drawn)} mutants are noticed")
    return int(left > (1 - ENOUGH) * len(drawn))


if __name__ == "__main__":
    sys.exit(main())
