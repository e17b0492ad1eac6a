r"""StringMatches knows one wildcard, `*`, and `\*` is a star; moto's has `?` and `[a-z]` too.

https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

import re
from typing import Any

from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations import (  # noqa: E501
    string_operators,
)

_PART = re.compile(r"\\[*\\]|\*|[^*\\]+|\\")


def matches(text: Any, pattern: str) -> bool:
    """Whether `text` is a string that the pattern describes from end to end."""
    if not isinstance(text, str):
        return False
    parts = _PART.findall(pattern)
    described = "".join(
        ".*" if part == "*" else re.escape(part[-1] if part in (r"\*", r"\\") else part)
        for part in parts
    )
    return re.fullmatch(described, text, re.DOTALL) is not None


def install() -> None:
    """Match so."""
    string_operators.StringMatches._compare = staticmethod(matches)
