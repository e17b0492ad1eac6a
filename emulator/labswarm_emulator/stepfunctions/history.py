"""The history of an execution: its quota of 25,000 events, its end, and its pages.

moto writes without limit, also what a branch does after the execution has ended, and gives all of
it whatever is asked for. At 24,999 events the next one is ExecutionSucceeded, or the execution
fails. https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-history-limit
"""

import copy
import threading
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.responses import StepFunctionResponse

from labswarm_emulator.stepfunctions.failures import failure
from labswarm_emulator.stepfunctions.pages import page

QUOTA = 25_000
FULL = "The execution reached the maximum number of history events (25000)."
ENDS = {
    "ExecutionSucceeded",
    "ExecutionFailed",
    "ExecutionAborted",
    "ExecutionTimedOut",
}
BEGINS = ("StateEntered", "Scheduled")
"""How the names of events end with which something begins, so that a full history stops it."""

DATA = {"input", "output", "parameters", "inputDetails", "outputDetails"}


def without_data(event: dict[str, Any]) -> dict[str, Any]:
    """The event as `includeExecutionData: false` shows it."""
    return {
        name: {key: item for key, item in value.items() if key not in DATA}
        if isinstance(value, dict)
        else value
        for name, value in event.items()
    }


def install() -> None:
    """Keep to the quota, end with the end, answer in pages."""
    add = EventManager.add_event
    writing = threading.Lock()

    def add_event(
        events: EventManager, context: Any, event_type: Any, *args: Any, **kwargs: Any
    ) -> int:
        with writing:
            written: list[Any] = events._history_event_list
            is_end = event_type.value in ENDS
            if written and written[-1]["type"].value in ENDS:
                return int(written[-1]["id"])
            if len(written) < QUOTA - 1 or is_end:
                return int(add(events, context, event_type, *args, **kwargs))
        if event_type.value.endswith(BEGINS):
            nowhere = SimpleNamespace(next_state_name=None, event_history_context=context)
            raise failure(nowhere, "States.Runtime", FULL, whole=True)
        return QUOTA - 1

    def get_execution_history(request: StepFunctionResponse) -> ActionResult:
        arn = request._get_param("executionArn")
        execution = request.stepfunction_backend.describe_execution(arn)
        events = copy.copy(execution.to_history_output()["events"])
        if request._get_bool_param("reverseOrder"):
            events.reverse()
        size, token = request._get_int_param("maxResults"), request._get_param("nextToken")
        shown, more = page(events, size, token)
        if request._get_bool_param("includeExecutionData", True) is False:
            shown = [without_data(event) for event in shown]
        return ActionResult({"events": shown} | ({"nextToken": more} if more else {}))

    EventManager.add_event = add_event
    StepFunctionResponse.get_execution_history = get_execution_history
