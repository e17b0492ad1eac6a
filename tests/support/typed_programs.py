"""Programs that mypy has checked, with the type of every expression."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from mypy import build, nodes, types
from mypy.modulefinder import BuildSource
from mypy.options import Options

Functions = nodes.FuncDef | nodes.Decorator | nodes.OverloadedFuncDef
# The references of a node, besides its parts.
_REFERENCES = frozenset({"node", "info", "analyzed", "original_def", "def_frame", "expanded"})


class NotFollowed(AssertionError):
    """The code does something whose calls cannot be found."""


class Programs:
    """Modules by name, from files or from texts, and their imports of `paths`."""

    def __init__(
        self, files: Mapping[str, Path], texts: Mapping[str, str], paths: Sequence[Path]
    ) -> None:
        """Raises NotFollowed when mypy finds an error in one."""
        options = Options()
        options.incremental = False
        options.export_types = options.preserve_asts = True
        options.namespace_packages = options.explicit_package_bases = True
        options.check_untyped_defs = options.ignore_missing_imports = True
        options.python_executable = sys.executable
        options.mypy_path = [str(path) for path in paths]
        sources = [BuildSource(str(path), name) for name, path in files.items()]
        sources += [BuildSource(None, name, text) for name, text in texts.items()]
        built = build.build(sources, options)
        if built.errors:
            raise NotFollowed("\n".join(built.errors))
        self.types = built.types
        roots = [str(path.resolve()) for path in paths]
        ours = {n: tree for n, tree in built.files.items() if _is_below(tree.path, roots)}
        self.imported = list(ours.values())
        self.modules = ours | {name: built.files[name] for name in (*files, *texts)}

    def classes(self, expression: nodes.Expression) -> Iterable[nodes.TypeInfo]:
        """The classes that an expression is of, or that it names."""
        return _classes(self.types.get(expression))


def children(node: nodes.Node) -> Iterator[nodes.Node]:
    """The parts of a statement or an expression, in no order.

    mypy's own visitors are compiled, and take no interpreted subclass.
    """
    for name in _fields(type(node)):  # type: ignore[arg-type]  # a class is hashable
        yield from _nodes_in(getattr(node, name, None))


@cache
def _fields(kind: type) -> tuple[str, ...]:
    own = {name for base in kind.__mro__ for name in vars(base) if name[0] != "_"}
    return tuple(
        sorted(
            name
            for name in own - _REFERENCES
            if type(getattr(kind, name)).__name__ == "getset_descriptor"
        )
    )


def _nodes_in(value: object) -> Iterator[nodes.Node]:
    if isinstance(value, nodes.Node) and not isinstance(value, nodes.Var | nodes.TypeInfo):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _nodes_in(item)


def definitions(node: object) -> Iterable[nodes.FuncDef]:
    if isinstance(node, nodes.FuncDef):
        yield node
    elif isinstance(node, nodes.Decorator):
        yield node.func
    elif isinstance(node, nodes.OverloadedFuncDef):
        for item in node.items:
            yield from definitions(item)


def _classes(kind: types.Type | None) -> Iterable[nodes.TypeInfo]:
    proper = types.get_proper_type(kind)
    if isinstance(proper, types.Instance):
        yield proper.type
    elif isinstance(proper, types.UnionType):
        for item in proper.items:
            yield from _classes(item)
    elif isinstance(proper, types.TypeVarType):
        yield from _classes(proper.upper_bound)
    elif isinstance(proper, types.TypeType):
        yield from _classes(proper.item)
    elif isinstance(proper, types.TupleType):
        yield proper.partial_fallback.type
    elif isinstance(proper, types.CallableType) and proper.is_type_obj():
        yield proper.type_object()


def _is_below(path: str, roots: Sequence[str]) -> bool:
    return any(str(Path(path).resolve()).startswith(f"{root}/") for root in roots)
