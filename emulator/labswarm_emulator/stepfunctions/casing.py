"""Parameters and results of SDK integrations are in PascalCase, in every API.

`aws-sdk:sfn:startExecution` takes StateMachineArn where the API has stateMachineArn; moto hands the
first to the API, which then misses it. A parameter that the API does not have is an error.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk as aws_sdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_sfn as sfn,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.utils import camel_to_snake_case, snake_to_camel_case

from labswarm_emulator.stepfunctions.service_model import service_model

Shapes = tuple[StructureShape | None, StructureShape | None]
"""Of an operation's input and output; None where it has none."""


def pascal(member: str) -> str:
    """An API's member as a state machine names it: "vpcZoneId" and "VPCZoneId" are "VpcZoneId"."""
    return str(snake_to_camel_case(camel_to_snake_case(member)))


def request(value: Any, shape: Shape) -> Any:
    """A task's parameters as the API takes them. Raises ValueError for one it does not have."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {pascal(member): member for member in shape.members}
        unknown = sorted(key for key in value if pascal(key) not in members)
        if unknown:
            raise ValueError(f'The field "{unknown[0]}" is not supported by Step Functions')
        named = {members[pascal(key)]: item for key, item in value.items()}
        return {key: request(item, shape.members[key]) for key, item in named.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [request(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: request(item, shape.value) for key, item in value.items()}
    if shape.type_name == "string" and not isinstance(value, str):
        return to_json_str(value, separators=(",", ":"))
    if shape.type_name == "blob" and not isinstance(value, bytes):
        text = value if isinstance(value, str) else to_json_str(value, separators=(",", ":"))
        return text.encode()
    return value


def response(value: Any, shape: Shape) -> Any:
    """An API's answer as a task's result."""
    if isinstance(value, StreamingBody):
        return value.read().decode()
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            pascal(key): response(item, shape.members[key])
            for key, item in value.items()
            if key in shape.members
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [response(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: response(item, shape.value) for key, item in value.items()}
    return value


def _in_place(values: Any, converted: Any) -> None:
    if isinstance(values, dict):
        values.clear()
        values.update(converted)


def install() -> None:
    """Convert on the way in and out of SDK tasks and of `states:startExecution`."""

    def converting(task: Any, action: str | None, service: str | None) -> Shapes:
        model = service_model(service or task.resource.api_name)
        name = action or task._get_boto_service_action()
        for operation in model.operation_names:
            if camel_to_snake_case(operation) == name:
                found = model.operation_model(operation)
                return found.input_shape, found.output_shape
        raise ValueError(f"{task.resource.resource_arn} is no action of {model.service_name}")

    def to_api(
        task: Any,
        parameters: dict[str, Any],
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        shape, _ = converting(task, service_action_name, boto_service_name)
        _in_place(parameters, request(dict(parameters), shape) if shape else {})

    def from_api(
        task: Any,
        response_: Any,
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        _, shape = converting(task, service_action_name, boto_service_name)
        _in_place(response_, response(dict(response_), shape) if shape else {})

    sdk_task = aws_sdk.StateTaskServiceAwsSdk
    sdk_task._normalise_parameters = to_api
    sdk_task._normalise_response = from_api
    sfn_parameters: Callable[..., None] = sfn.StateTaskServiceSfn._normalise_parameters

    def start_execution_to_api(task: Any, parameters: dict[str, Any], **names: Any) -> None:
        sfn_parameters(task, parameters, **names)  # gives Input as the text it has to be
        to_api(task, parameters, **names)

    sfn.StateTaskServiceSfn._normalise_parameters = start_execution_to_api
    sfn.StateTaskServiceSfn._normalise_response = from_api
