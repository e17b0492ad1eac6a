"""The value of a JSONPath expression: `$.a` of the input, `$$.a` of the context, `$name.a`."""

import copy
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
    StringVariableSample,
)

from labswarm_emulator.stepfunctions.failures import failure
from labswarm_emulator.stepfunctions.paths import select

_VARIABLE = re.compile(r"\$(\w+)(.*)", re.DOTALL)


def looked_up(path: str, env: Any, given: Any) -> Any:
    """The value of `path`. Raises NoSuchJsonPathError, or a failure for a variable not assigned."""
    if path.startswith("$$"):
        return copy.deepcopy(select(path[1:], env.states.context_object.context_object_data))
    named = _VARIABLE.fullmatch(path)
    if named is None:
        return copy.deepcopy(select(path, given))
    scope = {**env.variable_store._outer_scope, **env.variable_store._inner_scope}
    if named[1] not in scope:
        cause = f"The variable '{path}' references a variable that is not assigned in this scope"
        raise failure(env, "States.Runtime", cause)
    return copy.deepcopy(select(f"${named[2]}", scope[named[1]]))


def install() -> None:
    """Look variables up by JSONPath, where moto asks its JSONata engine, which is not there."""

    def evaluate(sample: StringVariableSample, env: Any) -> None:
        env.stack.append(looked_up(sample.expression, env, None))

    StringVariableSample._eval_body = evaluate
