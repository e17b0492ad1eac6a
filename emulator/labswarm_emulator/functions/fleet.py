"""All workers of the emulator: which function has which, and who runs the next event."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from moto.awslambda.models import LambdaFunction

from labswarm_emulator.cloudwatch.embedded import EmbeddedMetrics
from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import ConcurrencyFaults, FunctionFaults
from labswarm_emulator.functions import metrics, states
from labswarm_emulator.functions.bundle import Bundle, Shelf
from labswarm_emulator.functions.concurrency import Concurrency
from labswarm_emulator.functions.environment import environment
from labswarm_emulator.functions.processes import Processes
from labswarm_emulator.functions.worker import Crash, Limits, Outcome, Worker

WORKERS_PER_FUNCTION = 10
"""How many events of a function this machine runs at once; more of them wait for a worker."""

IDLE_LIMIT_S = 75.0
"""Real seconds after which an idle worker is ended, at the next end of any invocation.

A function that runs every minute stays warm, as on AWS. One that runs every five minutes does not.
"""


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

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._embedded = EmbeddedMetrics(emulator)
        self._concurrency = Concurrency(
            lambda: emulator.faults.on(ConcurrencyFaults).limit(
                emulator.settings.function_concurrency
            )
        )
        self._processes = Processes()
        self._shelf = Shelf(emulator.settings.state_dir / "functions")
        self._crews: dict[str, Crew] = {}
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, function: LambdaFunction, event: bytes, request_id: str) -> Outcome:
        """Run one event to its end.

        Raises TooManyRequests above what may run at once, and NotReady for a function that is not
        Active.
        """
        states.check(self._emulator, function)
        with self._concurrency.taken(function):
            invoked_at = time.time()
            outcome = self._invoke(function, event, request_id)
        metrics.publish(function.function_name, invoked_at, failed=outcome.failed)
        return outcome

    def _invoke(self, function: LambdaFunction, event: bytes, request_id: str) -> Outcome:
        name = function.function_name
        crew = self._crew(function.function_arn)
        deployment = self._deployment(function)
        self._take_place(crew)
        started = time.monotonic()
        worker, cold = self._worker(crew, deployment, name)
        seconds = float(function.timeout)
        limits = Limits(seconds, self._emulator.clock.real(seconds), int(function.memory_size))
        how = self._emulator.faults.on(FunctionFaults).crash_of(name)
        crash = Crash(how) if how else None
        try:
            outcome = worker.invoke(request_id, event, function.function_arn, limits, crash)
        finally:
            self._release(crew, deployment, worker)
            self._embedded.read(self._log(name))
        init_s = {"init_s": round(worker.init_s, 3)} if cold and worker.init_s is not None else {}
        if crash is not None:
            about = {"function": name, "request_id": request_id, "when": crash.value}
            self._emulator.record.write("faults", "crashed", **about)
        self._emulator.record.write(
            "functions",
            "failed" if outcome.failed else "answered",
            function=name,
            request_id=request_id,
            cold=cold,
            seconds=round(time.monotonic() - started, 3),
            **init_s,
            **({"error": outcome.payload.decode(errors="replace")} if outcome.failed else {}),
        )
        return outcome

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

    def _take_place(self, crew: Crew) -> None:
        """Count this invocation in, waiting for its turn at this machine."""
        with crew.change:
            crew.change.wait_for(lambda: len(crew.busy) + crew.starting < WORKERS_PER_FUNCTION)
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
            init_at_least_s=self._emulator.clock.real(
                self._emulator.draw(self._emulator.latency.cold_start)
            ),
        )

    def _log(self, name: str) -> Path:
        return self._emulator.settings.state_dir / "logs" / f"{name}.log"

    def _deployment(self, function: LambdaFunction) -> Deployment:
        bundle = self._shelf.bundle(function)
        variables = environment(function, bundle, self._emulator.url)
        return Deployment(
            bundle,
            self._emulator.settings.function_python,
            function.handler,
            tuple(sorted(variables.items())),
        )
