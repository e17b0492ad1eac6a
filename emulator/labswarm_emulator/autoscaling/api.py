"""Auto Scaling's operations: moto's, the emulator's own, and refusals."""

import threading
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse as Api
from moto.core.responses import ActionResult

from labswarm_emulator.autoscaling import capacity, ending, membership, metrics, processes
from labswarm_emulator.autoscaling import unsupported as absent
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.health import Health
from labswarm_emulator.autoscaling.lifecycle import Lifecycle
from labswarm_emulator.autoscaling.policies import Policies
from labswarm_emulator.autoscaling.scheduled import Scheduled
from labswarm_emulator.autoscaling.zones import Zones
from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

MOST_ACTIVITIES = 100


def install(emulator: Emulator) -> None:
    """Replace moto's operations, and lead every instance through its hooks."""
    groups = Groups(emulator)
    lifecycle, health = Lifecycle(emulator, groups), Health(emulator, groups)
    scheduled, policies = Scheduled(emulator, groups), Policies(emulator, groups)
    processes.install(health.catch_up)
    lifecycle.install()
    health.install()
    capacity.install(groups, lifecycle.put_hook)
    ending.install(groups)
    membership.install(groups)
    scheduled.install()
    policies.install()
    metrics.install()
    absent.install()
    _install_activities(groups)
    _answer_one_at_a_time(groups)

    minutes, zones = Minutes(emulator), Zones(groups)

    def tick() -> None:
        backend = autoscaling_backends[ACCOUNT][REGION]
        scheduled.run_due(backend)
        if minutes.is_new():
            metrics.publish(backend)
            policies.run(backend)
            zones.rebalance(backend)

    _each_second(emulator, tick)


def _install_activities(groups: Groups) -> None:
    def describe_scaling_activities(api: Api) -> ActionResult:
        """Return a page; NextToken is the number of its first activity."""
        group_name = api._get_param("AutoScalingGroupName")
        found = groups.activities.listed(group_name, api._get_param("ActivityIds", []))
        first = int(api._get_param("NextToken") or 0)
        most = api._get_int_param("MaxRecords") or MOST_ACTIVITIES
        page = found[first : first + min(most, MOST_ACTIVITIES)]
        answer: dict[str, Any] = {"Activities": [activity.shown() for activity in page]}
        if first + len(page) < len(found):
            answer["NextToken"] = str(first + len(page))
        return ActionResult(answer)

    Api.describe_scaling_activities = describe_scaling_activities


def _answer_one_at_a_time(groups: Groups) -> None:
    call_action = Api.call_action

    def one_at_a_time(api: Api) -> Any:
        """No answer shows a group half changed."""
        with groups.lock:
            return call_action(api)

    Api.call_action = one_at_a_time


class Minutes:
    """The emulator's minutes, which its scale makes shorter."""

    def __init__(self, emulator: Emulator) -> None:
        self._clock = emulator.clock
        self._last = self._now()

    def is_new(self) -> bool:
        """Whether a minute began since this was asked last."""
        before, self._last = self._last, self._now()
        return self._last != before

    def _now(self) -> int:
        return int(self._clock.now() // self._clock.real(60))


def _each_second(emulator: Emulator, tick: Any) -> None:
    ended = threading.Event()
    emulator.closing.append(ended.set)

    def keep() -> None:
        while not ended.wait(min(1.0, max(0.01, emulator.clock.real(1)))):
            tick()

    threading.Thread(target=keep, daemon=True, name="autoscaling").start()
