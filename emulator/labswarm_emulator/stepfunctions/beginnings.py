"""An execution can be stopped as soon as it is started: moto's has nothing to stop at first."""

import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

BEGINS_WITHIN_S = 30.0


def install() -> None:
    """Mark an execution that runs: `has_begun` of its worker."""
    start = ExecutionWorker.start
    environment = ExecutionWorker._get_evaluation_environment
    run = Program._eval_body

    def start_and_report(worker: ExecutionWorker) -> None:
        worker.has_begun = threading.Event()
        start(worker)

    def environment_of(worker: ExecutionWorker) -> Any:
        made = environment(worker)
        made.has_begun = worker.has_begun
        return made

    def report_and_run(program: Program, env: Any) -> None:
        if hasattr(env, "has_begun"):
            env.has_begun.set()
        run(program, env)

    ExecutionWorker.start = start_and_report
    ExecutionWorker._get_evaluation_environment = environment_of
    Program._eval_body = report_and_run
