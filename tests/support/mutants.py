"""Small changes of the code: what a `Mutant` is, and which ones a file has."""

import ast
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = ("layers/labswarm/labswarm", "functions", "node/labswarm_node", "hub")
MACHINES = ("statemachines", "template.yaml")
# A number below this is an index, a count or a bound, and changes by one. Another is a time or a
# size, for which one more makes no difference.
_SMALL = 10
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
# Two times are hardly ever the same: they are compared the other way round.
_TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_TIME = re.compile(
    r"(?:now|monotonic|time)\(\)|\bnow\b|_(?:s|S|at|until)\b|\b(?:at|until|start|end)\b"
)
_LOGS = re.compile(r"(?:self\.)?_?(?:log|logger|logging)\.\w+")
# Arguments that change only a log's or a text's form, or how a program ends.
_NO_MATTER = {"daemon", "exc_info", "flush", "indent", "stack_info", "stacklevel"}


@dataclass(frozen=True)
class Mutant:
    """A file of the repository with other text between two offsets.

    `used` is where the changed text is used: lines that run with it, or the name of a constant or
    field. It is empty when neither is known.
    """

    path: str
    line: int
    old: str
    new: str
    start: int
    used: range | str = ""

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
    lines = text.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(len(line) for line in lines)]
    for node, used in _that_matter(ast.parse(text), ""):
        for new in _changed(node):
            assert isinstance(node, ast.stmt | ast.expr)
            end_line, end_column = node.end_lineno or 0, node.end_col_offset or 0
            # Offsets of ast count bytes; a line with other letters than ASCII is left alone.
            if lines[node.lineno - 1].isascii() and lines[end_line - 1].isascii():
                start = starts[node.lineno - 1] + node.col_offset
                old = text[start : starts[end_line - 1] + end_column]
                if old != new:
                    yield Mutant(path, node.lineno, old, new, start, used)


def _that_matter(node: ast.AST, used: range | str) -> Iterator[tuple[ast.AST, range | str]]:
    """The nodes whose change can make a difference, each with the place where it is used.

    An assert is there for the type checker, a decorator's argument is a dataclass's or a cache's.
    """
    yield node, used
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _makes_no_difference(name, child):
                continue
            # A second more or less in a comparison of times is hardly ever to be seen.
            if not (isinstance(child, ast.Constant) and _compares_times(node)):
                yield from _that_matter(child, _used(node, child, used))


def _compares_times(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) and _TIME.search(ast.unparse(node)) is not None


def _used(node: ast.AST, child: ast.AST, used: range | str) -> range | str:
    if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        # A default is read at import, and used by the whole function.
        place = child if isinstance(child, ast.stmt) else node
        return range(place.lineno, (place.end_lineno or 0) + 1)
    if isinstance(node, ast.arguments):
        return used
    if isinstance(used, range) and isinstance(child, ast.stmt | ast.expr):
        return range(child.lineno, (child.end_lineno or 0) + 1)
    match child:
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return used


def _makes_no_difference(name: str, child: ast.AST) -> bool:
    if name in ("annotation", "returns", "decorator_list"):
        return True
    match child:
        case ast.Assert():
            return True
        case ast.Call():
            return _LOGS.fullmatch(ast.unparse(child.func)) is not None
        case ast.keyword():
            return child.arg in _NO_MATTER
        case ast.If():
            return ast.unparse(child.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
    return False


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            swaps = _SWAPS | _TURNED if _compares_times(node) else _SWAPS
            new: ast.AST = ast.Compare(node.left, [swaps[type(op)]()], node.comparators)  # type: ignore[list-item]
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
            yield repr(number + 1 if abs(number) < _SMALL else number * 10)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield "return None"
        case ast.Expr(value=ast.Call(func=func)) if not _LOGS.fullmatch(ast.unparse(func)):
            yield "pass"


def _is_text(node: ast.BinOp) -> bool:
    parts = (node.left, node.right)
    return any(
        isinstance(part, ast.JoinedStr | ast.List | ast.Tuple)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in parts
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


def draw(count: int, seed: int, root: Path) -> list[Mutant]:
    """So many mutants, each of another line, the kinds of files in turn."""
    random_ = random.Random(seed)  # noqa: S311  # a sample to be had again
    pools = []
    for part in (*PARTS, *MACHINES):
        files = sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]
        pool = [
            mutant
            for file in files
            if file.suffix in (".py", ".yaml") and "node_modules" not in file.parts
            for mutant in mutants_of(str(file.relative_to(root)), file.read_text())
        ]
        random_.shuffle(pool)
        pools.append(pool)
    layer, functions, node, hub, machines, template = pools
    # The layer has half of the code.
    turns = [layer, functions, layer, node, layer, hub, layer, machines, template]
    drawn: dict[tuple[str, int], Mutant] = {}
    while len(drawn) < count and any(turns):
        for pool in turns:
            if pool and len(drawn) < count:
                mutant = pool.pop()
                drawn.setdefault((mutant.path, mutant.line), mutant)
    return list(drawn.values())


def _short(text: str) -> str:
    return repr(" ".join(text.split())[:70])
