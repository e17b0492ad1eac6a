"""The end of a command that fails: one line and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from labswarm.errors import BadInput, LabswarmError
from labswarm_operator.progress import say
from labswarm_operator.refusal import Failure, Refusal


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a Refusal or Failure of the body into one line and its exit code."""
    try:
        yield
    except (Refusal, BadInput) as refusal:
        end(f"labswarm: {refusal}", 2)
    except (Failure, LabswarmError) as failure:
        end(f"labswarm: {failure}", 1)


def end(line: str, code: int) -> NoReturn:
    """Print the line and exit with this code."""
    say(line, style="red")
    raise SystemExit(code)
