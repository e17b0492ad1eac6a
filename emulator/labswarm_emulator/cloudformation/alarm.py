"""AWS::CloudWatch::Alarm, which moto's CloudFormation does not have.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
"""

from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel

from labswarm_emulator.cloudformation.resource import Resource


class AlarmResource(Resource, CloudFormationModel):  # type: ignore[misc]  # moto has no types
    """A metric alarm of a stack; the emulator's CloudWatch evaluates it."""

    TYPE = "AWS::CloudWatch::Alarm"
    NAME = "AlarmName"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, _attribute_name: str) -> Any:
        alarms = cloudwatch_backends[self.account_id][self.region_name].alarms
        return alarms[self.physical_id].alarm_arn

    @classmethod
    def make(cls, name: str, given: Any, account_id: str, region_name: str) -> str:
        cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=name,
            namespace=given.get("Namespace"),
            metric_name=given.get("MetricName"),
            metric_data_queries=given.get("Metrics"),
            comparison_operator=given["ComparisonOperator"],
            evaluation_periods=int(given["EvaluationPeriods"]),
            datapoints_to_alarm=given.get("DatapointsToAlarm"),
            period=given.get("Period"),
            threshold=given.get("Threshold"),
            statistic=given.get("Statistic"),
            extended_statistic=given.get("ExtendedStatistic"),
            description=given.get("AlarmDescription"),
            dimensions=[_lower(dimension) for dimension in given.get("Dimensions", [])],
            alarm_actions=given.get("AlarmActions", []),
            ok_actions=given.get("OKActions", []),
            insufficient_data_actions=given.get("InsufficientDataActions", []),
            unit=given.get("Unit"),
            actions_enabled=given.get("ActionsEnabled", True),
            treat_missing_data=given.get("TreatMissingData"),
        )
        return name

    @classmethod
    def change(cls, old_id: str, given: Any, account_id: str, region_name: str) -> str:
        return cls.make(given.get("AlarmName") or old_id, given, account_id, region_name)

    @classmethod
    def delete(cls, physical_id: str, account_id: str, region_name: str) -> None:
        cloudwatch_backends[account_id][region_name].delete_alarms([physical_id])


def _lower(dimension: dict[str, str]) -> dict[str, str]:
    return {"Name": dimension["Name"], "Value": dimension["Value"]}
