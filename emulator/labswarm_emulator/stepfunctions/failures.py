"""A failure of a state, as moto's interpreter raises it."""

from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails


class Reported(ErrorName):  # type: ignore[misc]  # moto has no types
    """Any error's name, one that begins with "States." too."""


class ReportedWhole(Reported):
    """The name of an error whose cause says all there is to say: moto adds no state to it."""


def failure(env: Any, name: str, cause: str, *, whole: bool = False) -> FailureEventException:
    """The state that runs in `env` fails with the error `name`; `whole` as in ToldWhole."""
    details = ExecutionFailedEventDetails(error=name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=ReportedWhole(name) if whole else Reported(name),
            event_type=HistoryEventType.ExecutionFailed,
            event_details=EventDetails(executionFailedEventDetails=details),
        )
    )
