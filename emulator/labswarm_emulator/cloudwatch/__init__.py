"""CloudWatch: metrics from calls and from functions' logs, and metric alarms that go into ALARM.

Differences from AWS: of the emulator's services only Lambda (Invocations and Errors, by function)
and Auto Scaling publish metrics. A metric is there at once. The history has only changes of state.
Alarms that the emulator does not evaluate are refused: composite alarms, metric math, percentiles,
anomaly detection, periods over a day in sum, and actions other than SNS's.
"""

from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from labswarm_emulator.cloudwatch.alarms import Alarms
from labswarm_emulator.cloudwatch.evaluation import COMPARISONS, INSUFFICIENT_DATA, MISSING
from labswarm_emulator.emulator import Emulator

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
DAY_S = 86_400


def install(emulator: Emulator) -> None:
    """Evaluate alarms from INSUFFICIENT_DATA on, and send their changes."""
    alarms = Alarms(emulator)
    moto_put = CloudWatchBackend.put_metric_alarm

    def put_metric_alarm(backend: CloudWatchBackend, **given: Any) -> Alarm:
        """PutMetricAlarm leaves the state of an alarm that exists as it is."""
        given = _numbers(given)
        _refuse(given)
        before = backend.alarms.get(given["name"])
        alarm = moto_put(backend, **given)
        alarm.state_value, alarm.state_reason_data = INSUFFICIENT_DATA, None
        alarm.state_transitioned_timestamp = alarm.state_updated_timestamp
        if before:
            for name, value in vars(before).items():
                if name.startswith("state_"):
                    setattr(alarm, name, value)
        return alarm

    def update_state(alarm: Alarm, reason: str, data: str | None, state: str) -> None:
        """The last step of moto's SetAlarmState; it lasts until the alarm is evaluated."""
        alarms.set_state(alarm, reason, data, state)

    def describe_alarm_history(api: CloudWatchResponse) -> ActionResult:
        """DescribeAlarmHistory, by name and kind; the newest first by default."""
        newest_first = api._get_param("ScanBy") != "TimestampAscending"
        found = alarms.history(api._get_param("AlarmName"), newest_first)
        if api._get_param("HistoryItemType", "StateUpdate") != "StateUpdate":
            found = []
        return ActionResult({"AlarmHistoryItems": found[: api._get_param("MaxRecords") or 100]})

    CloudWatchBackend.put_metric_alarm = put_metric_alarm
    Alarm.update_state = update_state
    CloudWatchResponse.describe_alarm_history = describe_alarm_history
    alarms.watch()


def _numbers(given: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's numbers may be strings."""
    kinds: dict[str, type[int] | type[float]] = {
        **{"period": int, "evaluation_periods": int, "datapoints_to_alarm": int},
        "threshold": float,
    }
    return {
        name: kinds[name](value) if name in kinds and value is not None else value
        for name, value in given.items()
    }


def _refuse(given: dict[str, Any]) -> None:
    """Raise AWS's errors, and for unsupported values an error that names them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    if (
        given.get("rule")
        or given.get("metric_data_queries")
        or given.get("statistic") not in STATISTICS
        or given["comparison_operator"] not in COMPARISONS
    ):
        raise InvalidParameterValue(
            "This emulator evaluates alarms on one metric's Statistic against a Threshold only."
        )
    period, periods = given["period"], given["evaluation_periods"]
    if period not in (10, 20, 30) and (period < 60 or period % 60):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    if period * periods > DAY_S:
        raise ValidationError("Metrics cannot be checked across more than a day on this emulator")
    if (given.get("datapoints_to_alarm") or 1) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if (given.get("treat_missing_data") or "missing") not in MISSING:
        raise ValidationError(f"TreatMissingData must be one of {', '.join(MISSING)}")
    for kind in ("alarm_actions", "ok_actions", "insufficient_data_actions"):
        for action in given.get(kind) or []:
            if not action.startswith("arn:aws:sns:"):
                raise InvalidParameterValue(f"This emulator has no alarm action {action}")
