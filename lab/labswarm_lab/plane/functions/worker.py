"""One worker: a process of awslambdaric, one invocation at a time."""

import json
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty

from labswarm_lab.plane.functions.processes import Processes
from labswarm_lab.plane.functions.runtime_api import Invocation, Kind, RuntimeApi, Said

INIT_LIMIT_S = 60.0
"""Real seconds a worker has to start. AWS gives 10, on a machine that is not busy with a Swarm."""


@dataclass(frozen=True)
class Outcome:
    """The end of one invocation: the function's answer, or the JSON of its error."""

    payload: bytes
    failed: bool = False


@dataclass(frozen=True)
class Timeout:
    """A function's timeout: `seconds` as configured, and how many `real` seconds that takes."""

    seconds: float
    real: float


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
    ) -> None:
        self._api = RuntimeApi()
        self._ready = False
        self.used_at = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        self._process = processes.start(python, handler, folder, variables, log)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, request_id: str, event: bytes, arn: str, timeout: Timeout) -> Outcome:
        """Run one event through the handler; a worker that does not answer is ended."""
        try:
            failure = self._wait_ready(request_id)
            if failure is not None:
                return failure
            deadline = time.time() + timeout.real
            self._api.give(Invocation(request_id, event, deadline, arn))
            return self._outcome(request_id, timeout)
        finally:
            self.used_at = time.monotonic()

    def end(self) -> None:
        """Kill the process and what it started; ending one twice is no error."""
        self._process.kill()
        self._process.wait()

    def _wait_ready(self, request_id: str) -> Outcome | None:
        """None when the handler has been loaded, else why it could not be."""
        while not self._ready:
            try:
                said = self._api.said.get(timeout=INIT_LIMIT_S)
            except Empty:
                self.end()
                return _error(
                    "Sandbox.Timedout", f"RequestId: {request_id} Error: Runtime did not start"
                )
            match said.kind:
                case Kind.READY:
                    self._ready = True
                case Kind.INIT_ERROR:
                    self.end()
                    return Outcome(said.payload, failed=True)
                case Kind.EXITED:
                    return _exited(request_id, said.status)
        return None

    def _outcome(self, request_id: str, timeout: Timeout) -> Outcome:
        limit = time.monotonic() + timeout.real
        while True:
            try:
                said = self._api.said.get(timeout=max(0.0, limit - time.monotonic()))
            except Empty:
                self.end()
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                return _error(
                    "Sandbox.Timedout",
                    f"{now} {request_id} Task timed out after {timeout.seconds:.2f} seconds",
                )
            if said.kind is Kind.EXITED:
                return _exited(request_id, said.status)
            if said.request_id == request_id:
                return Outcome(said.payload, failed=said.kind is Kind.ERROR)
            # Else its question for this very event, which needs no answer here.

    def _watch(self) -> None:
        status = self._process.wait()
        self._process.let_go()
        self._api.said.put(Said(Kind.EXITED, status=status))
        self._api.close()


def _exited(request_id: str, status: int) -> Outcome:
    if status < 0:
        how = f"Runtime exited with error: signal: {signal.strsignal(-status) or -status}".lower()
        how = "R" + how[1:]
    elif status > 0:
        how = f"Runtime exited with error: exit status {status}"
    else:
        how = "Runtime exited without providing a reason"
    return _error("Runtime.ExitError", f"RequestId: {request_id} Error: {how}")


def _error(error_type: str, message: str) -> Outcome:
    payload = {"errorType": error_type, "errorMessage": message}
    return Outcome(json.dumps(payload, separators=(",", ":")).encode(), failed=True)
