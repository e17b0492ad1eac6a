"""How long the nodes' starts took, by the ledger's table."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from labswarm.aws.errors import named

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEWEST = 50


class DynamoLaunches:
    """Implements labswarm.lab_hours.launches.Launches.

    It reads the whole ledger: not for every minute."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def durations_s(self, cluster: str) -> Sequence[float]:
        return [took for _, _, took in sorted(self._joined(cluster))[-NEWEST:]]

    def between(self, cluster: str, first: float, last: float) -> Sequence[float]:
        """Return the seconds of the launches that began in this time (epoch seconds) and joined."""
        return [took for _, at, took in sorted(self._joined(cluster)) if first <= at < last]

    def _joined(self, cluster: str) -> Iterator[tuple[int, int, float]]:
        """Yield the end, the beginning and the seconds of each launch that joined."""
        with named():
            for page in self._client.get_paginator("scan").paginate(
                TableName=self._table,
                FilterExpression="transition = :launch AND #cluster = :cluster AND phase = :joined",
                ProjectionExpression="opened_at, closed_at",
                ExpressionAttributeNames={"#cluster": "cluster"},
                ExpressionAttributeValues={
                    ":launch": {"S": "launch"},
                    ":cluster": {"S": cluster},
                    ":joined": {"S": "joined"},
                },
            ):
                for item in page["Items"]:
                    closed, opened = int(item["closed_at"]["N"]), int(item["opened_at"]["N"])
                    yield closed, opened, float(closed - opened)
