"""Each execution's begin and end: in the emulator's record, with the instance and event it is for,
and to EventBridge."""

import json
import re
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)

from labswarm_emulator.record import Record
from labswarm_emulator.stepfunctions import status_events

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


def install(record: Record) -> None:
    """Write them; after `endings`, whose statuses these are."""
    start = Execution.start
    reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def write(execution: Execution, what: str, **fields: Any) -> None:
        given = execution.input_data
        instance = _INSTANCE.search(json.dumps(given))
        fields["instance"] = instance and instance[0]
        fields["event"] = given.get("id") if isinstance(given, dict) else None
        record.write(
            "stepfunctions",
            what,
            machine=execution.state_machine.name,
            execution=execution.exec_arn,
            **{name: value for name, value in fields.items() if value is not None},
        )

    def start_and_notify(execution: Execution) -> None:
        write(execution, "started")
        execution.exec_status = ExecutionStatus.RUNNING
        status_events.send(execution)  # before it runs: the end may come at once
        start(execution)

    def reflect_and_notify(communication: BaseExecutionWorkerCommunication) -> None:
        reflect(communication)
        execution = communication.execution
        write(execution, execution.exec_status.value, error=execution.error)
        status_events.send(execution)

    Execution.start = start_and_notify
    BaseExecutionWorkerCommunication._reflect_execution_status = reflect_and_notify
