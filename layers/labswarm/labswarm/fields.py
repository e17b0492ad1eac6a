"""Read the fields of JSON objects, with one policy for unknown keys.

docs/reference/unknown-fields.md says which objects are refused with an unknown key, and why.
"""

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from labswarm.errors import BadInput

ANY_VERSION = None
"""The known keys of an object that an older or newer labswarm may have written: all."""

_ANY = re.compile(r".+", re.DOTALL)


def names(kind: type) -> frozenset[str]:
    """The names of a dataclass's fields."""
    return frozenset(field.name for field in dataclasses.fields(kind))


class Fields:
    """The values of one JSON object, each checked when it is read.

    Raises BadInput for a value that is no object (named `of`) and for a key that is not `known`.
    The error names the key and the nearest known one, because a field that is spelled wrong must
    not count as absent. With ANY_VERSION other keys are left out.
    """

    def __init__(
        self, values: object, known: Collection[str] | None, path: str = "", of: str = ""
    ) -> None:
        if not isinstance(values, Mapping):
            raise BadInput(path.rstrip(".") or of, "has to be a JSON object")
        if known is not None:
            for key in values:
                if key not in known:
                    raise BadInput(f"{path}{key}", f"is not known; {_remedy(str(key), known)}")
        self._values: Mapping[str, Any] = values
        self._path = path

    def inside(self, name: str, known: Collection[str] | None) -> "Fields":
        """The object under this name."""
        return Fields(self._required(name), known, f"{self._path}{name}.")

    def listed(self, name: str, known: Collection[str] | None) -> list["Fields"]:
        """The objects in the list under this name."""
        values = self._required(name)
        if not isinstance(values, list):
            raise self._bad(name, f"is {values!r}; it has to be a list of objects")
        return [
            Fields(value, known, f"{self._path}{name}.{index}.")
            for index, value in enumerate(values)
        ]

    def named(self, name: str, known: Collection[str]) -> dict[str, "Fields"]:
        """The objects in the object under this name, by their own names; none without it."""
        values = self._values.get(name, {})
        if not isinstance(values, Mapping):
            raise self._bad(name, f"is {values!r}; it has to be an object of objects")
        return {
            inner: Fields(value, known, f"{self._path}{name}.{inner}.")
            for inner, value in values.items()
        }

    def text(self, name: str, pattern: re.Pattern[str] = _ANY, default: str | None = None) -> str:
        value = self._required(name, default)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._bad(name, f"is {value!r}; it has to be {_text_like(pattern)}")
        return value

    def optional(self, name: str, pattern: re.Pattern[str] = _ANY) -> str | None:
        return None if self._values.get(name) is None else self.text(name, pattern)

    def texts(
        self,
        name: str,
        pattern: re.Pattern[str] = _ANY,
        least: int = 0,
        default: Sequence[str] | None = None,
    ) -> tuple[str, ...]:
        """At least this many texts."""
        values = self._required(name, None if default is None else list(default))
        if not isinstance(values, list) or len(values) < least:
            some = " that is not empty" if least else ""
            raise self._bad(name, f"is {values!r}; it has to be a list of texts{some}")
        for value in values:
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise self._bad(name, f"holds {value!r}; each has to be {_text_like(pattern)}")
        return tuple(values)

    def texts_by_name(self, name: str) -> dict[str, str]:
        """The object of texts under this name; empty without it."""
        values = self._values.get(name, {})
        if not isinstance(values, Mapping):
            raise self._bad(name, f"is {values!r}; it has to be an object of texts")
        for key, value in values.items():
            if not isinstance(value, str):
                raise self._bad(name, f"has {value!r} for {key!r}; it has to be text")
        return dict(values)

    def texts_listed(self, name: str) -> dict[str, tuple[str, ...]]:
        """The object of lists of texts under this name; empty without it."""
        values = self._values.get(name, {})
        if not isinstance(values, Mapping):
            raise self._bad(name, f"is {values!r}; it has to be an object of lists of texts")
        inner = Fields(values, ANY_VERSION, f"{self._path}{name}.")
        return {key: inner.texts(key) for key in values}

    def anything_by_name(self, name: str) -> dict[str, Any]:
        """The object under this name with values of any kind; empty without it."""
        values = self._values.get(name, {})
        if not isinstance(values, Mapping):
            raise self._bad(name, f"is {values!r}; it has to be an object")
        return dict(values)

    def path(self, name: str, default: str | None = None) -> Path:
        """An absolute path."""
        path = Path(self.text(name, default=default))
        if not path.is_absolute():
            raise self._bad(name, f"is {str(path)!r}; it has to be an absolute path")
        return path

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self._bad(name, f"is {value!r}; it has to be true or false")
        return value

    def count(self, name: str, least: int = 0, default: int | None = None) -> int:
        value = self._required(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._bad(name, f"is {value!r}; it has to be a whole number, at least {least}")
        return value

    def optional_count(self, name: str) -> int | None:
        return None if self._values.get(name) is None else self.count(name)

    def time(self, name: str) -> float:
        """A moment in epoch seconds."""
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._bad(name, f"is {value!r}; it has to be epoch seconds")
        return float(value)

    def has(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._values.get(name) is not None

    def _required(self, name: str, default: object = None) -> Any:
        value = self._values.get(name, default)
        if value is None and name not in self._values:
            raise self._bad(name, "is missing")
        return value

    def _bad(self, name: str, remedy: str) -> BadInput:
        return BadInput(self._path + name, remedy)


def _text_like(pattern: re.Pattern[str]) -> str:
    return "text" if pattern is _ANY else f"text like {pattern.pattern}"


def _remedy(key: str, known: Collection[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(sorted(known))}"
