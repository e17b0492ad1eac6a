"""Metric alarms, evaluated on the emulator's clock, and their actions when their state changes."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, MetricDatumBase, Statistics, cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.events.models import events_backends
from moto.sns.models import sns_backends

from labswarm_emulator.cloudwatch import notifications as notifications
from labswarm_emulator.cloudwatch.evaluation import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    Datapoint,
    Definition,
    Verdict,
    evaluate,
)
from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

MINUTE_S, HIGH_RESOLUTION_S = 60, 10
"""How often an alarm is evaluated: each minute, and with a shorter period every ten seconds."""
SHORTEST_TICK_S = 0.01
HISTORY = 1000


class Alarms:
    """The alarms of the emulator; safe to use from many threads."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._backend = cloudwatch_backends[ACCOUNT][REGION]
        self._lock = threading.Lock()
        self._evaluated: dict[str, int] = {}  # by an alarm's name, up to which step of the clock
        self._history: list[dict[str, Any]] = []  # oldest first

    def watch(self) -> None:
        """Evaluate each alarm when its time is come, in a thread, until the emulator closes."""
        ended = threading.Event()
        self._emulator.closing.append(ended.set)
        tick_s = min(1.0, max(SHORTEST_TICK_S, self._emulator.clock.real(1)))

        def watch() -> None:
            while not ended.wait(tick_s):
                self.evaluate_due()

        threading.Thread(target=watch, daemon=True, name="alarms").start()

    def evaluate_due(self) -> None:
        """Evaluate those alarms for which another minute, or ten seconds, are over.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
        """
        now = self._emulator.clock.now()
        for alarm in list(self._backend.alarms.values()):
            step = self._step_at(alarm, now)
            if self._evaluated.setdefault(alarm.name, step) == step:
                continue
            self._evaluated[alarm.name] = step
            verdict = evaluate(_definition(alarm), list(self._recent(alarm, step)))
            if verdict and verdict.state != alarm.state_value:
                self.set_state(alarm, verdict.reason, self._data(alarm, verdict), verdict.state)

    def set_state(self, alarm: Alarm, reason: str, data: str | None, state: str) -> None:
        """Set an alarm's state; report a change to EventBridge and to the state's actions."""
        with self._lock:
            before = notifications.state(alarm)
            alarm.state_reason, alarm.state_reason_data, alarm.state_value = reason, data, state
            alarm.state_updated_timestamp = datetime.now(UTC).replace(tzinfo=None)
            if state == before["value"]:
                return
            alarm.state_transitioned_timestamp = alarm.state_updated_timestamp
            self._history.append(notifications.history_item(alarm, before))
            del self._history[:-HISTORY]
            self._emulator.record.write(
                "cloudwatch", state, alarm=alarm.name, before=before["value"], reason=reason
            )
            events_backends[ACCOUNT][REGION].put_events([notifications.event(alarm, before)])
            self._act(alarm, before)

    def history(self, name: str | None, newest_first: bool) -> list[dict[str, Any]]:
        """The changes of one alarm, or of all."""
        with self._lock:
            found = [item for item in self._history if name in (None, item["AlarmName"])]
        return found[::-1] if newest_first else found

    def _act(self, alarm: Alarm, before: dict[str, Any]) -> None:
        actions = {
            OK: alarm.ok_actions,
            ALARM: alarm.alarm_actions,
            INSUFFICIENT_DATA: alarm.insufficient_data_actions,
        }
        for topic in actions[alarm.state_value] if alarm.actions_enabled else []:
            if topic.startswith("arn:aws:autoscaling:"):
                continue  # a scaling policy looks at its alarms itself
            try:
                sns_backends[ACCOUNT][REGION].publish(
                    notifications.message(alarm, before),
                    topic,
                    subject=notifications.subject(alarm),
                )
            except (ServiceException, OSError, ValueError) as error:
                # "CloudWatch does not … detect any … errors" of an action.
                self._emulator.record.write(
                    "cloudwatch", "action failed", alarm=alarm.name, action=topic, why=str(error)
                )

    def _step_at(self, alarm: Alarm, at: float) -> int:
        return int(at // self._emulator.clock.real(_step_s(alarm)))

    def _recent(self, alarm: Alarm, end: int) -> Iterator[Datapoint | None]:
        """The datapoint of each period of the evaluation range, which `end` ends; oldest first."""
        length = alarm.period // _step_s(alarm)
        first = end - length * _definition(alarm).range
        periods: dict[int, list[MetricDatumBase]] = {}
        for datum in _data_of(alarm, list(self._backend.metric_data)):
            step = self._step_at(alarm, _epoch(datum.timestamp))
            if first <= step < end:
                periods.setdefault((step - first) // length, []).append(datum)
        for number in range(_definition(alarm).range):
            begins = (first + number * length) * self._emulator.clock.real(_step_s(alarm))
            yield _datapoint(alarm, begins, periods[number]) if number in periods else None

    def _data(self, alarm: Alarm, verdict: Verdict) -> str:
        """StateReasonData, as AWS's events show it."""
        points = [
            {"timestamp": _shown(point.at), "sampleCount": point.samples, "value": point.value}
            for point in verdict.evaluated
        ]
        data: dict[str, Any] = {
            "version": "1.0",
            "queryDate": _shown(self._emulator.clock.now()),
            "statistic": alarm.statistic,
            "period": alarm.period,
            "recentDatapoints": [point.value for point in reversed(verdict.evaluated)],
            "threshold": alarm.threshold,
            "evaluatedDatapoints": points,
        }
        if verdict.evaluated:
            data["startDate"] = _shown(verdict.evaluated[-1].at)
        return json.dumps(data)


def _step_s(alarm: Alarm) -> int:
    return MINUTE_S if alarm.period >= MINUTE_S else HIGH_RESOLUTION_S


def _definition(alarm: Alarm) -> Definition:
    # Alarms on DynamoDB's metrics ignore missing data, against their own setting.
    missing = "ignore" if alarm.namespace == "AWS/DynamoDB" else alarm.treat_missing_data
    return Definition(
        alarm.comparison_operator,
        alarm.threshold,
        alarm.evaluation_periods,
        alarm.datapoints_to_alarm,
        missing or "missing",
    )


def _data_of(alarm: Alarm, data: list[MetricDatumBase]) -> Iterator[MetricDatumBase]:
    """The values of the alarm's metric: the same dimensions, no more and no fewer."""
    dimensions = {(wanted.name, wanted.value) for wanted in alarm.dimensions}
    for datum in data:
        if (
            (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
            and {(given.name, given.value) for given in datum.dimensions} == dimensions
            and alarm.unit in (None, datum.unit)
        ):
            yield datum


def _datapoint(alarm: Alarm, at: float, data: list[MetricDatumBase]) -> Datapoint:
    statistics = Statistics([alarm.statistic], datetime.fromtimestamp(at, UTC))
    statistics.metric_data = data
    value = float(statistics.get_statistics_for_type(alarm.statistic))
    return Datapoint(at, value, float(statistics.calc_sample_count()))


def _epoch(at: datetime) -> float:
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp()


def _shown(at: float) -> str:
    return notifications.timestamp(datetime.fromtimestamp(at, UTC))
