"""Read the fields of JSON objects, with one policy: an unknown key is refused."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from labswarm.errors import BadInput


def names(kind: type) -> frozenset[str]:
    """The names of a dataclass's fields."""
    return frozenset(field.name for field in dataclasses.fields(kind))


class Fields:
    """The values of one JSON object that a person or a program wrote, each checked when it is read.

    Raises BadInput for a value that is no object (named `of`) and for a key that is not `known`:
    it names the key and the nearest known one, because a field that is spelled wrong must not count
    as absent.
    """

    def __init__(
        self, values: object, known: Collection[str], path: str = "", of: str = ""
    ) -> None:
        if not isinstance(values, Mapping):
            raise BadInput(path.rstrip(".") or of, "has to be a JSON object")
        for key in values:
            if key not in known:
                raise BadInput(f"{path}{key}", f"is not known; {_remedy(str(key), known)}")
        self._values: Mapping[str, Any] = values
        self._path = path

    def inside(self, name: str, known: Collection[str]) -> "Fields":
        """The object under this name."""
        return Fields(self._values.get(name), known, f"{self._path}{name}.")

    def text(self, name: str, pattern: re.Pattern[str] = re.compile(r".+", re.DOTALL)) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._bad(name, f"is {value!r}; it has to be text like {pattern.pattern}")
        return value

    def texts(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        values = self._values.get(name)
        if not isinstance(values, list):
            raise self._bad(name, f"is {values!r}; it has to be a list of texts")
        for value in values:
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise self._bad(name, f"holds {value!r}; each has to be like {pattern.pattern}")
        return tuple(values)

    def optional(self, name: str) -> str | None:
        return None if self._values.get(name) is None else self.text(name)

    def count(self, name: str, least: int = 0, default: int | None = None) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._bad(name, f"is {value!r}; it has to be a whole number, at least {least}")
        return value

    def optional_count(self, name: str) -> int | None:
        return None if self._values.get(name) is None else self.count(name)

    def _bad(self, name: str, remedy: str) -> BadInput:
        return BadInput(self._path + name, remedy)


def _remedy(key: str, known: Collection[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(sorted(known))}"
