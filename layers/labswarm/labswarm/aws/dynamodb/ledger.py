"""The ledger in DynamoDB: an item per (instance, transition), written under a condition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from labswarm.aws.errors import code_of, named
from labswarm.errors import LabswarmError, Transient
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import TRANSITIONS, Claim, Command, Errand, Phase

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_S = 90 * 24 * 3600
_TOMBSTONE = "tombstone"
# The most that BatchGetItem takes; it may leave some of them for another call.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_BATCH = 100
_SPARE_BATCHES = 10


class DynamoLedger:
    """Implements labswarm.lifecycle.ledger.Ledger. The table's time to live is `expires_at`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_claim(self, instance_id: str, transition: Transition | Errand) -> Claim | None:
        item = self._item(instance_id, transition)
        return _claim(item) if item else None

    def write_claim(self, claim: Claim) -> bool:
        kept = replace(claim, version=claim.version + 1)
        # A claim that was never stored has version 0, and no item has that.
        as_read: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(instance_id)"}
        if claim.version:
            as_read = {
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": str(claim.version)}},
            }
        try:
            with named():
                self._client.put_item(TableName=self._table, Item=_marshal(_item(kept)), **as_read)
        except LabswarmError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def about(self, instances: Iterable[str]) -> Sequence[Claim]:
        """Raises Transient when the table is too busy to say all of it."""
        serialize = TypeSerializer().serialize
        wanted: Any = [
            {"instance_id": serialize(instance_id), "transition": serialize(transition)}
            for instance_id in sorted(set(instances))
            for transition in TRANSITIONS
        ]
        claims: list[Claim] = []
        for _ in range(len(wanted) // _BATCH + _SPARE_BATCHES):
            if not wanted:
                return claims
            batch, wanted = wanted[:_BATCH], wanted[_BATCH:]
            with named():
                answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": batch}})
            claims += [_claim(_unmarshal(i)) for i in answer["Responses"].get(self._table, [])]
            wanted += answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
        raise Transient(f"the table {self._table} left {len(wanted)} keys unread")

    def mark_terminating(self, instance_id: str, at: int) -> None:
        item = {
            "instance_id": instance_id,
            "transition": _TOMBSTONE,
            "opened_at": at,
            "expires_at": at + _KEPT_S,
        }
        with named():
            self._client.put_item(TableName=self._table, Item=_marshal(item))

    def is_terminating(self, instance_id: str) -> bool:
        return self._item(instance_id, _TOMBSTONE) is not None

    def _item(self, instance_id: str, transition: str) -> dict[str, Any] | None:
        with named():
            answer = self._client.get_item(
                TableName=self._table,
                Key={"instance_id": {"S": instance_id}, "transition": {"S": transition}},
                ConsistentRead=True,
            )
        return _unmarshal(answer["Item"]) if "Item" in answer else None


def _item(claim: Claim) -> dict[str, Any]:
    since = claim.opened_at if claim.closed_at is None else claim.closed_at
    return {**asdict(claim), "phase": claim.phase, "expires_at": since + _KEPT_S}


def _claim(item: Mapping[str, Any]) -> Claim:
    return Claim(
        instance_id=item["instance_id"],
        transition=item["transition"],
        owner=item["owner"],
        lease_until=int(item["lease_until"]),
        tokens=item["tokens"],
        hook=item["hook"],
        asg=item["asg"],
        cluster=item["cluster"],
        opened_at=int(item["opened_at"]),
        phases=tuple(Phase(phase["phase"], int(phase["at"])) for phase in item["phases"]),
        commands={
            step: Command(
                attempt=int(command["attempt"]),
                at=int(command["at"]),
                command_id=command["command_id"],
                answered=command["answered"],
                # An item of the version before has neither.
                token=command.get("token"),
                slot=None if command.get("slot") is None else int(command["slot"]),
            )
            for step, command in item["commands"].items()
        },
        closed_at=None if item["closed_at"] is None else int(item["closed_at"]),
        result=item["result"],
        capacity=None if item.get("capacity") is None else int(item["capacity"]),
        urgent=item.get("urgent", False),
        beats_until=None if item.get("beats_until") is None else int(item["beats_until"]),
        version=int(item["version"]),
    )


def _marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(list(v) if isinstance(v, tuple) else v) for name, v in item.items()}


def _unmarshal(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
