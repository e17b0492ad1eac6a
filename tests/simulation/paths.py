"""Paths, templates and rules of the Amazon States Language, as far as the app's machines use them.

https://states-language.net/spec.html. What is not known here is an error, never passed over.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

_CALL = re.compile(r"(States\.\w+)\((.*)\)\Z", re.DOTALL)
_PATH = re.compile(r"\$\$?(\.\w+|\[\d+\])*")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_INTRINSICS: Mapping[str, Callable[..., Any]] = {
    "States.Array": lambda *values: list(values),
    "States.ArrayContains": lambda array, value: value in array,
    "States.ArrayGetItem": lambda array, index: array[index],
    "States.ArrayLength": len,
    "States.JsonToString": lambda value: json.dumps(value, separators=(",", ":")),
    # Each character of the second splits; empty parts are left out.
    "States.StringSplit": lambda text, by: re.findall(f"[^{re.escape(by)}]+", text),
    "States.StringToJson": lambda text: json.loads(text),
    "States.Format": lambda text, *values: text.replace("{}", "%s") % values,
}


class PathError(Exception):
    """A path names nothing, or a template is not understood: States.Runtime."""


def read(path: str, data: Any, context: Any) -> Any:
    """The value of a reference path (`$.a.b`, `$$.a`) or an intrinsic function."""
    call = _CALL.match(path)
    if call:
        name, arguments = call.groups()
        if name not in _INTRINSICS:
            raise NotImplementedError(f"{name} is not known")
        return _INTRINSICS[name](*(_argument(a, data, context) for a in _split(arguments)))
    each, star, rest = path.partition("[*]")
    if star:
        return [read(f"${rest}", one, context) for one in read(each, data, context)]
    if not _PATH.fullmatch(path):
        raise NotImplementedError(f"{path!r} is no reference path")
    root = context if path.startswith("$$") else data
    for name, index in _STEP.findall(path):
        try:
            root = root[int(index)] if index else root[name]
        except (KeyError, IndexError, TypeError) as error:
            raise PathError(f"{path} names nothing in {root!r}") from error
    return root


def fill(template: Any, data: Any, context: Any) -> Any:
    """A payload template: fields that end in `.$` are paths."""
    if isinstance(template, Mapping):
        return {
            name.removesuffix(".$"): (
                read(value, data, context) if name.endswith(".$") else fill(value, data, context)
            )
            for name, value in template.items()
        }
    if isinstance(template, list):
        return [fill(value, data, context) for value in template]
    return template


def put(path: str | None, data: Any, result: Any) -> Any:
    """The data with a result at `path`; null keeps the data, `$` is the result."""
    if path is None:
        return data
    names = [part for part in path[1:].split(".") if part]
    if not names:
        return result
    copy = dict(data)
    inside = copy
    for name in names[:-1]:
        inside[name] = dict(inside.get(name, {}))
        inside = inside[name]
    inside[names[-1]] = result
    return copy


def holds(rule: Mapping[str, Any], data: Any, context: Any) -> bool:
    """Whether a rule of a Choice does."""
    if "And" in rule:
        return all(holds(part, data, context) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, data, context) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    (test,) = [name for name in rule if name not in ("Variable", "Next", "Comment")]
    if test == "IsPresent":
        return _present(rule["Variable"], data, context) is rule[test]
    value, other = read(rule["Variable"], data, context), rule[test]
    if test.endswith("Path"):
        test, other = test.removesuffix("Path"), read(other, data, context)
    match test:
        case "StringEquals" | "NumericEquals" | "BooleanEquals":
            return bool(value == other and type(value) is type(other))
        case "NumericGreaterThan":
            return bool(value > other)
        case "NumericLessThan":
            return bool(value < other)
        case "TimestampLessThan":
            return datetime.fromisoformat(value) < datetime.fromisoformat(other)
        case "IsNull":
            return bool((value is None) is other)
    raise NotImplementedError(f"{test} is not known")


def _present(path: str, data: Any, context: Any) -> bool:
    try:
        read(path, data, context)
    except PathError:
        return False
    return True


def _split(arguments: str) -> list[str]:
    parts, depth, part = [], 0, ""
    for letter in arguments:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip()] if part.strip() else parts


def _argument(text: str, data: Any, context: Any) -> Any:
    if text.startswith("'"):
        return text[1:-1]
    if not text.startswith(("$", "States.")):
        return json.loads(text)
    return read(text, data, context)
