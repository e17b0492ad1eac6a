"""Reports of readiness in DynamoDB: an item per cluster, next to the states of lab hours."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError
from labswarm.readiness.reports import Report

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoReports:
    """Implements labswarm.readiness.reports.ReadyReports."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_report(self, cluster: str) -> Report | None:
        with named():
            answer = self._client.get_item(
                TableName=self._table, Key={"cluster": {"S": _key(cluster)}}, ConsistentRead=True
            )
        return Report.parse(answer["Item"]["report"]["S"]) if "Item" in answer else None

    def write_report(self, cluster: str, report: Report, before: Report | None) -> bool:
        read_at = before.checked_at if before else 0
        try:
            with named():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        "cluster": {"S": _key(cluster)},
                        "report": {"S": report.to_json()},
                        "checked_at": {"N": str(report.checked_at)},
                    },
                    ConditionExpression="attribute_not_exists(checked_at) OR checked_at = :read",
                    ExpressionAttributeValues={":read": {"N": str(read_at)}},
                )
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(cluster: str) -> str:
    # No cluster's name has a slash (labswarm.cluster.NAME).
    return f"{cluster}/ready"
