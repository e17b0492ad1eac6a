"""A ResultPath that cannot be applied to the input is States.ResultPathMatchFailure.

moto reports it as a Python error, States.Runtime, and grows an array until the index is in it.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import copy
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath

from labswarm_emulator.stepfunctions.failures import failure

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


class NoMatch(ValueError):
    """The path leads through something that is no object, or to an item that is not there."""


def steps(path: str) -> list[str | int]:
    """The names and indices of a reference path, `$.a[0]['b']`. Raises NoMatch."""
    found, at = [], 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise NoMatch(f"'{path}' is no reference path")
        found.append(int(step[2]) if step[2] else step[1] or step[3] or step[4] or "")
        at = step.end()
    return found


def placed(value: Any, path: str, given: Any) -> Any:
    """`given` with `value` at `path`, the objects on the way to it made. Raises NoMatch."""
    way = steps(path)
    if not way:
        return value
    whole = copy.deepcopy(given)
    at = whole
    for number, step in enumerate(way):
        is_there = (
            isinstance(step, int) and 0 <= step < len(at)
            if isinstance(at, list)
            else isinstance(at, dict) and isinstance(step, str)
        )
        if not is_there:
            raise NoMatch(f"Unable to apply step '{step}' of ResultPath '{path}' to the input")
        if number == len(way) - 1:
            at[step] = value
        elif isinstance(at, dict) and step not in at:
            at[step] = {}
        at = at[step]
    return whole


def install() -> None:
    """Place results so."""

    def evaluate(declared: ResultPath, env: Any) -> None:
        given = env.states.get_input()
        if declared.result_path_src is None:
            env.stack.clear()
            env.stack.append(given)
            return
        value = copy.deepcopy(env.stack.pop())
        try:
            env.stack.append(placed(value, declared.result_path_src, given))
        except NoMatch as error:
            raise failure(env, "States.ResultPathMatchFailure", str(error)) from error

    ResultPath._eval_body = evaluate
