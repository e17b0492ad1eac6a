"""EventBridge Scheduler: schedules that call a function, a state machine or a queue.

Where no page is named, the rules are those of the operation's own page under
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
Differences from AWS: no universal targets, and no schedule is encrypted with a key of one's own.
"""

import json
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend as Backend
from moto.scheduler.models import Schedule, scheduler_backends
from moto.utilities.arns import parse_arn

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator
from labswarm_emulator.events.cron import cron
from labswarm_emulator.events.delivery import AGE_S, ATTEMPTS, SERVICES, Invocation
from labswarm_emulator.events.schedule import Timed, Timetable, at_s, rate_s

LONGEST_WINDOW_MIN = 1440


class Scheduler:
    """The schedules of the emulator; `call` delivers one invocation."""

    def __init__(self, emulator: Emulator, call: Callable[[Invocation], None]) -> None:
        self._emulator = emulator
        self._call = call
        self._timetable = Timetable(emulator.clock.real)

    def install(self) -> None:
        """Have moto refuse the schedules that Scheduler, or the emulator, would not run."""
        create, update = Backend.create_schedule, Backend.update_schedule

        def create_schedule(backend: Backend, **given: Any) -> Schedule:
            _check(given)
            backend.get_schedule_group(given["group_name"])
            return create(backend, **given)

        def update_schedule(backend: Backend, **given: Any) -> Schedule:
            _check(given)
            return update(backend, **given)

        Backend.create_schedule = create_schedule
        Backend.update_schedule = update_schedule

    def fire_due(self) -> None:
        """Invoke the targets of those schedules that are due."""
        now = self._emulator.clock.now()
        backend = scheduler_backends[ACCOUNT][REGION]
        known = {
            schedule.arn: schedule
            for group in list(backend.schedule_groups.values())
            for schedule in list(group.schedules.values())
            if schedule.state == "ENABLED"
        }
        for arn in self._timetable.due(map(_timed, known.values()), now):
            self._fire(known[arn], now)
        for schedule in known.values():
            if _completed(schedule, now):
                # It may have been deleted meanwhile, with its group too.
                group = backend.schedule_groups.get(schedule.group_name)
                if group is not None:
                    group.schedules.pop(schedule.name, None)
                self._emulator.record.write("scheduler", "completed", schedule=schedule.arn)

    def _fire(self, schedule: Schedule, now: float) -> None:
        """Call the target, at some moment of the flexible time window."""
        execution, at = str(uuid.uuid4()), _shown(now)
        self._emulator.record.write(
            "scheduler", "due", schedule=schedule.arn, execution=execution, at=at
        )
        context = {"schedule-arn": schedule.arn, "scheduled-time": at, "execution-id": execution}
        target = dict(schedule.target)  # the target's text as it is now, before any change
        attributes = {
            "SCHEDULE_ARN": schedule.arn,
            "SCHEDULED_TIME": at,
            "EXECUTION_ID": execution,
            "IS_PAYLOAD_TRUNCATED": "false",
        }
        invocation = Invocation(
            target=target,
            body=lambda attempt: _payload(target, context, attempt),
            event=execution,
            attributes=attributes,
            since=now,
        )
        window = schedule.flexible_time_window
        minutes = window.get("MaximumWindowInMinutes", 0) if window["Mode"] == "FLEXIBLE" else 0
        late_s = random.uniform(0, 60 * minutes)  # noqa: S311
        self._emulator.clock.after(late_s, lambda: self._call(invocation))


def _timed(schedule: Schedule) -> Timed:
    return Timed(
        schedule.arn,
        schedule.schedule_expression,
        zone=schedule.schedule_expression_timezone,
        begins=_seconds(schedule.start_date),
        ends=_seconds(schedule.end_date),
        at_once=True,
    )


def _completed(schedule: Schedule, now: float) -> bool:
    """Whether a schedule with ActionAfterCompletion DELETE will not fire again."""
    if schedule.action_after_completion != "DELETE":
        return False
    once = at_s(schedule.schedule_expression, schedule.schedule_expression_timezone)
    ends = once if once is not None else _seconds(schedule.end_date)
    return ends is not None and ends < now


def _payload(target: Mapping[str, Any], context: Mapping[str, str], attempt: int) -> str:
    """The target's Input with the context's attributes in it, or the default notification.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    text = target.get("Input")
    if text is None:
        return json.dumps(
            {
                "version": "0",
                "id": context["execution-id"],
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": ACCOUNT,
                "time": context["scheduled-time"],
                "region": REGION,
                "resources": [context["schedule-arn"]],
                "detail": "{}",
            }
        )
    for name, value in {**context, "attempt-number": str(attempt)}.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)


def _check(given: Mapping[str, Any]) -> None:
    """Raise ValidationException as CreateSchedule and UpdateSchedule do."""
    expression, target = given["schedule_expression"], given["target"]
    zone = given["schedule_expression_timezone"] or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # not there, no name, or a folder
        raise ValidationException(f"Invalid ScheduleExpressionTimezone {zone}.") from error
    if not rate_s(expression) and cron(expression) is None and at_s(expression, zone) is None:
        raise ValidationException(f"Invalid Schedule Expression {expression}.")
    window = given["flexible_time_window"]
    minutes = window.get("MaximumWindowInMinutes")
    if window["Mode"] == "FLEXIBLE" and not 1 <= (minutes or 0) <= LONGEST_WINDOW_MIN:
        raise ValidationException(
            "MaximumWindowInMinutes must be from 1 to 1440 for a flexible time window."
        )
    if window["Mode"] == "OFF" and minutes is not None:
        raise ValidationException("MaximumWindowInMinutes is for a flexible time window only.")
    if given.get("kms_key_arn"):
        raise ValidationException("This emulator encrypts no schedule with a key of yours.")
    _check_target(target)


def _check_target(target: Mapping[str, Any]) -> None:
    service = parse_arn(target["Arn"]).service
    if service not in SERVICES:
        raise ValidationException(
            "The emulator's schedules call functions, state machines and queues, "
            f"not {target['Arn']}"
        )
    if target.get("Input") is not None and service != "sqs":
        try:
            json.loads(target["Input"])
        except json.JSONDecodeError as error:
            raise ValidationException(
                "Input must be a well-formed JSON for this target."
            ) from error
    queue = target.get("DeadLetterConfig", {}).get("Arn", "")
    if queue.endswith(".fifo"):
        raise ValidationException("A FIFO queue cannot be a schedule's dead-letter queue.")
    policy = target.get("RetryPolicy", {})
    if not 0 <= policy.get("MaximumRetryAttempts", ATTEMPTS) <= ATTEMPTS:
        raise ValidationException(f"MaximumRetryAttempts must be from 0 to {ATTEMPTS}.")
    if not 60 <= policy.get("MaximumEventAgeInSeconds", AGE_S) <= AGE_S:
        raise ValidationException(f"MaximumEventAgeInSeconds must be from 60 to {AGE_S}.")


def _seconds(given: Any) -> float | None:
    return None if given is None else float(given)


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
