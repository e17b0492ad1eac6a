"""All workers of the plane: which function has which, and who runs the next event."""

import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from moto.awslambda.models import LambdaFunction

from labswarm_lab.plane.cloudwatch.embedded import EmbeddedMetrics
from labswarm_lab.plane.functions.bundle import Bundle, Shelf
from labswarm_lab.plane.functions.processes import Processes
from labswarm_lab.plane.functions.worker import Outcome, Timeout, Worker
from labswarm_lab.plane.plane import Plane

WORKERS_PER_FUNCTION = 10
"""How many events of a function without reserved concurrency run at once; more of them wait."""

IDLE_LIMIT_S = 120.0
"""Real seconds after which an idle worker is ended, at the next end of any invocation."""

RETRY_DELAYS_S = (60.0, 120.0)
"""Before the second and third attempt of an asynchronous invocation.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""

THROTTLED_DELAY_S = 1.0
"""Before an asynchronous event that met TooManyRequests is tried again."""


class TooManyRequests(Exception):
    """The function's reserved concurrency is in use."""


@dataclass(frozen=True)
class Deployment:
    """Everything a worker is started with; one of another deployment runs no new event."""

    bundle: Bundle
    python: str
    handler: str
    environment: tuple[tuple[str, str], ...]


@dataclass
class Crew:
    """The workers of one function. Guarded by `change`."""

    change: threading.Condition = field(default_factory=threading.Condition)
    idle: list[tuple[Deployment, Worker]] = field(default_factory=list)  # last used last
    busy: set[Worker] = field(default_factory=set)
    starting: int = 0


