"""The text of an intrinsic call, `States.Format('{} on {}', $.user, $$.State.Name)`, as a tree.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

import json
import re
from dataclasses import dataclass
from typing import Any

OPEN_BRACE, CLOSE_BRACE = "\ue000", "\ue001"
"""Stand for an escaped brace, which States.Format must not take for a place to fill."""

ESCAPES = {"{": OPEN_BRACE, "}": CLOSE_BRACE, "'": "'", "\\": "\\"}
NESTED = 10

_NAME = re.compile(r"States\.(\w+)\s*\(")
_LITERAL = re.compile(r"true\b|false\b|null\b|-?\d+(\.\d+)?([eE][+-]?\d+)?")
_SPACE = re.compile(r"\s*")


class NoCall(ValueError):
    """The text is no intrinsic call; the message says why."""


@dataclass(frozen=True)
class Literal:
    """An argument that is written down."""

    value: Any


@dataclass(frozen=True)
class Path:
    """An argument that is looked up: in the input, the context object (`$$`) or a variable."""

    path: str


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Literal | Path | Call", ...]


def parse(text: str) -> Call:
    """The call that `text` is, all of it. Raises NoCall."""
    call, end = _call(text, 0, depth=1)
    if text[end:].strip():
        raise NoCall(f"there is more after the call: {text[end:]}")
    return call


def _call(text: str, at: int, depth: int) -> tuple[Call, int]:
    named = _NAME.match(text, at)
    if not named:
        raise NoCall(f"no function at {text[at:]!r}")
    if depth > NESTED:
        raise NoCall(f"more than {NESTED} functions in each other")
    arguments: list[Literal | Path | Call] = []
    at = _past_space(text, named.end())
    while text[at : at + 1] != ")":
        if arguments:
            if text[at : at + 1] != ",":
                raise NoCall(f"no comma at {text[at:]!r}")
            at = _past_space(text, at + 1)
        argument, at = _argument(text, at, depth)
        arguments.append(argument)
        at = _past_space(text, at)
    return Call(named[1], tuple(arguments)), at + 1


def _argument(text: str, at: int, depth: int) -> tuple[Literal | Path | Call, int]:
    if text[at : at + 1] == "'":
        return _string(text, at + 1)
    if text[at : at + 1] == "$":
        end = _end_of_path(text, at)
        return Path(text[at:end].strip()), end
    if written := _LITERAL.match(text, at):
        return Literal(json.loads(written[0])), written.end()
    return _call(text, at, depth + 1)


def _string(text: str, at: int) -> tuple[Literal, int]:
    read = ""
    while at < len(text):
        character = text[at]
        if character == "'":
            return Literal(read), at + 1
        if character == "\\":
            at += 1
            if text[at : at + 1] not in ESCAPES:
                raise NoCall(f"an open escape backslash before {text[at:]!r}")
            character = ESCAPES[text[at]]
        read += character
        at += 1
    raise NoCall("a string that does not end")


def _end_of_path(text: str, at: int) -> int:
    open_brackets, quote = 0, ""
    for position in range(at, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif open_brackets and character in "'\"":
            quote = character
        elif character in "[(":
            open_brackets += 1
        elif character in "])" and open_brackets:
            open_brackets -= 1
        elif character in ",)":
            return position
    raise NoCall(f"a path that does not end: {text[at:]!r}")


def _past_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
