"""Scheduled actions: a group's sizes at a time, or again and again by a crontab expression.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
Differences from AWS: they start to the second, by the wall clock, at every time scale.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScheduledAction
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import EmptyResult

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.capacity import check_bounds
from labswarm_emulator.autoscaling.crontab import Crontab, NoCrontab
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.lookup import group_of
from labswarm_emulator.autoscaling.processes import suspended
from labswarm_emulator.emulator import Emulator

SIZES = ("MinSize", "MaxSize", "DesiredCapacity")
TOO_LATE_S = 60
"""An action whose time was missed by more is not made up for."""


class Scheduled:
    """The scheduled actions of the emulator's groups."""

    def __init__(self, emulator: Emulator, groups: Groups) -> None:
        self._emulator = emulator
        self._groups = groups
        self._since = emulator.clock.now()

    def install(self) -> None:
        """Keep actions by group and name, which moto keeps by name alone, and refuse bad ones."""

        def put_scheduled_update_group_action(api: Api) -> EmptyResult:
            group, name = group_of(api), api._get_param("ScheduledActionName")
            given = {size: api._get_int_param(size) for size in SIZES}
            if all(value is None for value in given.values()):
                raise ValidationError(
                    "At least one of MinSize, MaxSize or DesiredCapacity has to be specified"
                )
            least, most, desired = (given[size] for size in SIZES)
            if least is not None and most is not None:
                check_bounds(least, most, desired)
            action = FakeScheduledAction(
                group.name,
                desired,
                most,
                least,
                name,
                api._get_param("StartTime"),
                api._get_param("EndTime"),
                api._get_param("Recurrence"),
                api._get_param("TimeZone"),
            )
            self._check(api.autoscaling_backend, action)
            api.autoscaling_backend.scheduled_actions[f"{group.name}/{name}"] = action
            return EmptyResult()

        def delete_scheduled_action(
            backend: AutoScalingBackend, auto_scaling_group_name: str, scheduled_action_name: str
        ) -> None:
            key = f"{auto_scaling_group_name}/{scheduled_action_name}"
            if backend.scheduled_actions.pop(key, None) is None:
                raise ValidationError("Scheduled action name not found")

        Api.put_scheduled_update_group_action = put_scheduled_update_group_action
        AutoScalingBackend.delete_scheduled_action = delete_scheduled_action

    def _check(self, backend: AutoScalingBackend, action: FakeScheduledAction) -> None:
        """Raise as PutScheduledUpdateGroupAction does."""
        start, end = _epoch(action.start_time), _epoch(action.end_time)
        if start is None and not action.recurrence:
            raise ValidationError("StartTime or Recurrence has to be specified")
        if start is not None and start < self._emulator.clock.now():
            raise ValidationError("Given start time is in the past")
        if start is not None and end is not None and end <= start:
            raise ValidationError("End time must be after start time")
        try:
            ZoneInfo(action.time_zone or "UTC")
        except (KeyError, ValueError, OSError) as error:
            raise ValidationError(f"Invalid time zone: {action.time_zone}") from error
        if action.recurrence:
            try:
                Crontab.parse(action.recurrence)
            except NoCrontab as error:
                raise ValidationError(f"Given recurrence string: {error}") from error
        for other in backend.scheduled_actions.values():
            same = other.auto_scaling_group_name == action.auto_scaling_group_name
            named = other.scheduled_action_name == action.scheduled_action_name
            if same and not named and start is not None and _epoch(other.start_time) == start:
                raise AutoscalingClientError(
                    "AlreadyExists",
                    "A scheduled action already exists with the start time "
                    f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ}",
                )

    def run_due(self, backend: AutoScalingBackend) -> None:
        """Do what became due since this was called last; each action once."""
        since, until = self._since, self._emulator.clock.now()
        self._since, begins = until, max(since, until - TOO_LATE_S)
        for key, action in list(backend.scheduled_actions.items()):
            group = backend.autoscaling_groups.get(action.auto_scaling_group_name)
            if group is None:
                backend.scheduled_actions.pop(key, None)  # gone with its group
            elif not suspended(group, "ScheduledActions") and _due(action, begins, until):
                self._run(group, action)
            if _over(action, until):
                backend.scheduled_actions.pop(key, None)

    def _run(self, group: FakeAutoScalingGroup, action: FakeScheduledAction) -> None:
        with self._groups.lock:
            name = action.scheduled_action_name
            least = group.min_size if action.min_size is None else action.min_size
            most = group.max_size if action.max_size is None else action.max_size
            before = group.desired_capacity
            desired = before if action.desired_capacity is None else action.desired_capacity
            self._emulator.record.write("autoscaling", "scheduled", group=group.name, action=name)
            group.min_size, group.max_size = least, most
            group.desired_capacity = max(least, min(most, desired))
            cause = (
                f"At {now()} a scheduled action update of AutoScalingGroup constraints to min: "
                f"{least}, max: {most}, desired: {desired} changing the desired capacity from "
                f"{before} to {group.desired_capacity}."
            )
            self._groups.reconcile(group, cause)


def _due(action: FakeScheduledAction, since: float, until: float) -> bool:
    start, end = _epoch(action.start_time), _epoch(action.end_time)
    if start is not None and since < start <= until:
        return True
    begun = start is None or start <= until
    if not action.recurrence or not begun or (end is not None and until > end):
        return False
    minute = until - until % 60
    if not since < minute <= until:
        return False
    zone = ZoneInfo(action.time_zone or "UTC")
    return Crontab.parse(action.recurrence).fires_in(datetime.fromtimestamp(minute, zone))


def _over(action: FakeScheduledAction, at: float) -> bool:
    """Whether it will not run again: it is no longer described then."""
    start, end = _epoch(action.start_time), _epoch(action.end_time)
    if action.recurrence:
        return end is not None and end < at
    return start is not None and start <= at


def _epoch(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, str):
        given = datetime.fromisoformat(given.replace("Z", "+00:00"))
    return float(given.replace(tzinfo=given.tzinfo or UTC).timestamp())
