"""Task tokens: one for each attempt, good for one answer, and for none after the attempt's end.

moto gives all attempts of a state one token, so a second attempt finds the first one's answer. It
takes a second answer as if it counted, and does not see an answer before the first heartbeat is
due. It loses the cause of SendTaskFailure.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
"""

import json
import threading
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback as callbacks,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceCondition,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackEndpoint,
    CallbackOutcome,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
    HeartbeatTimedOut,
    HeartbeatTimeoutError,
)
from moto.stepfunctions.responses import StepFunctionResponse

from labswarm_emulator.stepfunctions.failures import Reported
from labswarm_emulator.stepfunctions.limits import PAYLOAD, size
from labswarm_emulator.stepfunctions.refusals import invalid, refused


class HeartbeatMissed(Reported):
    """AWS reports it as States.Timeout; States.HeartbeatTimeout catches it too."""

    also = "States.HeartbeatTimeout"


@dataclass(frozen=True)
class Open:
    """An attempt that waits for the answer to its token."""

    endpoint: CallbackEndpoint
    frame: Any

    @property
    def is_closed(self) -> bool:
        return self.endpoint.get_outcome() is not None or not self.frame.is_running()


class Tokens:
    """All tokens that were given out; a token is known for as long as the emulator runs."""

    def __init__(self) -> None:
        self._given: dict[str, Open] = {}
        self._answering = threading.Lock()

    def give(self, frame: Any) -> None:
        """A new token for the attempt that runs in `frame`, in its context object."""
        token = frame.states.context_object.update_task_token()
        endpoint = frame.callback_pool_manager.add(token)
        frame.program_state_event.sets(endpoint._notify_event)
        self._given[token] = Open(endpoint, frame)

    def answer(self, token: str, outcome: CallbackOutcome | None) -> None:
        """End the attempt with `outcome`; None is a heartbeat. Raises AWSError."""
        if not token:
            raise invalid("taskToken", token, "have length greater than or equal to 1")
        with self._answering:
            if token not in self._given:
                raise refused("InvalidToken", "Invalid Token: 'Invalid token'")
            given = self._given[token]
            if given.is_closed:
                said = "Task Timed Out: 'Provided task does not exist anymore'"
                raise refused("TaskTimedOut", said)
            if outcome is None:
                given.endpoint.notify_heartbeat()
            else:
                given.endpoint.notify(outcome)


def install() -> None:
    """Give a token to each attempt, and take its answer from the API."""
    tokens = Tokens()
    _give_to_attempts(tokens)
    _take_answers(tokens)


def _give_to_attempts(tokens: Tokens) -> None:
    execute = callbacks.StateTaskServiceCallback._eval_execution
    failure_event = callbacks.StateTaskServiceCallback._get_callback_outcome_failure_event
    from_error = StateTask._from_error

    def attempt(task: Any, env: Any) -> None:
        if task.resource.condition is ResourceCondition.WaitForTaskToken:
            tokens.give(env)
        execute(task, env)

    def enter(task: Any, env: Any) -> None:
        super(callbacks.StateTaskServiceCallback, task)._eval_body(env=env)

    def heartbeats(_: Any, env: Any, endpoint: Any, beats: Any) -> Any:
        while env.is_running():
            if (outcome := endpoint.get_outcome()) is not None:  # it may have come already
                return outcome
            if not beats.clear_and_wait():
                return HeartbeatTimedOut()
        return None

    def failed(task: Any, env: Any, ex: Any) -> Any:
        event = failure_event(task, env, ex)
        details = event.event_details["taskFailedEventDetails"]
        for name in [name for name in ("error", "cause") if details[name] is None]:
            del details[name]
        return event

    def heartbeat_missed(task: Any, env: Any, ex: Exception) -> Any:
        event = from_error(task, env, ex)
        if isinstance(ex, HeartbeatTimeoutError):
            event.error_name = HeartbeatMissed("States.Timeout")
        return event

    callbacks.CustomErrorName = Reported
    callbacks.StateTaskServiceCallback._eval_execution = attempt
    callbacks.StateTaskServiceCallback._eval_body = enter
    callbacks.StateTaskServiceCallback._wait_for_task_token_heartbeat = heartbeats
    callbacks.StateTaskServiceCallback._get_callback_outcome_failure_event = failed
    StateTask._from_error = heartbeat_missed


def _take_answers(tokens: Tokens) -> None:
    def succeed(request: StepFunctionResponse) -> ActionResult:
        token, output = request._get_param("taskToken"), request._get_param("output")
        if size(output) > PAYLOAD:
            raise invalid("output", "…", f"have length less than or equal to {PAYLOAD}")
        try:
            json.loads(output)
        except ValueError as error:
            raise refused("InvalidOutput", f"Invalid Output: '{error}'") from error
        tokens.answer(token, CallbackOutcomeSuccess(token, output))
        return EmptyResult()

    def fail(request: StepFunctionResponse) -> ActionResult:
        token = request._get_param("taskToken")
        error, cause = request._get_param("error"), request._get_param("cause")
        tokens.answer(token, CallbackOutcomeFailure(token, error, cause))
        return EmptyResult()

    def beat(request: StepFunctionResponse) -> ActionResult:
        tokens.answer(request._get_param("taskToken"), None)
        return EmptyResult()

    StepFunctionResponse.send_task_success = succeed
    StepFunctionResponse.send_task_failure = fail
    StepFunctionResponse.send_task_heartbeat = beat
