"""One worker: a process of awslambdaric, one invocation at a time."""

import json
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from queue import Empty

from labswarm_emulator.functions.processes import Processes
from labswarm_emulator.functions.runtime_api import Invocation, Kind, RuntimeApi, Said

INIT_LIMIT_S = 60.0
"""Real seconds a worker has to start. AWS gives 10, on a machine that is not busy with a Swarm."""

ANSWER_BYTES = 6_291_556
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

LOOK_S = 0.1
"""Real seconds between two looks at how much memory a worker uses."""


@dataclass(frozen=True)
class Outcome:
    """The end of one invocation: the function's answer, or the JSON of its error."""

    payload: bytes
    failed: bool = False


@dataclass(frozen=True)
class Limits:
    """The limits of one invocation.

    `timeout_s` is as configured, `real_timeout_s` what that is of real seconds. Of memory there is
    no limit with `memory_mb` None.
    """

    timeout_s: float
    real_timeout_s: float
    memory_mb: int | None = None


class Crash(Enum):
    """When a worker is killed on purpose; its handler's earlier work stays done."""

    BEFORE = "before"  # the handler has the event
    AFTER = "after"  # the handler has returned, and nobody knows


class Worker:
    """A process that runs the handler; `alive` until it crashed, timed out or was ended."""

    def __init__(
        self,
        python: str,
        handler: str,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        *,
        processes: Processes,
        init_at_least_s: float = 0.0,
    ) -> None:
        """Start the process. It takes no event within `init_at_least_s` real seconds."""
        self._api = RuntimeApi()
        self._init_at_least_s = init_at_least_s
        self._begun = self.used_at = time.monotonic()
        self.init_s: float | None = None
        """How many real seconds it took to start; None until it has."""
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        self._process = processes.start(python, handler, folder, variables, log)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(
        self, request_id: str, event: bytes, arn: str, limits: Limits, crash: Crash | None = None
    ) -> Outcome:
        """Run one event through the handler; a worker that does not answer is ended."""
        try:
            failure = self._wait_ready(request_id)
            if failure is not None:
                return failure
            if crash is Crash.BEFORE:
                return self._killed(request_id)
            deadline = time.time() + limits.real_timeout_s
            self._api.give(Invocation(request_id, event, deadline, arn))
            outcome = self._outcome(request_id, limits)
            if crash is Crash.AFTER and self.alive:
                return self._killed(request_id)
            return outcome
        finally:
            self.used_at = time.monotonic()

    def end(self) -> None:
        """Kill the process and its children; ending one twice is no error."""
        self._process.kill()
        self._process.wait()

    def _wait_ready(self, request_id: str) -> Outcome | None:
        """None when the handler has been loaded, else why it could not be."""
        while self.init_s is None:
            try:
                said = self._api.said.get(timeout=INIT_LIMIT_S)
            except Empty:
                self.end()
                return _error(
                    "Sandbox.Timedout", f"RequestId: {request_id} Error: Runtime did not start"
                )
            match said.kind:
                case Kind.READY:
                    left_s = self._begun + self._init_at_least_s - time.monotonic()
                    time.sleep(max(0.0, left_s))
                    self.init_s = time.monotonic() - self._begun
                case Kind.INIT_ERROR:
                    self.end()
                    return Outcome(said.payload, failed=True)
                case Kind.EXITED:
                    return _exited(request_id, said.status)
        return None

    def _outcome(self, request_id: str, limits: Limits) -> Outcome:
        end = time.monotonic() + limits.real_timeout_s
        while True:
            left_s = end - time.monotonic()
            try:
                said = self._api.said.get(timeout=max(0.0, min(LOOK_S, left_s)))
            except Empty:
                if self._used_too_much(limits):
                    return self._killed(request_id, "Runtime.OutOfMemory")
                if left_s > LOOK_S:
                    continue
                self.end()
                return _timed_out(request_id, limits.timeout_s)
            if said.kind is Kind.EXITED:
                return _exited(request_id, said.status)
            if said.request_id != request_id:
                continue  # its question for this very event, which needs no answer here
            if self._used_too_much(limits):
                return self._killed(request_id, "Runtime.OutOfMemory")
            if len(said.payload) > ANSWER_BYTES:
                return _error(
                    "Function.ResponseSizeTooLarge",
                    "Response payload size exceeded maximum allowed payload size "
                    f"({ANSWER_BYTES} bytes).",
                )
            return Outcome(said.payload, failed=said.kind is Kind.ERROR)

    def _used_too_much(self, limits: Limits) -> bool:
        """Whether the process ever used more memory than it may; unknown without /proc."""
        if limits.memory_mb is None:
            return False
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return any(int(peak) > limits.memory_mb * 1024 for peak in peaks)  # in kB

    def _killed(self, request_id: str, error_type: str = "Runtime.ExitError") -> Outcome:
        self.end()
        return _exited(request_id, -signal.SIGKILL, error_type)

    def _watch(self) -> None:
        status = self._process.wait()
        self._process.let_go()
        self._api.said.put(Said(Kind.EXITED, status=status))
        self._api.close()


def _timed_out(request_id: str, seconds: float) -> Outcome:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return _error(
        "Sandbox.Timedout", f"{now} {request_id} Task timed out after {seconds:.2f} seconds"
    )


def _exited(request_id: str, status: int, error_type: str = "Runtime.ExitError") -> Outcome:
    if status < 0:
        how = f"Runtime exited with error: signal: {signal.strsignal(-status) or -status}".lower()
        how = "R" + how[1:]
    elif status > 0:
        how = f"Runtime exited with error: exit status {status}"
    else:
        how = "Runtime exited without providing a reason"
    return _error(error_type, f"RequestId: {request_id} Error: {how}")


def _error(error_type: str, message: str) -> Outcome:
    payload = {"errorType": error_type, "errorMessage": message}
    return Outcome(json.dumps(payload, separators=(",", ":")).encode(), failed=True)
