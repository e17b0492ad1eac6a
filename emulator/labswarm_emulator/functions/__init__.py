"""Lambda functions that run, each in real awslambdaric workers behind the emulator's Runtime API.

`install(emulator)` replaces moto's Docker-run functions. The same as on AWS: one invocation
at a time in a worker, idle workers used again, new code in new workers only, timeouts, crashes and
too much memory as function errors, concurrency, asynchronous invocations with their retries and
ends. Different: a function runs on the emulator's own Python and machine, without a sandbox. It can
import all installed packages, and runs ten times at once at most (`fleet.WORKERS_PER_FUNCTION`). No
log comes with the answer, and there is only $LATEST.

A worker is forked from a process that has the AWS SDK imported, and is otherwise as one that was
started by itself (`processes`); one that is idle for a good minute ends.

The emulator's orderly stop calls `emulator.closing`, where `install` adds the end of all workers;
at a `kill -9` of the emulator they end by themselves (see `bootstrap`).
"""

import base64
import json
import os
import uuid
from typing import Any, NoReturn
from urllib.parse import unquote

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.functions import configuration, states
from labswarm_emulator.functions.asynchronous import AsynchronousEvents
from labswarm_emulator.functions.concurrency import MOTO_QUOTA, TooManyRequests
from labswarm_emulator.functions.fleet import Fleet
from labswarm_emulator.functions.states import NotReady
from labswarm_emulator.functions.worker import Outcome

LATEST = "$LATEST"
REQUEST_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20}
"""https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""


def install(emulator: Emulator) -> None:
    """Make Invoke run functions; the workers end with `emulator.closing`."""
    os.environ[MOTO_QUOTA] = str(emulator.settings.function_concurrency)
    configuration.install()
    states.install(emulator)
    fleet = Fleet(emulator)
    later = AsynchronousEvents(emulator, fleet)
    emulator.closing += [later.close, fleet.close]

    def invoke(
        function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
    ) -> str | bytes:
        """Invoke, https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return ""
        if kind not in REQUEST_BYTES:
            raise LambdaClientError("InvalidParameterValueException", f"InvocationType {kind}")
        event = _event(body, REQUEST_BYTES[kind])
        if kind == "Event":
            later.accept(function, event)
            return ""
        outcome = _run(fleet, function, event)
        response_headers["x-amz-executed-version"] = LATEST
        response_headers["x-amz-log-result"] = base64.b64encode(b"").decode()
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return outcome.payload

    answer_invoke = LambdaResponse.invoke

    def invoke_latest(api: LambdaResponse) -> Any:
        """Invoke by name or ARN; moto answers for a version with the newest code."""
        name = unquote(api.path.rsplit("/", 2)[-2])
        qualifier = api._get_param("Qualifier") or name.partition(":function:")[2].partition(":")[2]
        if qualifier not in ("", LATEST):
            raise _not_here(f"the emulator runs {LATEST} only, and not {qualifier} of {name}")
        return answer_invoke(api)

    def invoke_async(_api: LambdaResponse) -> NoReturn:
        """InvokeAsync is deprecated, and moto's waits for the function's end."""
        raise _not_here("the emulator has no InvokeAsync; Invoke with InvocationType Event does it")

    delete_function = LambdaBackend.delete_function

    def delete(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        arn = backend.get_function(function_name).function_arn
        delete_function(backend, function_name, qualifier)
        if qualifier is None:
            fleet.forget(arn)

    LambdaFunction.invoke = invoke
    LambdaResponse.invoke = invoke_latest
    LambdaResponse.invoke_async = invoke_async
    LambdaBackend.delete_function = delete


def _run(fleet: Fleet, function: LambdaFunction, event: bytes) -> Outcome:
    """Run one event to its end. Raises LambdaClientError as Invoke refuses it."""
    try:
        return fleet.invoke(function, event, str(uuid.uuid4()))
    except TooManyRequests as too_many:
        raise _refusal(too_many) from too_many
    except NotReady as not_ready:
        refusal = LambdaClientError(not_ready.code, str(not_ready))
        refusal.code = not_ready.status
        raise refusal from not_ready


def _not_here(message: str) -> LambdaClientError:
    absent = LambdaClientError("ResourceNotFoundException", message)
    absent.code = 404
    return absent


def _refusal(too_many: TooManyRequests) -> LambdaClientError:
    refusal = LambdaClientError("TooManyRequestsException", str(too_many))
    refusal.code = 429
    refusal.description = json.dumps(
        {"Reason": too_many.reason, "Type": "User", "message": str(too_many)}
    )
    return refusal


def _event(body: Any, at_most: int) -> bytes:
    """The event as the function gets it; an empty body is an empty event."""
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    if len(raw) > at_most:
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
