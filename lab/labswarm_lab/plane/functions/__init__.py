"""Lambda functions that run, each in real awslambdaric workers behind the plane's Runtime API.

`install(plane)` replaces moto's Docker-run functions. What is the same as on AWS: one invocation at
a time in a worker, idle workers used again, new code in new workers only, timeouts and crashes as
function errors, two retries of an asynchronous invocation. What is not: a function runs on the
plane's own Python and machine, without memory limit or sandbox, and can use what is installed.

The plane's orderly stop calls `plane.closing`, where `install` adds the end of all workers; at a
`kill -9` of the plane they end by themselves (see `bootstrap`).
"""

import base64
import json
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction

from labswarm_lab.plane.functions.fleet import Fleet, TooManyRequests
from labswarm_lab.plane.plane import Plane


def install(plane: Plane) -> None:
    """Make Invoke run functions; the workers end with `plane.closing`."""
    fleet = Fleet(plane)
    plane.closing.append(fleet.close)

    def invoke(
        function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
    ) -> str | bytes:
        """Invoke, https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        event = _event(body)
        kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return ""
        if kind == "Event":
            fleet.invoke_later(function, event)
            return ""
        try:
            outcome = fleet.invoke(function, event)
        except TooManyRequests as too_many:
            refusal = LambdaClientError("TooManyRequestsException", str(too_many))
            refusal.code = 429
            raise refusal from too_many
        response_headers["x-amz-executed-version"] = "$LATEST"
        response_headers["x-amz-log-result"] = base64.b64encode(b"").decode()
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return outcome.payload

    delete_function = LambdaBackend.delete_function

    def delete(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        arn = backend.get_function(function_name).function_arn
        delete_function(backend, function_name, qualifier)
        if qualifier is None:
            fleet.forget(arn)

    LambdaFunction.invoke = invoke
    LambdaBackend.delete_function = delete


def _event(body: Any) -> bytes:
    """The event as the function gets it; an empty body is an empty event."""
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    if not raw:
        return b"{}"
    try:
        json.loads(raw)
    except ValueError as error:
        raise LambdaClientError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from error
    return raw
