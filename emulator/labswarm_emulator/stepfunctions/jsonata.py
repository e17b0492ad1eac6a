"""JSONata expressions, `{% $states.input.a %}`, with variables and AWS's own functions.

moto leaves the engine out. Ours is a Python one; AWS's is in Java, and both follow JSONata's own
tests. An expression without a result, or with an error, is States.QueryEvaluationError.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import copy
import json
from collections.abc import Callable
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from labswarm_emulator.stepfunctions import intrinsic_functions
from labswarm_emulator.stepfunctions.failures import failure
from labswarm_emulator.stepfunctions.results import plain

ERROR = "States.QueryEvaluationError"
OF_AWS = {
    "partition": "ArrayPartition",
    "range": "ArrayRange",
    "hash": "Hash",
    "uuid": "UUID",
    "parse": "StringToJson",
}
"""AWS's functions in addition to JSONata's own, by the matching intrinsic function."""


class NotComputed(ValueError):
    """The expression has no value; the message says why."""


def check(expression: str) -> None:
    """See that `expression` is one. Raises NotComputed."""
    try:
        Jsonata(expression)
    except JException as error:
        raise NotComputed(str(error)) from error


def computed(expression: str, variables: dict[str, Any]) -> Any:
    """The value of `expression` with `variables`, as JSON. Raises NotComputed."""
    try:
        program = Jsonata(expression)
        for name, function in OF_AWS.items():
            program.register_lambda(name, _function(function))
        program.set_output_convert_nulls(False)
        value = program.evaluate(None, {name: _given(each) for name, each in variables.items()})
    except (JException, intrinsic_functions.WrongArguments) as error:
        raise NotComputed(f"threw an error during evaluation. {error}") from error
    if value is None:
        raise NotComputed("returned nothing (undefined).")
    return _taken(value)


def _function(name: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return _given(intrinsic_functions.apply(name, [_taken(each) for each in arguments]))

    return call


def _given(value: Any) -> Any:
    """JSON as the engine takes it: to it None is nothing, and null a value of its own."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_given(item) for item in value]
    return Utils.NULL_VALUE if value is None else value


def _taken(value: Any) -> Any:
    """A value of the engine as JSON: lists of the engine's own kind as lists, 2.0 as 2."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, dict):
        return {key: _taken(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_taken(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | bool | int | float):
        return value
    raise NotComputed("returned an unsupported result type.")


def known(env: Any) -> dict[str, Any]:
    """`$states` and the variables of the state that runs in `env`."""
    data = env.states._states_data
    states = {
        "input": data["input"],
        "context": json.loads(json.dumps(plain(data["context"]), default=str)),
    }
    for name in ("result", "errorOutput"):
        if data.get(name) is not None:
            states[name] = data[name]
    scope = {**env.variable_store._outer_scope, **env.variable_store._inner_scope}
    return copy.deepcopy({**scope, "states": states})


def install() -> None:
    """Compute them here."""

    def evaluate(expression: StringJSONata, env: Any) -> None:
        try:
            env.stack.append(computed(expression.expression, known(env)))
        except NotComputed as error:
            cause = f"The JSONata expression '{expression.expression}' {error}"
            details = EvaluationFailedEventDetails(
                error=ERROR, cause=cause, state=env.next_state_name
            )
            env.event_manager.add_event(
                context=env.event_history_context,
                event_type=HistoryEventType.EvaluationFailed,
                event_details=EventDetails(evaluationFailedEventDetails=details),
            )
            raise failure(env, ERROR, cause) from error

    StringJSONata._eval_body = evaluate
