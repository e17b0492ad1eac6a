"""CreateStateMachine and its kin: definitions are checked, a name is of one machine, Standard only.

moto takes any definition that it can parse, returns the machine of the same name for any
definition, and runs an Express machine as a Standard one.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
"""

import logging
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import StateMachineDoesNotExist
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from labswarm_emulator.stepfunctions.definitions import Problem, problems
from labswarm_emulator.stepfunctions.executions import NAME
from labswarm_emulator.stepfunctions.refusals import refused

DIAGNOSTICS = 100
LOG = logging.getLogger(__name__)


def all_problems(text: str) -> list[Problem]:
    """Definitions that AWS refuses, and valid ones that moto's parser cannot read."""
    found = problems(text)
    if found:
        return found
    try:
        AmazonStateLanguageParser.parse(text)
    except Exception as error:  # noqa: BLE001  # any error means that it cannot run this machine
        LOG.warning("moto does not read a definition: %r", error)
        return [Problem("SCHEMA_VALIDATION_FAILED", f"It cannot be read here: {error!r}", "/")]
    return []


def check_definition(definition: str) -> None:
    """Raises AWSError for a definition that does not run."""
    if found := all_problems(definition):
        listed = ", ".join(map(str, found))
        raise refused("InvalidDefinition", f"Invalid State Machine Definition: '{listed}'")


def _diagnostic(problem: Problem) -> dict[str, Any]:
    where = {"location": problem.location} if problem.location else {}
    return {"severity": "ERROR", "code": problem.code, "message": problem.message, **where}


def install() -> None:
    """Check definitions, and refuse operations that the emulator lacks."""
    make = StepFunctionsParserBackend.create_state_machine

    def create(backend: Any, name: str, definition: str, *args: Any, **kwargs: Any) -> Any:
        if not NAME.fullmatch(name):
            raise refused("InvalidName", f"Invalid Name: '{name}'")
        kind = kwargs.get("sm_type") or "STANDARD"
        if kind != "STANDARD":
            said = f"State machines of type {kind} are not available here"
            raise refused("StateMachineTypeNotSupported", said)
        check_definition(definition)
        arn = f"arn:aws:states:{backend.region_name}:{backend.account_id}:stateMachine:{name}"
        try:
            known = backend.describe_state_machine(arn)
        except StateMachineDoesNotExist:
            return make(backend, name, definition, *args, **kwargs)
        if known.definition != definition:
            raise refused("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return known

    def validate(request: StepFunctionResponse) -> ActionResult:
        found = all_problems(request._get_param("definition"))
        if request._get_param("type") == "EXPRESS":
            said = "State machines of type EXPRESS are not available here"
            found.append(Problem("SCHEMA_VALIDATION_FAILED", said, "/"))
        most = request._get_int_param("maxResults") or DIAGNOSTICS
        return ActionResult(
            {
                "result": "FAIL" if found else "OK",
                "diagnostics": [_diagnostic(problem) for problem in found[:most]],
                "truncated": len(found) > most,
            }
        )

    def start_sync(_: StepFunctionResponse) -> ActionResult:
        said = "This operation is not supported by this type of state machine"
        raise refused("StateMachineTypeNotSupported", said)

    def redrive(request: StepFunctionResponse) -> ActionResult:
        execution = request.stepfunction_backend.describe_execution(
            request._get_param("executionArn")
        )
        said = f"Redrive is not available here: '{execution.exec_arn}'"
        raise refused("ExecutionNotRedrivable", said)

    StepFunctionsParserBackend.create_state_machine = create
    StepFunctionsParserBackend._validate_definition = staticmethod(check_definition)
    StepFunctionResponse.validate_state_machine_definition = validate
    StepFunctionResponse.start_sync_execution = start_sync
    StepFunctionResponse.redrive_execution = redrive
