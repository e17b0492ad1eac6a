"""Snapshots in DynamoDB: an item per cluster, written only when it is newer."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError
from labswarm.snapshot import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSnapshots:
    """Implements labswarm.snapshot.Snapshots."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_snapshot(self, cluster: str) -> Snapshot | None:
        with named():
            answer = self._client.get_item(
                TableName=self._table, Key={"cluster": {"S": cluster}}, ConsistentRead=True
            )
        return Snapshot.parse(answer["Item"]["snapshot"]["S"]) if "Item" in answer else None

    def write_snapshot(self, snapshot: Snapshot) -> bool:
        taken_at = {"N": str(snapshot.taken_at)}
        try:
            with named():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        "cluster": {"S": snapshot.cluster},
                        "taken_at": taken_at,
                        "snapshot": {"S": snapshot.to_json()},
                    },
                    ConditionExpression="attribute_not_exists(taken_at) OR taken_at < :this",
                    ExpressionAttributeValues={":this": taken_at},
                )
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True
