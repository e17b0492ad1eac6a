"""The emulator's clock times each wait, retry interval, timeout and heartbeat of a machine.

Were only some of them scaled, a task could outlive its timeout, or a retry come before the event
that it waits for. A retry's interval also ends when the execution is stopped, which moto sleeps
through.
"""

import threading
import time
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.callback import callback

from labswarm_emulator.clock import Clock
from labswarm_emulator.emulator import Emulator


def wait(clock: Clock, env: Any, seconds: float) -> None:
    """Wait `seconds`, scaled, or until the execution ends."""
    limit = time.monotonic() + clock.real(seconds)
    while env.is_running() and (left := limit - time.monotonic()) > 0:
        env.program_state_event.wait(left)


def install(emulator: Emulator) -> None:
    """Scale them all."""
    clock = emulator.clock

    class Event(threading.Event):
        """An event whose timeouts are those of a state machine."""

        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(None if timeout is None else _bounded(clock.real(timeout)))

    callback.Event = Event  # HeartbeatSeconds

    def wait_interval(_: WaitFunction, env: Any, wait_seconds: float) -> None:
        wait(clock, env, wait_seconds)

    WaitFunction._wait_interval = wait_interval

    evaluate = retrier_decl.RetrierDecl._eval_body
    retrying = threading.local()

    def evaluate_retrier(retrier: Any, env: Any) -> None:
        retrying.env = env
        evaluate(retrier, env)

    def sleep(seconds: float) -> None:
        wait(clock, retrying.env, seconds)

    retrier_decl.RetrierDecl._eval_body = evaluate_retrier
    retrier_decl.time = SimpleNamespace(sleep=sleep)


def _bounded(seconds: float) -> float:
    """The default TimeoutSeconds is more than a thread can be waited for on some systems."""
    return min(seconds, threading.TIMEOUT_MAX)
