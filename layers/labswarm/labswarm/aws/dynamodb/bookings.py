"""Bookings in DynamoDB: an item per booking, by cluster and id, written under a condition."""

import json
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError
from labswarm.lab_hours.bookings import BookingsRead, StoredBooking, next_version, read_all
from labswarm.names import app_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = app_name("bookings")
"""The table's name in the template."""


class DynamoBookings:
    """Implements labswarm.lab_hours.bookings.Bookings."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_bookings(self, cluster: str) -> BookingsRead:
        stored: list[tuple[str, object]] = []
        pages = self._client.get_paginator("query")
        with named():
            for page in pages.paginate(
                TableName=self._table,
                KeyConditionExpression="#cluster = :cluster",
                ExpressionAttributeNames={"#cluster": "cluster"},
                ExpressionAttributeValues={":cluster": {"S": cluster}},
                # The page shows a booking that was just made.
                ConsistentRead=True,
            ):
                stored += [(item["id"]["S"], _values(item)) for item in page["Items"]]
        return read_all(stored)

    def write_booking(self, booking: StoredBooking) -> StoredBooking | None:
        written = next_version(booking)
        item: dict[str, Any] = {
            "cluster": {"S": written.cluster},
            "id": {"S": written.id},
            "version": {"N": str(written.version)},
            "booking": {"S": json.dumps(written.to_json(), ensure_ascii=False)},
            "expires_at": {"N": str(int(written.kept_until.timestamp()))},
        }
        try:
            with named():
                self._client.put_item(TableName=self._table, Item=item, **_as_read(booking))
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return None
            raise
        return written

    def remove_booking(self, booking: StoredBooking) -> bool:
        try:
            with named():
                self._client.delete_item(
                    TableName=self._table,
                    Key={"cluster": {"S": booking.cluster}, "id": {"S": booking.id}},
                    **_as_read(booking),
                )
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        # The condition on an item that is not there holds for a booking that was never stored.
        return booking.version > 0


def _as_read(booking: StoredBooking) -> dict[str, Any]:
    """The condition that the stored item is of the booking's version; 0 has none."""
    if not booking.version:
        return {"ConditionExpression": "attribute_not_exists(version)"}
    return {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": str(booking.version)}},
    }


def _values(item: Any) -> object:
    try:
        return json.loads(item["booking"]["S"])
    except (KeyError, ValueError):
        return None
