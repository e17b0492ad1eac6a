"""DynamoDB tables as tests make them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef


def key_schema(hash_key: str, range_key: str | None = None) -> "list[KeySchemaElementTypeDef]":
    """Return the key schema of a table with one key attribute or two."""
    schema: list[KeySchemaElementTypeDef] = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key is not None:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return schema
