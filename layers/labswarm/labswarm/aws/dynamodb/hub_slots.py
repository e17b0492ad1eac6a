"""HubSlots in the ledger's table: an item for each slot of a hub, written under a condition."""

from typing import TYPE_CHECKING, Any
from zlib import crc32

from labswarm.aws.errors import code_of, named
from labswarm.commands.hub_slots import HELD_S, ORDINARY
from labswarm.errors import LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoHubSlots:
    """Implements labswarm.commands.hub_slots.HubSlots.

    An item's key is the hub's instance id and `slot-<n>`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def take(self, hub: str, holder: str, now: int) -> int | None:
        # Each begins at another, so that they do not all ask for the same.
        first = crc32(holder.encode())
        for number in ((first + offset) % ORDINARY for offset in range(ORDINARY)):
            free = "attribute_not_exists(instance_id) OR held_until <= :now"
            if self._put(hub, number, holder, now + HELD_S, free, {":now": {"N": str(now)}}):
                return number
        return None

    def give_back(self, hub: str, number: int, holder: str) -> None:
        self._put(hub, number, holder, 0, "holder = :me", {":me": {"S": holder}})

    def _put(
        self, hub: str, number: int, holder: str, until: int, when: str, values: dict[str, Any]
    ) -> bool:
        """Write a slot under a condition; False when that does not hold."""
        item: dict[str, Any] = {
            "instance_id": {"S": hub},
            "transition": {"S": f"slot-{number}"},
            "holder": {"S": holder},
            "held_until": {"N": str(until)},
        }
        try:
            with named():
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=when,
                    ExpressionAttributeValues=values,
                )
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True
