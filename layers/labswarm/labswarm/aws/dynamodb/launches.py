"""How long the nodes' starts took, by the ledger's table."""

from collections.abc import Sequence
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
        found: list[tuple[int, int]] = []
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
                found += [
                    (int(item["closed_at"]["N"]), int(item["opened_at"]["N"]))
                    for item in page["Items"]
                ]
        return [float(closed - opened) for closed, opened in sorted(found)[-NEWEST:]]
