"""A definite path gives its bare value: `$.a[0].b` is 1, where moto gives [1].

The Amazon States Language distinguishes Reference Paths, which identify one node, from Paths,
which may give a list (https://states-language.net/spec.html#path): by the path, not by its matches.
"""

import re
import threading
from functools import lru_cache
from typing import Any

from jsonpath_ng.ext import parse
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError, extract_json

from labswarm_emulator.stepfunctions import interpreter

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_MANY = re.compile(r"\.\.|\*|\?\(|\[[^\]]*[,:][^\]]*\]")
_ROOT = re.compile(r"\$(\$|[A-Za-z_]\w*)")
_NAME = re.compile(r"'[^']*'|\"[^\"]*\"|\.([\w-]*[^\x00-\x7f][\w-]*)")
"""A name with a letter that the parser takes only in brackets."""
_parsing = threading.Lock()


def is_definite(path: str) -> bool:
    """Whether the path can only ever select one node: no `..`, `*`, slice, union or filter."""
    return _MANY.search(_QUOTED.sub("''", path)) is None


class NoPath(ValueError):
    """The text is no path."""


@lru_cache(maxsize=4096)
def _parsed(path: str) -> Any:
    with _parsing:  # the parser generator keeps its tables in module state
        return parse(_NAME.sub(_in_brackets, path))


def _in_brackets(found: re.Match[str]) -> str:
    return f"['{found[1]}']" if found[1] else found[0]


def check(path: str) -> None:
    """See that `path`, of the input, the context object or a variable, is one. Raises NoPath."""
    rooted = _ROOT.sub("$", path, count=1)
    if not rooted.startswith("$"):
        raise NoPath(path)
    try:
        _parsed(rooted)
    except Exception as error:  # the parser raises bare Exceptions
        raise NoPath(path) from error


def select(path: str, data: Any) -> Any:
    """The part of `path` that `data` selects: the value, or the list of values of an indefinite
    path.

    Raises NoSuchJsonPathError when a definite path selects nothing.
    """
    values = [match.value for match in _parsed(path).find(data)]
    if not is_definite(path):
        return values
    if not values:
        raise NoSuchJsonPathError(json_path=path, data=data)
    return values[0]


def install() -> None:
    """Select by `select` everywhere."""
    interpreter.replace("extract_json", extract_json, select)
