"""Notes in DynamoDB: an item per cluster."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import named
from labswarm.lab_hours.notes import Notes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoNotebook:
    """Implements labswarm.lab_hours.notes.Notebook."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read(self, cluster: str) -> Notes:
        with named():
            answer = self._client.get_item(
                TableName=self._table, Key={"cluster": {"S": cluster}}, ConsistentRead=True
            )
        return Notes.parse(answer["Item"]["notes"]["S"]) if "Item" in answer else Notes()

    def write(self, cluster: str, notes: Notes) -> None:
        item = {"cluster": {"S": cluster}, "notes": {"S": notes.to_json()}}
        with named():
            self._client.put_item(TableName=self._table, Item=item)
