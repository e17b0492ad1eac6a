"""The launch breakers in the ledger's table: an item per cluster, changed in one write."""

from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import named
from labswarm.lifecycle.breaker import Breaker

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ITEM = "breaker"


class DynamoBreakers:
    """Implements labswarm.lifecycle.breaker.Breakers.

    The item's key is the cluster's name and `breaker`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_breaker(self, cluster: str) -> Breaker:
        with named():
            answer = self._client.get_item(
                TableName=self._table, Key=_key(cluster), ConsistentRead=True
            )
        return _breaker(answer.get("Item", {}))

    def failed(self, cluster: str, instance_id: str, at: int) -> Breaker:
        # ADD to a set counts an instance once.
        with named():
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(cluster),
                UpdateExpression="ADD failed :instance SET failed_at = :at",
                ExpressionAttributeValues={
                    ":instance": {"SS": [instance_id]},
                    ":at": {"N": str(at)},
                },
                ReturnValues="ALL_NEW",
            )
        return _breaker(answer["Attributes"])

    def joined(self, cluster: str) -> None:
        with named():
            self._client.update_item(
                TableName=self._table, Key=_key(cluster), UpdateExpression="REMOVE failed"
            )


def _key(cluster: str) -> dict[str, Any]:
    return {"instance_id": {"S": cluster}, "transition": {"S": _ITEM}}


def _breaker(item: Any) -> Breaker:
    return Breaker(
        failed=frozenset(item.get("failed", {}).get("SS", [])),
        failed_at=int(item.get("failed_at", {}).get("N", 0)),
    )