class Fleet:
    """Runs functions."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._metrics = EmbeddedMetrics(plane)
        self._processes = Processes()
        self._shelf = Shelf(plane.settings.state_dir / "functions")
        self._crews: dict[str, Crew] = {}
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, function: LambdaFunction, event: bytes) -> Outcome:
        """Run one event to its end. Raises TooManyRequests above the reserved concurrency."""
        request_id = str(uuid.uuid4())
        crew = self._crew(function.function_arn)
        deployment = self._deployment(function)
        self._take_place(crew, function.reserved_concurrency)
        started = time.monotonic()
        worker, cold = self._worker(crew, deployment, function.function_name)
        try:
            seconds = float(function.timeout)
            timeout = Timeout(seconds, self._plane.clock.real(seconds))
            outcome = worker.invoke(request_id, event, function.function_arn, timeout)
        finally:
            self._release(crew, deployment, worker)
            self._metrics.read(self._log(function.function_name))
        self._plane.record.write(
            "functions",
            "failed" if outcome.failed else "answered",
            function=function.function_name,
            request_id=request_id,
            cold=cold,
            seconds=round(time.monotonic() - started, 3),
            **({"error": outcome.payload.decode(errors="replace")} if outcome.failed else {}),
        )
        return outcome

    def invoke_later(self, function: LambdaFunction, event: bytes, attempt: int = 0) -> None:
        """Run one event in the background, and again after a function error."""

        def run() -> None:
            try:
                failed = self.invoke(function, event).failed
            except TooManyRequests:
                # Lambda keeps a throttled event and tries it again, which counts as no attempt.
                again(THROTTLED_DELAY_S, attempt)
                return
            if failed and attempt < _retries(function):
                again(RETRY_DELAYS_S[attempt], attempt + 1)

        def again(delay_s: float, attempt: int) -> None:
            if not self._closed:
                retry = partial(self.invoke_later, function, event, attempt)
                self._plane.clock.after(delay_s, retry)

        threading.Thread(target=run, daemon=True).start()

    def forget(self, function_arn: str) -> None:
        """End the workers of a function that was deleted."""
        with self._lock:
            crew = self._crews.pop(function_arn, None)
        if crew is not None:
            self._dismiss(crew)

    def close(self) -> None:
        """End every worker; invocations under way fail."""
        self._closed = True
        with self._lock:
            crews, self._crews = list(self._crews.values()), {}
        for crew in crews:
            self._dismiss(crew)
        self._processes.close()

    def _crew(self, function_arn: str) -> Crew:
        with self._lock:
            return self._crews.setdefault(function_arn, Crew())

    def _take_place(self, crew: Crew, reserved: int | None) -> None:
        """Count this invocation in, waiting for its turn where nothing is reserved."""
        with crew.change:
            if reserved is None:
                crew.change.wait_for(lambda: len(crew.busy) + crew.starting < WORKERS_PER_FUNCTION)
            elif len(crew.busy) + crew.starting >= int(reserved):
                raise TooManyRequests("Rate Exceeded.")
            crew.starting += 1

    def _worker(self, crew: Crew, deployment: Deployment, name: str) -> tuple[Worker, bool]:
        """The idle worker of this deployment that was used last, or a new one, and if it is new."""
        with crew.change:
            stale = [w for d, w in crew.idle if d != deployment or not w.alive]
            crew.idle = [(d, w) for d, w in crew.idle if w not in stale]
            worker = crew.idle.pop()[1] if crew.idle else None
        for other in stale:
            other.end()
        cold = worker is None
        try:
            worker = worker or self._start(deployment, name)
        finally:
            with crew.change:
                crew.starting -= 1
                if worker is not None:
                    crew.busy.add(worker)
        return worker, cold

    def _release(self, crew: Crew, deployment: Deployment, worker: Worker) -> None:
        with crew.change:
            crew.busy.discard(worker)
            kept = worker.alive and not self._closed
            if kept:
                crew.idle.append((deployment, worker))
            crew.change.notify()
        if not kept:
            worker.end()
        self._end_idle()

    def _end_idle(self) -> None:
        """End the workers, of any function, that have been idle for long."""
        before = time.monotonic() - IDLE_LIMIT_S
        with self._lock:
            crews = list(self._crews.values())
        for crew in crews:
            with crew.change:
                idle = [w for _, w in crew.idle if w.used_at < before]
                crew.idle = [(d, w) for d, w in crew.idle if w not in idle]
            for worker in idle:
                worker.end()

    def _dismiss(self, crew: Crew) -> None:
        with crew.change:
            workers = [w for _, w in crew.idle] + list(crew.busy)
            crew.idle = []
        for worker in workers:
            worker.end()

    def _start(self, deployment: Deployment, name: str) -> Worker:
        return Worker(
            deployment.python,
            deployment.handler,
            deployment.bundle.task_root,
            dict(deployment.environment),
            self._log(name),
            processes=self._processes,
        )

    def _log(self, name: str) -> Path:
        return self._plane.settings.state_dir / "logs" / f"{name}.log"

    def _deployment(self, function: LambdaFunction) -> Deployment:
        bundle = self._shelf.bundle(function)
        environment = self._environment(function, bundle)
        return Deployment(
            bundle,
            self._plane.settings.function_python,
            function.handler,
            tuple(sorted(environment.items())),
        )

    def _environment(self, function: LambdaFunction, bundle: Bundle) -> dict[str, str]:
        """Lambda's variables, the plane's address, and the function's own; nothing of the plane's.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        search_path = bundle.search_path(function.run_time or "")
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(bundle.task_root),
            "PYTHONPATH": os.pathsep.join(map(str, search_path)),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": "plane",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": "function",
            "AWS_SECRET_ACCESS_KEY": "function",
            "AWS_SESSION_TOKEN": "function",
            "AWS_ENDPOINT_URL": self._plane.url,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **{name: str(value) for name, value in function.environment_vars.items()},
        }


def _retries(function: LambdaFunction) -> int:
    """MaximumRetryAttempts of asynchronous invocations, 2 where nothing is said."""
    said = function.event_invoke_config[-1].config if function.event_invoke_config else {}
    return int(said.get("MaximumRetryAttempts", len(RETRY_DELAYS_S)))
