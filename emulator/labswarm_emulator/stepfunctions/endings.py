"""The end of an execution appears all at once, and its output is JSON.

moto sets the status first, so that a caller may see SUCCEEDED without its output; gives an output
that is a string without its quotes; and forgets the error and cause of StopExecution.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

import datetime

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    SyncExecution,
)


def install() -> None:
    """Set the status last."""

    def reflect(communication: BaseExecutionWorkerCommunication) -> None:
        execution = communication.execution
        env = execution.exec_worker.env
        execution.stop_date = datetime.datetime.now(tz=datetime.UTC)
        match env.program_state():
            case ProgramEnded():
                value = env.states.get_input()
                # StartSyncExecution makes JSON of it by itself.
                is_sync = isinstance(execution, SyncExecution)
                execution.output = value if is_sync else to_json_str(value, separators=(",", ":"))
                status = ExecutionStatus.SUCCEEDED
            case ProgramStopped() as stopped:
                execution.error, execution.cause = stopped.error, stopped.cause
                status = ExecutionStatus.ABORTED
            case ProgramError() as failed:
                execution.error = failed.error.get("error")
                execution.cause = failed.error.get("cause")
                status = ExecutionStatus.FAILED
            case _:
                status = ExecutionStatus.TIMED_OUT
        execution.exec_status = status

    BaseExecutionWorkerCommunication._reflect_execution_status = reflect
