"""Changes the code a little, at random, and looks whether a test notices.

`python -m tests.support.mutation --count 100 --seed 1` copies the repository, makes that many
mutants one after the other, and runs the tests that name the changed module, then those that name
its importers. It prints each mutant that no test notices, and exits with 1 if more than 5 % do.
The same seed makes the same mutants of the same code. It takes some ten seconds a mutant.
"""

import argparse
import ast
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.tree import ROOT, Tree

PARTS = ("layers/labswarm/labswarm", "functions", "node/labswarm_node", "hub/labswarm_hub")
MACHINES = ("statemachines", "template.yaml")
ENOUGH = 0.95
MOST_FILES = 8
"""So many test files further away look at a mutant that its own do not notice."""
# The app at work, for whatever a module's own tests do not notice.
WHOLE = ("test_app_lifecycle", "test_app_spot", "test_hub_away", "test_unstarted", "test_reconcile")
OF_MACHINES = (
    "test_statemachines",
    "test_transient_retries",
    "test_app_lifecycle",
    "test_app_spot",
)
OF_TEMPLATE = ("test_template_settings", "test_app_permissions", "test_template_versions")
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}


@dataclass(frozen=True)
class Mutant:
    """A file of the repository with other text between two offsets."""

    path: str
    line: int
    old: str
    new: str
    start: int

    def of(self, text: str) -> str:
        """The changed file."""
        return text[: self.start] + self.new + text[self.start + len(self.old) :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {_short(self.old)} -> {_short(self.new)}"


def mutants_of(path: str, text: str) -> list[Mutant]:
    """Every mutant of a file: of a Python file by its syntax, of a machine or template by lines."""
    if path.endswith(".py"):
        return list(_of_python(path, text))
    return list(_of_yaml(path, text))


def _of_python(path: str, text: str) -> Iterator[Mutant]:
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line.decode()))
    for node in ast.walk(ast.parse(text)):
        for new in _changed(node):
            old = ast.get_source_segment(text, node)
            if old and old != new:
                # Offsets of ast count bytes; a line with other letters than ASCII is left alone.
                start = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
                if text[start : start + len(old)] == old:
                    yield Mutant(path, node.lineno, old, new, start)  # type: ignore[attr-defined]


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            new: ast.AST = ast.Compare(node.left, [_SWAPS[type(op)]()], node.comparators)  # type: ignore[list-item]
            yield f"({ast.unparse(new)})"
        case ast.BoolOp():
            yield f"({ast.unparse(ast.BoolOp(_SWAPS[type(node.op)](), node.values))})"  # type: ignore[arg-type]
        case ast.BinOp(op=ast.Add() | ast.Sub()) if not _is_text(node):
            yield f"({ast.unparse(ast.BinOp(node.left, _SWAPS[type(node.op)](), node.right))})"  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not()):
            yield f"({ast.unparse(node.operand)})"
        case ast.Constant(value=bool()):
            yield repr(not node.value)
        case ast.Constant(value=int() | float() as number):
            yield repr(number + 1)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield "return None"
        case ast.Expr(value=ast.Call()) if "logger" not in ast.unparse(node):
            yield "pass"


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(part, ast.JoinedStr | ast.List | ast.Tuple) for part in (node.left, node.right)
    )


_NUMBER = re.compile(r"(?<=\w: )\d+(?:\.\d+)?(?=[,} \n])")
_LISTED = re.compile(r"(?<=ErrorEquals: \[)(\w+), ")
_NEXT = re.compile(r"(?<=Next: )[A-Z]\w+(?=[\n}])")
_ACTION = re.compile(r"^ +- [a-z]+:[A-Z]\w+\n", re.MULTILINE)
_COMPARED = re.compile(
    r"BooleanEquals: (?:true|false)|TimestampLessThanPath|IsPresent: (?:true|false)"
)


def _of_yaml(path: str, text: str) -> Iterator[Mutant]:
    states = sorted(set(_NEXT.findall(text)))
    for pattern in (_NUMBER, _LISTED, _NEXT, _ACTION, _COMPARED):
        for found in pattern.finditer(text):
            old, line = found[0], text.count("\n", 0, found.start()) + 1
            if pattern is _NUMBER:
                new = str(int(float(old)) * 2 + 1)
            elif pattern is _NEXT:
                new = states[(states.index(old) + 1) % len(states)]
            elif pattern is _COMPARED:
                new = {"true": "false", "alse": "true"}.get(old[-4:], "TimestampGreaterThanPath")
                new = old.rpartition(" ")[0] + " " + new if ":" in old else new
            else:
                new = ""
            yield Mutant(path, line, old, new, found.start())


