"""Lifecycle hooks and their actions, as they are put, completed and kept alive.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
"""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, LifecycleHook
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import EmptyResult

from labswarm_emulator.autoscaling import notifications
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.hooks import (
    LAUNCHING,
    TERMINATING,
    NoActiveAction,
    longest_wait_s,
)
from labswarm_emulator.autoscaling.lookup import group_of
from labswarm_emulator.emulator import Emulator

SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 30, 7200
RESULTS = ("CONTINUE", "ABANDON")
MOST_HOOKS = 50
SETTINGS = (
    "LifecycleHookName",
    "LifecycleTransition",
    "HeartbeatTimeout",
    "DefaultResult",
    "NotificationMetadata",
    "NotificationTargetARN",
    "RoleARN",
)


class Lifecycle:
    """Answers the operations on hooks."""

    def __init__(self, emulator: Emulator, groups: Groups) -> None:
        self._emulator = emulator
        self._groups = groups

    def install(self) -> None:
        """Replace moto's operations, which complete nothing."""
        LifecycleHook.notification_metadata = None  # moto does not know it

        def put_lifecycle_hook(api: Api) -> EmptyResult:
            group_of(api)
            self.put_hook(api, {name: api._get_param(name) for name in SETTINGS})
            return EmptyResult()

        def delete_lifecycle_hook(api: Api) -> EmptyResult:
            group, name = group_of(api), api._get_param("LifecycleHookName")
            if not api.autoscaling_backend.describe_lifecycle_hooks(group.name, [name]):
                raise ValidationError(f"No Lifecycle Hook found with name {name}")
            api.autoscaling_backend.delete_lifecycle_hook(group.name, name)
            return EmptyResult()

        def complete_lifecycle_action(api: Api) -> EmptyResult:
            result = api._get_param("LifecycleActionResult")
            if result not in RESULTS:
                raise ValidationError("LifecycleActionResult has to be CONTINUE or ABANDON")
            group, hook = group_of(api), api._get_param("LifecycleHookName")
            try:
                self._groups.complete(group.name, hook, result, **_action(api))
            except NoActiveAction as error:
                raise ValidationError(str(error)) from error
            return EmptyResult()

        def record_lifecycle_action_heartbeat(api: Api) -> EmptyResult:
            group, hook = group_of(api), api._get_param("LifecycleHookName")
            try:
                self._groups.heartbeat(group.name, hook, **_action(api))
            except NoActiveAction as error:
                raise ValidationError(str(error)) from error
            return EmptyResult()

        Api.put_lifecycle_hook = put_lifecycle_hook
        Api.delete_lifecycle_hook = delete_lifecycle_hook
        Api.complete_lifecycle_action = complete_lifecycle_action
        Api.record_lifecycle_action_heartbeat = record_lifecycle_action_heartbeat

    def put_hook(self, api: Api, given: dict[str, Any]) -> None:
        """Make a hook, or change what is given of one. Raises ValidationError."""
        backend, group_name = api.autoscaling_backend, api._get_param("AutoScalingGroupName")
        name = given["LifecycleHookName"]
        known = next(iter(backend.describe_lifecycle_hooks(group_name, [name])), None)
        transition = given.get("LifecycleTransition") or (known and known.lifecycle_transition)
        if transition not in (LAUNCHING, TERMINATING):
            raise ValidationError(f"LifecycleTransition has to be {LAUNCHING} or {TERMINATING}")
        timeout_s = int(
            given.get("HeartbeatTimeout") or (known and known.heartbeat_timeout) or 3600
        )
        if not SHORTEST_HEARTBEAT_S <= timeout_s <= LONGEST_HEARTBEAT_S:
            raise ValidationError("HeartbeatTimeout has to be from 30 to 7200 seconds")
        result = given.get("DefaultResult") or (known.default_result if known else "ABANDON")
        if result not in RESULTS:
            raise ValidationError("DefaultResult has to be CONTINUE or ABANDON")
        if known is None and len(backend.describe_lifecycle_hooks(group_name)) >= MOST_HOOKS:
            raise AutoscalingClientError(
                "LimitExceeded", f"A group has no more than {MOST_HOOKS} lifecycle hooks."
            )
        target = given.get("NotificationTargetARN")
        if target:
            self._try_target(backend, group_name, target, given.get("RoleARN"))
        hook: LifecycleHook = backend.create_lifecycle_hook(
            name, group_name, transition, timeout_s, result
        )
        hook.notification_metadata = given.get("NotificationMetadata") or (
            known.notification_metadata if known else None
        )
        # An empty target takes the one away that there was; none given keeps it.
        kept = known if known and target is None else None
        hook.notification_target_arn = kept.notification_target_arn if kept else target or None
        hook.role_arn = kept.role_arn if kept else given.get("RoleARN")
        hook.global_timeout = longest_wait_s(timeout_s)

    def _try_target(
        self, backend: AutoScalingBackend, group_name: str, target: str, role: str | None
    ) -> None:
        if not role:
            raise ValidationError("RoleARN is required with a NotificationTargetARN.")
        if target.split(":")[2] not in ("sqs", "sns") or target.endswith(".fifo"):
            raise ValidationError(f"{target} is no standard queue or topic.")
        group = backend.autoscaling_groups.get(group_name)
        arn = group.arn if group else None
        notifications.send_test(self._emulator, group_name, arn, backend.account_id, target)


def _action(api: Api) -> dict[str, str | None]:
    which = {
        "token": api._get_param("LifecycleActionToken"),
        "instance_id": api._get_param("InstanceId"),
    }
    if not any(which.values()):
        raise ValidationError("Either LifecycleActionToken or InstanceId has to be given.")
    return which
