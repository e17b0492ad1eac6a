"""Runs the app's machines: one execution is one process in virtual time.

The emulator runs the same files with a whole interpreter; this one has what they use, and
fails on the rest. tests/emulator/test_simulation_machines.py holds it to the other.
"""

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.simulation import paths
from tests.simulation.virtual_time import Process, VirtualTime

_NOT_IN_ALL = ("States.Runtime", "States.DataLimitExceeded")
_DEFAULT_TIMEOUT_S = 99_999_999
# AWS documents 1 to 2048 characters.
_TOKEN = 1000
_INVOKE = "arn:aws:states:::lambda:invoke"


class Failure(Exception):
    """A state failed: `error` is its error name, `cause` what is said of it."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass
class Execution:
    """One run of a machine. `entered` are the states entered, in order; `calls` the functions."""

    machine: str
    name: str
    given: Any
    status: str = "RUNNING"
    output: Any = None
    error: str | None = None
    cause: str | None = None
    transitions: int = 0
    entered: list[str] = field(default_factory=list)
    calls: int = 0
    ended_at: float = 0.0
    process: Process | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:states:eu-west-1:123456789012:execution:{self.machine}:{self.name}"


@dataclass(eq=False)
class Waits:
    """An attempt that waits for the answer to its token."""

    token: str
    is_answered: bool = False
    output: Any = None
    failure: Failure | None = None

    def result(self) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.output


Invoke = Callable[[Execution, str, str, Any], Any]
"""Calls a function for a state of an execution: execution, state, function, payload -> answer."""


class Interpreter:
    """All machines of a simulation, by their names, and all their executions, by ARN."""

    def __init__(
        self,
        time: VirtualTime,
        machines: Mapping[str, Mapping[str, Any]],
        invoke: Invoke,
        draw: random.Random,
        changed: Callable[[Execution], None],
    ) -> None:
        self._time = time
        self._machines = machines
        self._invoke = invoke
        self._draw = draw
        self._changed = changed
        self._names = itertools.count(1)
        self._waits: dict[str, Waits] = {}
        self.executions: dict[str, Execution] = {}

    def start(self, machine: str, given: Any, name: str | None = None) -> Execution:
        """Begin an execution; a name that was given before answers the same one."""
        execution = Execution(machine, name or f"run-{next(self._names)}", given)
        if execution.arn in self.executions:
            return self.executions[execution.arn]
        self.executions[execution.arn] = execution
        execution.process = self._time.spawn(lambda: self._run(execution), execution.name)
        return execution

    def _run(self, execution: Execution) -> None:
        context = {
            "Execution": {"Id": execution.arn, "Name": execution.name, "Input": execution.given},
            "State": {},
        }
        try:
            execution.output = self._states(
                execution, self._machines[execution.machine], execution.given, context
            )
            execution.status = "SUCCEEDED"
        except Failure as failure:
            execution.status = "FAILED"
            execution.error, execution.cause = failure.error, failure.cause
        execution.ended_at = self._time.now()
        self._changed(execution)

    def _states(
        self, execution: Execution, states: Mapping[str, Any], data: Any, context: dict[str, Any]
    ) -> Any:
        execution.transitions += 1
        name: str | None = states["StartAt"]
        while name is not None:
            state = states["States"][name]
            execution.transitions += 1
            execution.entered.append(name)
            context = {**context, "State": {"Name": name, "EnteredTime": self._iso()}}
            try:
                data, name = self._state(execution, name, state, data, context)
            except paths.PathError as error:
                raise Failure("States.Runtime", str(error)) from error
        return data

    def _state(
        self, execution: Execution, name: str, state: Mapping[str, Any], data: Any, context: Any
    ) -> tuple[Any, str | None]:
        following = state.get("Next")
        match state["Type"]:
            case "Succeed":
                return data, None
            case "Fail":
                error = _either(state, "Error", data, context)
                raise Failure(error, _either(state, "Cause", data, context))
            case "Pass":
                result = state.get("Result", data)
                if "Parameters" in state:
                    result = paths.fill(state["Parameters"], data, context)
                return paths.put(state.get("ResultPath", "$"), data, result), following
            case "Wait":
                self._time.sleep(self._wait_s(state, data, context))
                return data, following
            case "Choice":
                for rule in state["Choices"]:
                    if paths.holds(rule, data, context):
                        return data, rule["Next"]
                if "Default" not in state:
                    raise Failure("States.NoChoiceMatched", name)
                return data, state["Default"]
            case "Task" | "Map":
                return self._tried(execution, name, state, data, context)
        raise NotImplementedError(f"{name}: the type {state['Type']} is not known")

    def _tried(
        self, execution: Execution, name: str, state: Mapping[str, Any], data: Any, context: Any
    ) -> tuple[Any, str | None]:
        """Once, again as Retry says, and then as Catch says."""
        attempts: dict[int, int] = {}
        act = self._task if state["Type"] == "Task" else self._map
        while True:
            try:
                result = act(execution, name, state, data, context)
                if "ResultSelector" in state:
                    result = paths.fill(state["ResultSelector"], result, context)
                return paths.put(state.get("ResultPath", "$"), data, result), state.get("Next")
            except Failure as failure:
                pause = self._retried(state, failure.error, attempts)
                if pause is not None:
                    execution.transitions += 1
                    self._time.sleep(pause)
                    continue
                for catcher in state.get("Catch", []):
                    if matches(catcher["ErrorEquals"], failure.error):
                        caught = {"Error": failure.error, "Cause": failure.cause}
                        path = catcher.get("ResultPath", "$")
                        return paths.put(path, data, caught), catcher["Next"]
                raise

    def _retried(
        self, state: Mapping[str, Any], error: str, attempts: dict[int, int]
    ) -> float | None:
        """The seconds until another attempt, or None when there is none."""
        for index, retrier in enumerate(state.get("Retry", [])):
            if not matches(retrier["ErrorEquals"], error):
                continue
            made = attempts.get(index, 0)
            if made >= retrier.get("MaxAttempts", 3):
                return None
            attempts[index] = made + 1
            interval = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** made
            interval = min(interval, retrier.get("MaxDelaySeconds", interval))
            full = retrier.get("JitterStrategy") == "FULL"
            return self._draw.uniform(0, interval) if full else interval
        return None

    def _task(
        self, execution: Execution, name: str, state: Mapping[str, Any], data: Any, context: Any
    ) -> Any:
        # CloudFormation fills the partition in, as the template's DefinitionSubstitutions say.
        resource = state["Resource"].replace("${Partition}", "aws")
        if resource not in (_INVOKE, f"{_INVOKE}.waitForTaskToken"):
            raise NotImplementedError(f"{name}: {state['Resource']} is not known")
        waits = (
            None if resource == _INVOKE else Waits(f"token-{next(self._names)}".ljust(_TOKEN, "="))
        )
        if waits:
            self._waits[waits.token] = waits
            context = {**context, "Task": {"Token": waits.token}}
        given = paths.fill(state["Parameters"], data, context)
        execution.calls += 1
        call = self._time.spawn(
            lambda: self._invoke(execution, name, given["FunctionName"], given["Payload"]),
            name,
            awaited=True,
        )
        timeout_s = state.get("TimeoutSeconds", _DEFAULT_TIMEOUT_S)
        if "TimeoutSecondsPath" in state:
            timeout_s = paths.read(state["TimeoutSecondsPath"], data, context)
        end = self._time.now() + timeout_s
        try:
            # On a timeout the function goes on: nobody stops it but its own timeout.
            if not call.wait(timeout_s):
                raise Failure("States.Timeout", name)
            if call.error is not None:
                raise call.error
            if waits is None:
                return {"Payload": call.result, "StatusCode": 200}
            left_s = end - self._time.now()
            if not self._time.wait_until(lambda: waits.is_answered, left_s, waits):
                raise Failure("States.Timeout", name)
            return waits.result()
        finally:
            if waits:
                del self._waits[waits.token]

    def answer(self, token: str, output: Any = None, failure: Failure | None = None) -> bool:
        """End the wait for a token; False when nobody waits for it (any more)."""
        waits = self._waits.get(token)
        if waits is None or waits.is_answered:
            return False
        waits.output, waits.failure, waits.is_answered = output, failure, True
        self._time.wake(waits)
        return True

    def _map(
        self, execution: Execution, name: str, state: Mapping[str, Any], data: Any, context: Any
    ) -> Any:
        items = paths.read(state.get("ItemsPath", "$"), data, context)
        room = state.get("MaxConcurrency") or len(items) or 1
        results: list[Any] = [None] * len(items)
        todo = list(enumerate(items))

        def work() -> None:
            while todo:
                index, item = todo.pop(0)
                inner = {**context, "Map": {"Item": {"Index": index, "Value": item}}}
                selector = state.get("ItemSelector")
                given = item if selector is None else paths.fill(selector, data, inner)
                execution.transitions -= 1  # an iteration has no start of its own
                results[index] = self._states(execution, state["ItemProcessor"], given, inner)

        crew = [
            self._time.spawn(work, f"{name}-{n}", awaited=True)
            for n in range(min(room, len(items)))
        ]
        for one in crew:
            one.wait()
        for one in crew:
            if one.error is not None:
                raise one.error
        return results

    def _wait_s(self, state: Mapping[str, Any], data: Any, context: Any) -> float:
        """How many seconds a Wait lasts."""
        if "TimestampPath" not in state:
            return float(state["Seconds"])
        until = datetime.fromisoformat(paths.read(state["TimestampPath"], data, context))
        return max(0.0, until.timestamp() - self._time.now())

    def _iso(self) -> str:
        return datetime.fromtimestamp(self._time.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def matches(names: list[str], error: str) -> bool:
    """Whether ErrorEquals takes an error.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if error in names:
        return True
    if error in _NOT_IN_ALL:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def _either(state: Mapping[str, Any], field_name: str, data: Any, context: Any) -> str:
    if f"{field_name}Path" in state:
        return str(paths.read(state[f"{field_name}Path"], data, context))
    return str(state.get(field_name, ""))
