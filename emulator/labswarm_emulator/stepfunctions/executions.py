"""StartExecution, StopExecution, DescribeExecution and ListExecutions as their API says.

moto calls every unnamed execution None, takes any name and input, does not say when an execution
timed out, and takes any status to list by.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import datetime
import json
import re
import threading
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from labswarm_emulator.stepfunctions.beginnings import BEGINS_WITHIN_S
from labswarm_emulator.stepfunctions.limits import PAYLOAD, size
from labswarm_emulator.stepfunctions.pages import page
from labswarm_emulator.stepfunctions.refusals import invalid, refused

NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff]{1,80}")
STATUSES = ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")


def check_input(text: str) -> None:
    """See that an execution can be started with `text`. Raises AWSError."""
    if size(text) > PAYLOAD:
        raise invalid("input", "…", f"have length less than or equal to {PAYLOAD}")
    try:
        json.loads(text)
    except ValueError as error:
        said = f"Invalid State Machine Execution Input: '{error}'"
        raise refused("InvalidExecutionInput", said) from error


def described(execution: Any) -> dict[str, Any]:
    """An execution as DescribeExecution shows it."""
    status = execution.exec_status.value
    shown: dict[str, Any] = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": execution.start_date,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
    }
    if status != "RUNNING":
        shown["stopDate"] = execution.stop_date
    if status == "SUCCEEDED":
        shown |= {"output": execution.output, "outputDetails": {"included": True}}
    ending = {"error": execution.error, "cause": execution.cause}
    return shown | {name: value for name, value in ending.items() if value is not None}


def install() -> None:
    """Replace these operations."""
    begin = StepFunctionsParserBackend.start_execution
    starting = threading.Lock()

    def start(
        backend: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if name is not None and not NAME.fullmatch(name):
            raise refused("InvalidName", f"Invalid Name: '{name}'")
        given = "{}" if execution_input is None else execution_input
        check_input(given)
        with starting:  # of two starts at once with one name, one is the first
            named = name or str(uuid.uuid4())
            return begin(backend, state_machine_arn, named, given, *args, **kwargs)

    def stop(request: StepFunctionResponse) -> ActionResult:
        execution = request.stepfunction_backend.describe_execution(
            request._get_param("executionArn")
        )
        if execution.exec_status is not ExecutionStatus.RUNNING:
            return ActionResult({"stopDate": execution.stop_date})
        execution.exec_worker.has_begun.wait(BEGINS_WITHIN_S)
        now = datetime.datetime.now(tz=datetime.UTC)
        execution.stop(now, request._get_param("error"), request._get_param("cause"))
        return ActionResult({"stopDate": now})

    def describe(request: StepFunctionResponse) -> ActionResult:
        arn = request._get_param("executionArn")
        return ActionResult(described(request.stepfunction_backend.describe_execution(arn)))

    def list_executions(request: StepFunctionResponse) -> ActionResult:
        arn, status = request._get_param("stateMachineArn"), request._get_param("statusFilter")
        if status is not None and status not in STATUSES:
            known = f"satisfy enum value set: [{', '.join(STATUSES)}]"
            raise invalid("statusFilter", status, known)
        executions = request.stepfunction_backend.describe_state_machine(arn).executions
        listed = sorted(
            (each for each in executions if status in (None, each.exec_status.value)),
            key=lambda each: each.start_date,
            reverse=True,
        )
        shown, token = page(
            listed, request._get_int_param("maxResults"), request._get_param("nextToken")
        )
        items = [_item(execution) for execution in shown]
        return ActionResult({"executions": items} | ({"nextToken": token} if token else {}))

    StepFunctionsParserBackend.start_execution = start
    StepFunctionResponse.stop_execution = stop
    StepFunctionResponse.describe_execution = describe
    StepFunctionResponse.list_executions = list_executions


def _item(execution: Any) -> dict[str, Any]:
    fields = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")
    shown = described(execution)
    return {name: shown[name] for name in (*fields, "redriveCount") if name in shown}