def draw(count: int, seed: int, root: Path = ROOT) -> list[Mutant]:
    """So many mutants, each of another line, the kinds of files in turn."""
    random_ = random.Random(seed)  # noqa: S311  # a sample to be had again
    pools = []
    for part in (*PARTS, *MACHINES):
        files = sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]
        pool = [
            mutant
            for file in files
            if file.suffix in (".py", ".yaml")
            for mutant in mutants_of(str(file.relative_to(root)), file.read_text())
        ]
        random_.shuffle(pool)
        pools.append(pool)
    # The layer has half of the code.
    turns = [
        pools[0],
        pools[1],
        pools[0],
        pools[2],
        pools[0],
        pools[3],
        pools[0],
        pools[4],
        pools[5],
    ]
    drawn: dict[tuple[str, int], Mutant] = {}
    while len(drawn) < count and any(turns):
        for pool in turns:
            if pool and len(drawn) < count:
                mutant = pool.pop()
                drawn.setdefault((mutant.path, mutant.line), mutant)
    return list(drawn.values())


def stages(path: str, root: Path) -> list[list[str]]:
    """The test files to run for a changed file, the nearest first."""
    tests = {
        file: file.read_text()
        for folder in ("tests/unit", "tests/contract")
        for file in sorted((root / folder).rglob("test_*.py"))
    }
    unit = [f"tests/unit/{name}.py" for name in WHOLE]
    if path == "template.yaml":
        return [[f"tests/unit/{name}.py" for name in OF_TEMPLATE], *_infrastructure(root)]
    if path.startswith("statemachines"):
        return [[f"tests/unit/{name}.py" for name in OF_MACHINES], unit]
    module = _module(path)
    direct = [str(f.relative_to(root)) for f, text in tests.items() if _names(text, module)]
    if path.startswith("functions"):
        name = Path(path).parent.name
        direct += [str(f.relative_to(root)) for f, t in tests.items() if f'"{name}"' in t]
    importers = {
        _module(str(file.relative_to(root)))
        for part in PARTS
        for file in (root / part).rglob("*.py")
        if _names(file.read_text(), module)
    }
    near = [
        str(f.relative_to(root))
        for f, text in tests.items()
        if any(_names(text, importer) for importer in importers)
    ]
    second = [file for file in dict.fromkeys([*unit, *near]) if file not in direct]
    return [stage for stage in (sorted(set(direct)), second[:MOST_FILES]) if stage]


def _infrastructure(root: Path) -> list[list[str]]:
    named = [f for f in (root / "tests").rglob("test_*.py") if "template" in f.read_text()]
    kinds = ("unit", "infrastructure")
    return [[str(f.relative_to(root)) for f in sorted(named) if f.parent.name in kinds]]


def _module(path: str) -> str:
    dotted = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return re.sub(r"^(layers\.labswarm|node|hub)\.", "", dotted)


def _names(text: str, module: str) -> bool:
    package, _, last = module.rpartition(".")
    imported = rf"from {re.escape(package)} import [^\n]*\b{last}\b" if package else r"(?!)"
    return module in text or re.search(imported, text) is not None


def notices(tree: Tree, mutant: Mutant) -> str | None:
    """The first stage's number and failing test; None when no test fails."""
    text = mutant.of((tree.root / mutant.path).read_text())
    for number, tests in enumerate(stages(mutant.path, tree.root), start=1):
        failed = tree.failing(mutant.path, text, tests)
        if failed:
            return f"{number}: {failed}"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Make mutants, and print how each was noticed."""
    parser = argparse.ArgumentParser(prog="tests.support.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants to make")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--from", dest="first", type=int, default=0, help="skip the ones before")
    given = parser.parse_args(arguments)
    unnoticed = []
    drawn = draw(given.count, given.seed)[given.first :]
    with tempfile.TemporaryDirectory(prefix="labswarm-mutation-") as folder:
        tree = Tree(Path(folder))
        for number, mutant in enumerate(drawn, start=given.first + 1):
            how = notices(tree, mutant)
            if how is None:
                unnoticed.append(mutant)
            print(f"{number} {mutant}: {how or 'NOT NOTICED'}", flush=True)
    print(f"{len(drawn) - len(unnoticed)} of {len(drawn)} mutants are noticed")
    return int(len(unnoticed) > (1 - ENOUGH) * len(drawn))


def _short(text: str) -> str:
    return repr(" ".join(text.split())[:70])


if __name__ == "__main__":
    sys.exit(main())
