"""Lambda functions that run, each in real awslambdaric workers behind the plane's Runtime API.

`install(plane)` replaces moto's Docker-run functions. What is the same as on AWS: one invocation at
a time in a worker, idle workers used again, new code in new workers only, timeouts, crashes and too
much memory as function errors, concurrency, asynchronous invocations with their retries and ends.
What is not: a function runs on the plane's own Python and machine, without a sandbox, can use what
is installed, and runs ten times at once at most (`fleet.WORKERS_PER_FUNCTION`); no log comes with
the answer.

The plane's orderly stop calls `plane.closing`, where `install` adds the end of all workers; at a
`kill -9` of the plane they end by themselves (see `bootstrap`).
"""

import base64
import json
import os
import uuid
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction

from labswarm_lab.plane.functions import configuration
from labswarm_lab.plane.functions.asynchronous import AsynchronousEvents
from labswarm_lab.plane.functions.concurrency import MOTO_QUOTA, TooManyRequests
from labswarm_lab.plane.functions.fleet import Fleet
from labswarm_lab.plane.plane import Plane

REQUEST_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20}
"""https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""


def install(plane: Plane) -> None:
    """Make Invoke run functions; the workers end with `plane.closing`."""
    os.environ[MOTO_QUOTA] = str(plane.settings.function_concurrency)
    configuration.install()
    fleet = Fleet(plane)
    later = AsynchronousEvents(plane, fleet)
    plane.closing += [later.close, fleet.close]

    def invoke(
        function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
    ) -> str | bytes:
        """Invoke, https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
        event = _event(body, REQUEST_BYTES.get(kind))
        if kind == "DryRun":
            return ""
        if kind == "Event":
            later.accept(function, event)
            return ""
        try:
            outcome = fleet.invoke(function, event, str(uuid.uuid4()))
        except TooManyRequests as too_many:
            raise _refusal(too_many) from too_many
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


def _refusal(too_many: TooManyRequests) -> LambdaClientError:
    refusal = LambdaClientError("TooManyRequestsException", str(too_many))
    refusal.code = 429
    refusal.description = json.dumps(
        {"Reason": too_many.reason, "Type": "User", "message": str(too_many)}
    )
    return refusal


def _event(body: Any, at_most: int | None) -> bytes:
    """The event as the function gets it; an empty body is an empty event."""
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    if at_most is not None and len(raw) > at_most:
        too_large = LambdaClientError(
            "RequestTooLargeException",
            f"Request must be smaller than {at_most} bytes for the InvokeFunction operation",
        )
        too_large.code = 413
        raise too_large
    if not raw:
        return b"{}"
    try:
        json.loads(raw)
    except ValueError as error:
        raise LambdaClientError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from error
    return raw
