"""Records of days in DynamoDB: an item per cluster and day, next to the states of lab hours."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError
from labswarm.usage.usages import KEPT_S, DayUse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUsages:
    """Implements labswarm.usage.usages.Usages. The table's time to live is `expires_at`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_day(self, cluster: str, day: str) -> DayUse:
        with named():
            answer = self._client.get_item(
                TableName=self._table,
                Key={"cluster": {"S": _key(cluster, day)}},
                ConsistentRead=True,
            )
        return DayUse.parse(answer["Item"]["usage"]["S"]) if "Item" in answer else DayUse(day)

    def write_day(self, cluster: str, use: DayUse, counted_at: float) -> bool:
        try:
            with named():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        "cluster": {"S": _key(cluster, use.day)},
                        "usage": {"S": use.to_json()},
                        "counted_at": {"N": str(use.counted_at)},
                        "expires_at": {"N": str(int(use.counted_at + KEPT_S))},
                    },
                    ConditionExpression="attribute_not_exists(counted_at) OR counted_at = :read",
                    ExpressionAttributeValues={":read": {"N": str(counted_at)}},
                )
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(cluster: str, day: str) -> str:
    # No cluster's name has a slash (labswarm.cluster.NAME).
    return f"{cluster}/usage/{day}"
