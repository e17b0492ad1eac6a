"""Which lines of the code each test runs, and which machines and templates its file reads."""

import hashlib
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.support.mutants import MACHINES, PARTS, Mutant
from tests.support.tree import Tree

LIMIT_S = 40
"""A test file that needs more of a processor's time than this has no part in the pass."""


@dataclass
class Reached:
    """One test file.

    `seconds` of a processor are by test, `lines` by test and by path, and `digests` by path: of
    every file that it used.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)


class Watch:
    """Plugin of pytest: notes what each test runs, for how long, and whether it passes."""

    def __init__(self, root: Path) -> None:
        import coverage

        self._root = root
        self._reads: set[str] = set()
        self._passed: dict[str, float] = {}
        self._began_s = 0.0
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[str(root / part / "*") for part in PARTS]
        )
        sys.addaudithook(self._opened)
        self._coverage.start()

    def _opened(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(".yaml"):
            path = str(arguments[0]).removeprefix(f"{self._root}/")
            if path.startswith(MACHINES):
                self._reads.add(path)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._coverage.switch_context(nodeid)
        self._began_s = time.process_time()
        self._passed[nodeid] = 0.0

    def pytest_runtest_logreport(self, report: Any) -> None:
        if not report.passed:
            self._passed.pop(report.nodeid, None)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._coverage.switch_context("")
        if nodeid in self._passed:
            self._passed[nodeid] = round(time.process_time() - self._began_s, 3)

    def reached(self, test_file: str) -> Reached:
        """Return the lines that the file's passed tests have reached."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for file in sorted(data.measured_files()):
            path = str(Path(file).relative_to(self._root))
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    if test in self._passed:
                        lines[test][path].append(line)
        paths = {path for by_path in lines.values() for path in by_path}
        used = sorted({test_file, *paths, *self._reads})
        return Reached(
            self._passed,
            {test: dict(by_path) for test, by_path in lines.items()},
            sorted(self._reads),
            sorted(_libraries(self._root)),
            {path: digest(self._root / path) for path in used},
        )


def _libraries(root: Path) -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if "site-packages" in file and not name.startswith(("labswarm", "tests")):
            yield name


def digest(file: Path) -> str:
    """Changes with the file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""


class Map:
    """The lines that all test files reach, kept in the folder `store` from one pass to the next."""

    def __init__(self, tree: Tree, store: Path) -> None:
        self._tree = tree
        self._store = store
        self._files: dict[str, Reached] = {}

    def reached(self, name: str) -> Reached:
        """Return the lines that a test file reaches. It runs again if it or its code changed."""
        if name not in self._files:
            stored = self._store / f"{name}.json"
            found = Reached(**json.loads(stored.read_text())) if stored.exists() else None
            if found is None or not self._is_current(found):
                found = self._run(name)
                stored.parent.mkdir(parents=True, exist_ok=True)
                stored.write_text(json.dumps(asdict(found)))
            self._files[name] = found
            self._tree.import_libraries(found.libraries)
        return self._files[name]

    def _run(self, name: str) -> Reached:
        found = self._tree.root / "reached.json"
        found.unlink(missing_ok=True)

        def run() -> int:
            import pytest

            watch = Watch(self._tree.root)
            options = [
                "-q",
                "-m",
                "not deep and not swarm and not slow and not chef",
                "-p",
                "no:cacheprovider",
            ]
            pytest.main([*options, name], [watch])
            found.write_text(json.dumps(asdict(watch.reached(name))))
            return 0

        self._tree.run(run, LIMIT_S, compiled=True)
        if not found.exists():
            return Reached(digests={name: digest(self._tree.root / name)})
        return Reached(**json.loads(found.read_text()))

    def _is_current(self, file: Reached) -> bool:
        return all(digest(self._tree.root / p) == old for p, old in file.digests.items())

    def tests_for(self, mutant: Mutant, name: str) -> dict[str, float]:
        """The tests of a file that can notice a mutant, the nearest first, each with its seconds.

        The fewer lines a test runs, the nearer it is. One of each parametrized test comes first.
        """
        file = self.reached(name)
        if not mutant.path.endswith(".py"):
            return file.seconds if mutant.path in file.reads else {}
        wanted = self._used(mutant)
        found: list[tuple[int, int, str]] = []
        families: Counter[str] = Counter()
        for test, by_path in file.lines.items():
            if any(not wanted[p] or wanted[p] & set(by_path[p]) for p in wanted if p in by_path):
                family = test.partition("[")[0]
                families[family] += 1
                length = sum(len(lines) for lines in by_path.values())
                found.append((families[family], length, test))
        return {test: file.seconds[test] for *_, test in sorted(found)}

    def _used(self, mutant: Mutant) -> dict[str, set[int]]:
        """The lines by path that use the changed text; a path with none counts as a whole."""
        if not isinstance(mutant.used, str):
            return {mutant.path: set(mutant.used)}
        if not mutant.used:
            return {mutant.path: set()}
        word = re.compile(rf"\b{mutant.used}\b")
        found: dict[str, set[int]] = {}
        for part in PARTS:
            for file in (self._tree.root / part).rglob("*.py"):
                code = file.read_text().splitlines()
                lines = {n for n, line in enumerate(code, start=1) if word.search(line)}
                if lines:
                    found[str(file.relative_to(self._tree.root))] = lines
        return found
