"""The notifications of an alarm that changed its state: an event, and a message to a topic."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm

from labswarm_emulator.emulator import ACCOUNT

REGION_NAME = "EU (Ireland)"
SUBJECT_LENGTH = 100


def timestamp(at: datetime) -> str:
    """UTC, to the millisecond: `2019-10-02T17:04:40.989+0000`."""
    at = at.replace(tzinfo=at.tzinfo or UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"


def state(alarm: Alarm) -> dict[str, Any]:
    """The alarm's state now, as an event shows it."""
    shown = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": timestamp(alarm.state_updated_timestamp),
    }
    return shown | ({"reasonData": alarm.state_reason_data} if alarm.state_reason_data else {})


def event(alarm: Alarm, before: dict[str, Any]) -> dict[str, Any]:
    """An entry of PutEvents.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    metric = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.alarm_arn)),
        "metricStat": {
            "metric": {
                "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
                "name": alarm.metric_name,
                "namespace": alarm.namespace,
            },
            "period": alarm.period,
            "stat": alarm.statistic,
        },
        "returnData": True,
    }
    configuration: dict[str, Any] = {"metrics": [metric]}
    if alarm.description:
        configuration["description"] = alarm.description
    detail = {
        "alarmName": alarm.name,
        "configuration": configuration,
        "previousState": before,
        "state": state(alarm),
    }
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Detail": json.dumps(detail),
        "Resources": [alarm.alarm_arn],
    }


def subject(alarm: Alarm) -> str:
    """The message's subject, as long as SNS allows."""
    return f'{alarm.state_value}: "{alarm.name}" in {REGION_NAME}'[:SUBJECT_LENGTH]


def message(alarm: Alarm, before: dict[str, Any]) -> str:
    """The message itself, as in AWS's own sample of it.

    https://github.com/aws/aws-lambda-go/blob/main/events/testdata/cloudwatch-alarm-sns-payload-single-metric.json
    """
    trigger = {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": alarm.statistic.upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": d.value, "name": d.name} for d in alarm.dimensions],
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": "",
    }
    if alarm.datapoints_to_alarm:
        trigger["DatapointsToAlarm"] = alarm.datapoints_to_alarm
    return json.dumps(
        {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configuration_updated_timestamp),
            "NewStateValue": alarm.state_value,
            "NewStateReason": alarm.state_reason,
            "StateChangeTime": timestamp(alarm.state_updated_timestamp),
            "Region": REGION_NAME,
            "AlarmArn": alarm.alarm_arn,
            "OldStateValue": before["value"],
            "OKActions": alarm.ok_actions,
            "AlarmActions": alarm.alarm_actions,
            "InsufficientDataActions": alarm.insufficient_data_actions,
            "Trigger": trigger,
        }
    )


def history_item(alarm: Alarm, before: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html"""

    def shown(value: str, reason: str, data: str | None) -> dict[str, Any]:
        known = {"stateReasonData": json.loads(data)} if data else {}
        return {"stateValue": value, "stateReason": reason, **known}

    old = shown(before["value"], before["reason"], before.get("reasonData"))
    new = shown(alarm.state_value, alarm.state_reason, alarm.state_reason_data)
    return {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": alarm.state_updated_timestamp,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {before['value']} to {alarm.state_value}",
        "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": new}),
    }
