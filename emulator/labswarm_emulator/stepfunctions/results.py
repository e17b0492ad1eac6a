"""Times in results are text, `2026-01-31T10:00:00.123Z`: moto keeps datetime objects in the state.

Those a Choice cannot compare, and they come out as `+00:00` with microseconds. AWS writes the
java.time.Instant of the SDK. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

import datetime
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service as service,
)


def instant(moment: datetime.datetime) -> str:
    """A time as AWS writes it: UTC, milliseconds, none where they are zero."""
    in_utc = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    precision = "milliseconds" if in_utc.microsecond // 1000 else "seconds"
    return in_utc.isoformat(timespec=precision) + "Z"


def plain(value: Any) -> Any:
    """`value` with every time in it as text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return instant(value) if isinstance(value, datetime.datetime) else value


def install() -> None:
    """Make a task's result plain before anything sees it."""
    after = service.StateTaskService._after_eval_execution

    def after_execution(task: Any, env: Any, *args: Any, **kwargs: Any) -> None:
        env.stack[-1] = plain(env.stack[-1])
        after(task, env, *args, **kwargs)

    service.StateTaskService._after_eval_execution = after_execution
