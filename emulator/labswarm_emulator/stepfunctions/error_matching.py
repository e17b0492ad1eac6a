"""The errors that ErrorEquals matches: `States.ALL` and `States.TaskFailed` are not quite
everything.

States.Runtime ends the execution whatever is caught; States.DataLimitExceeded is caught by its own
name only; States.TaskFailed is any error but States.Timeout.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import (
    ErrorEqualsDecl,
)

NEVER = {"States.Runtime"}
BY_NAME_ONLY = {"States.DataLimitExceeded"}


def matches(wanted: set[str | None], error: str | None) -> bool:
    """Whether a Retrier or Catcher for the names `wanted` is for `error`."""
    if error in NEVER:
        return False
    if error in wanted:
        return True
    if error in BY_NAME_ONLY:
        return False
    return "States.ALL" in wanted or ("States.TaskFailed" in wanted and error != "States.Timeout")


def install() -> None:
    """Match by `matches`."""

    def evaluate(declaration: Any, env: Any) -> None:
        error = env.stack.pop()
        wanted = {name.error_name for name in declaration.error_names}
        names = [error.error_name, *([error.also] if hasattr(error, "also") else [])]
        env.stack.append(any(matches(wanted, name) for name in names))

    ErrorEqualsDecl._eval_body = evaluate
