"""Timestamps are RFC 3339, with fractions of seconds and offsets; moto knows whole seconds in Z.

And a Wait's Timestamp is in its own zone, where moto takes it for the local one.
https://states-language.net/spec.html#timestamps
"""

import datetime
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator import (
    implementations,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def parsed(text: str) -> datetime.datetime | None:
    """The time that `text` says, with its zone; None where it is no timestamp."""
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:  # the right form, but a 13th month
        return None


def install() -> None:
    """Read timestamps so in Choice and Wait."""
    implementations.is_operator.IsTimestamp.string_to_timestamp = staticmethod(parsed)
    timestamp.Timestamp._from_timestamp_string = staticmethod(parsed)

    def wait_seconds(function: Any, env: Any) -> float:
        function.string.eval(env=env)
        text = env.stack.pop()
        until = parsed(text)
        if until is None:
            raise timestamp.FailureEventException(function._create_failure_event(env, text))
        return (until - datetime.datetime.now(datetime.UTC)).total_seconds()

    timestamp.Timestamp._get_wait_seconds = wait_seconds
