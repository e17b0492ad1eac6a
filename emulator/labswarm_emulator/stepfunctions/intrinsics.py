"""Intrinsic functions, parsed and computed by the emulator; a failure is States.IntrinsicFailure,
which a Task may catch.

moto misreads an escaped quote, rounds nothing, seeks within a range that includes its end, and
reports every failure as States.Runtime, which nothing catches.
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
    StringIntrinsicFunction,
)
from moto.stepfunctions.parser.asl.component.state.fail import cause_decl, error_decl
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from labswarm_emulator.stepfunctions import intrinsic_functions
from labswarm_emulator.stepfunctions.failures import failure
from labswarm_emulator.stepfunctions.intrinsic_calls import Call, Literal, NoCall, Path, parse
from labswarm_emulator.stepfunctions.json_strings import text
from labswarm_emulator.stepfunctions.lookup import looked_up
from labswarm_emulator.stepfunctions.paths import NoPath, check


def checked(call: Call) -> Call:
    """`call`, when each function in it is there and takes its arguments. Raises NoCall."""
    if not intrinsic_functions.takes(call.function, len(call.arguments)):
        raise NoCall(f"States.{call.function} with {len(call.arguments)} arguments is no function")
    for argument in call.arguments:
        if isinstance(argument, Call):
            checked(argument)
        elif isinstance(argument, Path):
            try:
                check(argument.path)
            except NoPath as error:
                raise NoCall(f"{argument.path} is no path") from error
    return call


def value(call: Call, env: Any, given: Any) -> Any:
    """The result of the call. Raises intrinsic_functions.WrongArguments."""
    arguments = []
    for argument in call.arguments:
        match argument:
            case Literal():
                arguments.append(argument.value)
            case Path():
                arguments.append(looked_up(argument.path, env, given))
            case Call():
                arguments.append(value(argument, env, given))
    return intrinsic_functions.apply(call.function, arguments)


def _any_expression(path: Any, string_expression: Any) -> None:
    path.string_expression = string_expression


def install() -> None:
    """Compute them here."""

    def visit(_: Preprocessor, context: Any) -> StringIntrinsicFunction:
        written = text(context)
        return StringIntrinsicFunction(written, checked(parse(written)))

    def evaluate(expression: StringIntrinsicFunction, env: Any) -> None:
        try:
            result = value(expression.function, env, env.stack[-1])
        except intrinsic_functions.WrongArguments as error:
            cause = f"The function '{expression.literal_value}' had the following error: {error}"
            raise failure(env, "States.IntrinsicFailure", cause) from error
        env.stack.append(result)

    for path in (cause_decl.CausePath, error_decl.ErrorPath):
        path.__init__ = _any_expression  # `definitions` sees that it gives a string
    Preprocessor.visitString_intrinsic_function = visit
    StringIntrinsicFunction._eval_body = evaluate
