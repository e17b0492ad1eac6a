"""Times of the context object, `$$.State.EnteredTime` and `$$.Execution.StartTime`, as AWS's.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
"""

import datetime
from typing import Any

from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.backend import execution_worker

from labswarm_emulator.stepfunctions.results import instant


def install() -> None:
    """Write both as text, in UTC."""

    def state_data(**fields: Any) -> dict[str, Any]:
        entered = datetime.datetime.fromisoformat(fields["EnteredTime"])
        return {**fields, "EnteredTime": instant(entered)}

    def execution_data(**fields: Any) -> dict[str, Any]:
        return {**fields, "StartTime": instant(fields["StartTime"])}

    state.StateData = state_data
    execution_worker.ExecutionData = execution_data
