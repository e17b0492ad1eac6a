"""The documents in DynamoDB: an item for each version, which is written once."""

from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.document.documents import NONE, Outdated, Version
from labswarm.errors import LabswarmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDocuments:
    """Implements labswarm.document.documents.Documents."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, cluster: str) -> Version:
        return next(iter(self.history(cluster, 1)), NONE)

    def version(self, cluster: str, number: int) -> Version | None:
        with named():
            answer = self._client.get_item(
                TableName=self._table,
                Key={"cluster": {"S": cluster}, "version": {"N": str(number)}},
                ConsistentRead=True,
            )
        return _version(answer["Item"]) if "Item" in answer else None

    def history(self, cluster: str, most: int) -> list[Version]:
        with named():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="cluster = :cluster",
                ExpressionAttributeValues={":cluster": {"S": cluster}},
                ScanIndexForward=False,
                Limit=most,
                ConsistentRead=True,
            )
        return [_version(item) for item in answer["Items"]]

    def add(self, cluster: str, version: Version) -> None:
        try:
            with named():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        "cluster": {"S": cluster},
                        "version": {"N": str(version.number)},
                        "text": {"S": version.text},
                        "by": {"S": version.by},
                        "at": {"N": str(version.at)},
                        "note": {"S": version.note},
                    },
                    ConditionExpression="attribute_not_exists(version)",
                )
        except LabswarmError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            # Its own write, whose answer was lost, is no conflict.
            if self.version(cluster, version.number) != version:
                raise Outdated(self.newest(cluster)) from error


def _version(item: "Mapping[str, Any]") -> Version:
    return Version(
        number=int(item["version"]["N"]),
        text=item["text"]["S"],
        by=item["by"]["S"],
        at=int(item["at"]["N"]),
        note=item["note"]["S"],
    )
