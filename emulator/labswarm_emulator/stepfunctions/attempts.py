"""One attempt of a Task, Parallel or Map: it ends by itself, by its timeout, or with the execution.

moto waits for the attempt of an execution that was stopped. An attempt that timed out goes on
writing into the history. A Task with a heartbeat has 60 s, where AWS sets no limit.
https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
"""

import copy
import threading
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.eval import environment

from labswarm_emulator.clock import Clock
from labswarm_emulator.emulator import Emulator


class Ending(threading.Event):
    """The end of an execution, or of a frame of it: it happens once, and sets what waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: set[threading.Event] = set()
        self._changing = threading.Lock()

    def set(self) -> None:
        with self._changing:
            super().set()
            waiting = list(self._waiting)
        for event in waiting:
            event.set()

    def clear(self) -> None:
        """moto clears it at once, so that a wait that is just about to begin misses it."""

    def sets(self, event: threading.Event) -> None:
        """Set `event` too, now if it has happened."""
        with self._changing:
            self._waiting.add(event)
        if self.is_set():
            event.set()

    def forgets(self, event: threading.Event) -> None:
        with self._changing:
            self._waiting.discard(event)


def silence(frame: Any) -> None:
    """Nothing of `frame` or of a frame in it is written to the history any more."""
    frame.event_history_context.is_over = True
    for inner in list(frame._frames):
        silence(inner)


def attempt(clock: Clock, state: Any, env: Any) -> Any:
    """Run the state's task or branches once; its output, None if the execution has ended.

    Raises what the attempt raises, and EvalTimeoutError.
    """
    state.timeout.eval(env=env)
    seconds = env.stack.pop()
    limited = not state.timeout.is_default_value()
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    outputs: list[Any] = []
    raised: list[Exception] = []
    done, over = threading.Event(), threading.Event()

    def run() -> None:
        try:
            state._eval_execution(frame)
            outputs.extend(frame.stack)
        except Exception as error:  # noqa: BLE001  # raised again where the attempt is waited for
            raised.append(error)
        done.set()
        over.set()

    env.program_state_event.sets(over)
    threading.Thread(target=run, daemon=True).start()
    over.wait(min(clock.real(seconds), threading.TIMEOUT_MAX) if limited else None)
    env.program_state_event.forgets(over)
    is_done = done.is_set()
    silence(frame)
    frame.set_ended()
    env.close_frame(frame)
    if not env.is_running():
        return None
    if not is_done:
        raise EvalTimeoutError
    if raised:
        raise raised[0]
    return outputs.pop()


def install(emulator: Emulator) -> None:
    """Attempt so; and end an execution that has timed out before reporting its timeout."""
    environment.threading = SimpleNamespace(RLock=threading.RLock, Event=Ending)

    def evaluate(state: ExecutionState, env: Any) -> None:
        output = attempt(emulator.clock, state, env)
        if not env.is_running():
            return
        env.stack.append(output)
        if not state._is_language_query_jsonpath():
            env.states.set_result(output)
        for step in (state.assign_decl, state.result_selector):
            if step:
                step.eval(env=env)
        if state.result_path:
            state.result_path.eval(env)
        else:
            env.states.reset(input_value=env.stack.pop())

    def run(program: Program, env: Any) -> None:
        env.next_state_name = program.start_at.start_at_name
        limit = program.timeout_seconds
        thread = threading.Thread(target=super(Program, program).eval, args=(env,), daemon=True)
        thread.start()
        if limit:
            thread.join(min(emulator.clock.real(limit.timeout_seconds), threading.TIMEOUT_MAX))
            if thread.is_alive():
                env.set_timed_out()
        thread.join()

    ExecutionState._evaluate_with_timeout = evaluate
    Program.eval = run
