"""The last passes in DynamoDB: an item per cluster, written under a condition."""

import json
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError
from labswarm.reconcile.passes import Pass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoPasses:
    """Implements labswarm.reconcile.passes.Passes.

    The marks are one text: some 60 bytes each, of the 400 KB that an item may have.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_pass(self, cluster: str) -> Pass | None:
        with named():
            item = self._client.get_item(
                TableName=self._table, Key={"cluster": {"S": cluster}}, ConsistentRead=True
            ).get("Item")
        # One that was wanted and never made has no version.
        if item is None or "version" not in item:
            return None
        return Pass(
            at=float(item["at"]["N"]),
            snapshot_at=float(item["snapshot_at"]["N"]),
            first_seen=json.loads(item["first_seen"]["S"]),
            version=int(item["version"]["N"]),
            # An item that an older version of the app has written has none.
            at_rest=item.get("at_rest", {}).get("BOOL", False),
        )

    def write_pass(self, cluster: str, made: Pass) -> bool:
        # A pass that was never stored has version 0, and no item has that.
        as_read: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
        if made.version:
            as_read = {
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": str(made.version)}},
            }
        item: dict[str, Any] = {
            "cluster": {"S": cluster},
            "at": {"N": str(made.at)},
            "snapshot_at": {"N": str(made.snapshot_at)},
            "first_seen": {"S": json.dumps(made.first_seen)},
            "version": {"N": str(made.version + 1)},
            "at_rest": {"BOOL": made.at_rest},
        }
        try:
            with named():
                self._client.put_item(TableName=self._table, Item=item, **as_read)
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def wanted(self, cluster: str, now: float) -> float:
        # A pass that is kept takes the whole item's place.
        with named():
            changed = self._client.update_item(
                TableName=self._table,
                Key={"cluster": {"S": cluster}},
                UpdateExpression="SET wanted_at = if_not_exists(wanted_at, :now)",
                ExpressionAttributeValues={":now": {"N": str(now)}},
                ReturnValues="ALL_NEW",
            )
        return float(changed["Attributes"]["wanted_at"]["N"])
