"""Answers of both tools: one line of JSON on standard output, and an exit code by the error's kind.

The codes are those of sysexits.h: EX_TEMPFAIL and EX_UNAVAILABLE.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from labswarm.errors import BadInput, Kind, LabswarmError

_EXIT_CODES: Mapping[Kind, int] = {"transient": 75, "gone": 69, "permanent": 1}
_USAGE = 2


@dataclass(frozen=True)
class Answer:
    """The line that a tool prints, and its exit code."""

    line: str
    exit_code: int = 0


def answer_of(work: Callable[[], Mapping[str, Any]]) -> Answer:
    """Do the work; return its result or its error as an Answer. Raises only unknown errors."""
    try:
        return Answer(json.dumps(work()))
    except LabswarmError as error:
        failure = {"kind": error.kind, "name": type(error).__name__, "message": str(error)}
        code = _USAGE if isinstance(error, BadInput) else _EXIT_CODES[error.kind]
        return Answer(json.dumps({"error": failure}), code)


class Parser(argparse.ArgumentParser):
    """An argument parser whose refusal is an answer like any other."""

    def error(self, message: str) -> NoReturn:
        """Raise BadInput in place of argparse's own exit."""
        raise BadInput("arguments", f"{message}; see {self.prog} --help")
