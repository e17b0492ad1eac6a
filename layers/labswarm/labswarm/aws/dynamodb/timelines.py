"""The timelines of nodes, from the ledger's table: the phases of their launches and ends, and no
token of a lifecycle action."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import named
from labswarm.errors import Transient
from labswarm.lifecycle.ledger import TRANSITIONS, Phase
from labswarm.lifecycle.timelines import Timeline
from labswarm.names import app_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = app_name("ledger")
"""The table's name in the template."""
_BATCH = 100
_SPARE_BATCHES = 10
_READ = ("instance_id", "transition", "cluster", "opened_at", "phases", "result")
"""The hub's role may read these attributes and no others."""


class DynamoTimelines:
    """Implements labswarm.lifecycle.timelines.Timelines."""

    def __init__(self, client: "DynamoDBClient", table: str = TABLE) -> None:
        self._client = client
        self._table = table

    def read_timelines(self, cluster: str, instances: Iterable[str]) -> list[Timeline]:
        wanted: list[Any] = [
            {"instance_id": {"S": instance_id}, "transition": {"S": transition}}
            for instance_id in sorted(set(instances))
            for transition in TRANSITIONS
        ]
        items: list[Any] = []
        for _ in range(len(wanted) // _BATCH + _SPARE_BATCHES):
            if not wanted:
                return _sorted(items, cluster)
            batch, wanted = wanted[:_BATCH], wanted[_BATCH:]
            # `result` and `cluster` may be words of DynamoDB's own.
            names = {f"#{name}": name for name in _READ}
            asked: Any = {
                "Keys": batch,
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
            with named():
                answer = self._client.batch_get_item(RequestItems={self._table: asked})
            items += answer["Responses"].get(self._table, [])
            wanted += answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
        raise Transient(f"the table {self._table} left {len(wanted)} keys unread")


def _sorted(items: Iterable[Any], cluster: str) -> list[Timeline]:
    found = [_timeline(item) for item in items if item["cluster"]["S"] == cluster]
    return sorted(found, key=lambda one: (-one.opened_at, one.instance_id, one.transition))


def _timeline(item: Any) -> Timeline:
    return Timeline(
        instance_id=item["instance_id"]["S"],
        transition=item["transition"]["S"],
        opened_at=int(item["opened_at"]["N"]),
        phases=tuple(
            Phase(phase["M"]["phase"]["S"], int(phase["M"]["at"]["N"]))
            for phase in item["phases"]["L"]
        ),
        result=item.get("result", {}).get("S"),
    )
