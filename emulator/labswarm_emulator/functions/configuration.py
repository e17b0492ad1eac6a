"""The parts of a function's configuration that moto lacks: dead letters, and one async
configuration.
"""

from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction


def install() -> None:
    """Keep DeadLetterConfig, and let PutFunctionEventInvokeConfig replace the old configuration.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
    """
    make = LambdaFunction.__init__
    configuration = LambdaFunction.get_configuration
    update = LambdaFunction.update_configuration
    put = LambdaBackend.put_function_event_invoke_config

    def make_with_dead_letters(
        function: LambdaFunction, account_id: str, spec: dict[str, Any], *more: Any, **named: Any
    ) -> None:
        function.dead_letter_arn = _target(spec)
        make(function, account_id, spec, *more, **named)

    def get_configuration(function: LambdaFunction, *more: Any, **named: Any) -> dict[str, Any]:
        found: dict[str, Any] = configuration(function, *more, **named)
        if function.dead_letter_arn:
            found["DeadLetterConfig"] = {"TargetArn": function.dead_letter_arn}
        return found

    def update_configuration(function: LambdaFunction, given: dict[str, Any]) -> dict[str, Any]:
        if "DeadLetterConfig" in given:
            function.dead_letter_arn = _target(given)
        updated: dict[str, Any] = update(function, given)
        return updated

    def put_config(backend: LambdaBackend, name: str, config: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = put(backend, name, config)
        function = backend.get_function(name)
        function.event_invoke_config = function.event_invoke_config[-1:]
        return answer

    def update_config(backend: LambdaBackend, name: str, config: dict[str, Any]) -> dict[str, Any]:
        function = backend.get_function(name)
        before = function.event_invoke_config[-1].config if function.event_invoke_config else {}
        return put_config(backend, name, {**before, **config})

    LambdaFunction.__init__ = make_with_dead_letters
    LambdaFunction.get_configuration = get_configuration
    LambdaFunction.update_configuration = update_configuration
    LambdaBackend.put_function_event_invoke_config = put_config
    LambdaBackend.update_function_event_invoke_config = update_config


def _target(given: dict[str, Any]) -> str:
    return str((given.get("DeadLetterConfig") or {}).get("TargetArn") or "")
