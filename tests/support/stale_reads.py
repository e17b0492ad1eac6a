"""A DynamoDB client as AWS's may be: a read that does not ask for consistency misses the last
write.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
"""

import json
from typing import Any


class StaleReads:
    """Passes calls on to a client; `get_item` without ConsistentRead answers as before the item's
    last write."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._before: dict[str, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_item(self, **asked: Any) -> Any:
        if asked.get("ConsistentRead"):
            return self._client.get_item(**asked)
        return self._before.get(_name(asked["TableName"], asked["Key"]), {})

    def put_item(self, **asked: Any) -> Any:
        keys = self._client.describe_table(TableName=asked["TableName"])["Table"]["KeySchema"]
        names = [key["AttributeName"] for key in keys]
        self._remember(asked["TableName"], {name: asked["Item"][name] for name in names})
        return self._client.put_item(**asked)

    def update_item(self, **asked: Any) -> Any:
        self._remember(asked["TableName"], asked["Key"])
        return self._client.update_item(**asked)

    def _remember(self, table: str, key: dict[str, Any]) -> None:
        seen = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        self._before[_name(table, key)] = {"Item": seen["Item"]} if "Item" in seen else {}


def _name(table: str, key: dict[str, Any]) -> str:
    return json.dumps([table, key], sort_keys=True)
