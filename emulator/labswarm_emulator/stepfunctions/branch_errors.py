"""A branch's or an iteration's error is that of its Parallel or Map, by its own name.

moto allows no name that begins with "States." there: a States.Timeout in a branch, which the
Parallel state may catch, ends the execution with States.Runtime.
https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html#error-handling
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl

from labswarm_emulator.stepfunctions.failures import ReportedWhole


def install() -> None:
    """Pass names on as they are, and causes without the name of a second state."""
    branches_decl.CustomErrorName = ReportedWhole
    iteration_worker.CustomErrorName = ReportedWhole
    decorated = FailureEventException.get_execution_failed_event_details

    def details(exception: FailureEventException) -> Any:
        if not isinstance(exception.failure_event.error_name, ReportedWhole):
            return decorated(exception)
        error, cause = exception.extract_error_cause_pair() or (None, None)
        failure = {"error": error, "cause": cause}
        return {name: value for name, value in failure.items() if value}

    FailureEventException.get_execution_failed_event_details = details
