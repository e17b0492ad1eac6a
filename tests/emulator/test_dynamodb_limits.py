"""DynamoDB's limits, reads and refusals, as far as the app's tables use them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def dynamodb(emulator: RunningEmulator) -> Any:
    return emulator.client("dynamodb")


@pytest.fixture
def table(dynamodb: Any, name: str) -> Iterator[str]:
    """A table with the keys of the ledger's."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "instance_id", "AttributeType": "S"},
            {"AttributeName": "transition", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "instance_id", "KeyType": "HASH"},
            {"AttributeName": "transition", "KeyType": "RANGE"},
        ],
    )
    yield name
    dynamodb.delete_table(TableName=name)


def item(transition: str = "launch", **attributes: dict[str, Any]) -> dict[str, Any]:
    return {"instance_id": {"S": "i-1"}, "transition": {"S": transition}, **attributes}


def refused(call: Any, **given: Any) -> dict[str, Any]:
    """The answer of a refusal, with its status."""
    with pytest.raises(ClientError) as refusal:
        call(**given)
    answer: dict[str, Any] = dict(refusal.value.response)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer


@pytest.mark.aws(
    "DynamoDB",
    "PutItem",
    "A condition that fails is a ConditionalCheckFailedException; with ReturnValuesOnConditionCheckFailure ALL_OLD it has the item that is there.",  # noqa: E501
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html",
)
def test_a_failed_condition_returns_the_item_only_on_request(dynamodb: Any, table: str) -> None:
    there = item(version={"N": "1"})
    dynamodb.put_item(TableName=table, Item=there)
    given = {"TableName": table, "Item": item(), "ConditionExpression": "attribute_not_exists(phase) AND version = :v", "ExpressionAttributeValues": {":v": {"N": "2"}}}  # noqa: E501  # fmt: skip

    silent = refused(dynamodb.put_item, **given)
    detailed = refused(dynamodb.put_item, **given, ReturnValuesOnConditionCheckFailure="ALL_OLD")

    assert silent["Error"]["Code"] == detailed["Error"]["Code"] == "ConditionalCheckFailedException"
    assert "Item" not in silent
    assert detailed["Item"] == there


@pytest.mark.aws(
    "DynamoDB",
    "expressions",
    "A reserved word, an undefined or an unused placeholder, and an invalid expression "
    "are ValidationExceptions.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html",
)
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"ConditionExpression": "attribute_not_exists(status)"}, "reserved keyword: status"),
        ({"ConditionExpression": "#owner = :me", "ExpressionAttributeNames": {"#owner": "owner"}},
         "attribute value: :me"),
        ({"ConditionExpression": "attribute_not_exists(version)",
          "ExpressionAttributeValues": {":v": {"N": "1"}}}, "unused in expressions: keys: {:v}"),
        ({"ConditionExpression": "attribute_not_exists(version)",
          "ExpressionAttributeNames": {"#v": "version"}}, "unused in expressions: keys: {#v}"),
        ({"ConditionExpression": "version == ", }, "Syntax error"),
    ],
)  # fmt: skip
def test_an_expression_that_means_nothing_is_refused(
    dynamodb: Any, table: str, given: dict[str, Any], why: str
) -> None:
    error = refused(dynamodb.put_item, TableName=table, Item=item(), **given)["Error"]

    assert error["Code"] == "ValidationException"
    assert why in error["Message"]
    assert dynamodb.scan(TableName=table)["Count"] == 0


@pytest.mark.aws(
    "DynamoDB",
    "Scan",
    "`cluster` is a reserved word, and can be said by a name's placeholder.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html",
)
def test_cluster_is_a_reserved_word(dynamodb: Any, table: str) -> None:
    given = {"TableName": table, "ExpressionAttributeValues": {":lab": {"S": "lab"}}}
    dynamodb.put_item(TableName=table, Item=item(cluster={"S": "lab"}))

    error = refused(dynamodb.scan, **given, FilterExpression="cluster = :lab")["Error"]
    found = dynamodb.scan(
        **given, FilterExpression="#c = :lab", ExpressionAttributeNames={"#c": "cluster"}
    )

    assert "reserved keyword: cluster" in error["Message"]
    assert found["Count"] == 1


@pytest.mark.aws(
    "DynamoDB",
    "PutItem",
    "A number of more than 38 digits, one out of range, and a set with a value twice or with none are ValidationExceptions.",  # noqa: E501
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
)
@pytest.mark.parametrize(
    "value",
    [
        {"N": "1" * 39}, {"N": "1e130"}, {"N": "soon"}, {"SS": ["a", "a"]}, {"SS": []},
        {"L": [{"M": {"at": {"N": "1" * 39}}}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_no_type_has_is_refused(
    dynamodb: Any, table: str, value: dict[str, Any]
) -> None:
    error = refused(dynamodb.put_item, TableName=table, Item=item(value=value))["Error"]

    assert error["Code"] == "ValidationException"
    dynamodb.put_item(TableName=table, Item=item(value={"N": "1" * 38}))


@pytest.mark.aws(
    "DynamoDB",
    "PutItem, UpdateItem",
    "An item of more than 400 KB, names and values together, is a ValidationException.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html",
)
@pytest.mark.differs(
    "DynamoDB",
    "PutItem",
    "Items are refused from 405,000 bytes as moto counts them, some KB under AWS's 409,600.",
    "It is stricter than AWS; the app's items stay far below both limits.",
)
def test_an_item_that_is_too_large_is_refused(dynamodb: Any, table: str) -> None:
    key = item()
    dynamodb.put_item(TableName=table, Item=item(marks={"S": "x" * 400_000}))

    put = refused(dynamodb.put_item, TableName=table, Item=item(marks={"S": "x" * 409_600}))
    updated = refused(
        dynamodb.update_item,
        TableName=table,
        Key=key,
        UpdateExpression="SET more = :more",
        ExpressionAttributeValues={":more": {"S": "x" * 9_600}},
    )

    assert put["Error"]["Code"] == updated["Error"]["Code"] == "ValidationException"
    assert "xceeded the maximum allowed size" in put["Error"]["Message"]
    kept = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert len(kept["marks"]["S"]) == 400_000
    assert "more" not in kept


@pytest.mark.aws(
    "DynamoDB",
    "Scan, Query",
    "A page ends after reading 1 MB, even if a filter leaves nothing; LastEvaluatedKey goes on.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html",
)
def test_a_page_ends_after_1_mb_of_items_read(dynamodb: Any, table: str) -> None:
    for number in range(4):
        dynamodb.put_item(TableName=table, Item=item(str(number), v={"S": "x" * 390_000}))

    page = dynamodb.scan(TableName=table, FilterExpression="attribute_exists(nothing)")
    queried = dynamodb.query(
        TableName=table,
        KeyConditionExpression="instance_id = :i",
        ExpressionAttributeValues={":i": {"S": "i-1"}},
    )
    pages = list(dynamodb.get_paginator("scan").paginate(TableName=table))

    assert page["Count"] == 0
    assert page["ScannedCount"] < 4
    assert page["LastEvaluatedKey"]
    assert queried["LastEvaluatedKey"]
    assert len(pages) > 1
    assert sum(page["Count"] for page in pages) == 4


@pytest.mark.aws(
    "DynamoDB",
    "BatchGetItem",
    "It takes at most 100 keys and none twice; a key that is not there is left out.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html",
)
@pytest.mark.differs(
    "DynamoDB",
    "BatchGetItem",
    "UnprocessedKeys is always empty.",
    "The emulator is never too busy; a test of the ledger gives it an answer with some.",
)
def test_a_batch_has_100_keys_at_most_and_none_twice(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=item())
    keys = [item(f"k{number}") for number in range(100)]

    many = refused(dynamodb.batch_get_item, RequestItems={table: {"Keys": [item(), *keys]}})
    twice = refused(dynamodb.batch_get_item, RequestItems={table: {"Keys": [item(), item()]}})
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": [item(), *keys[:99]]}})

    assert many["Error"]["Code"] == twice["Error"]["Code"] == "ValidationException"
    assert answer["Responses"][table] == [item()]
    assert answer["UnprocessedKeys"] == {}


@pytest.mark.aws(
    "DynamoDB",
    "time to live",
    "An item whose time has passed is still read until it is deleted, which may take days.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html",
)
@pytest.mark.differs(
    "DynamoDB",
    "time to live",
    "Expired items are never deleted.",
    "Nothing in the app may depend on when they go.",
)
def test_an_expired_item_is_still_read(dynamodb: Any, table: str) -> None:
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    dynamodb.put_item(TableName=table, Item=item(expires_at={"N": "1000000000"}))

    assert "Item" in dynamodb.get_item(TableName=table, Key=item(), ConsistentRead=True)
    assert dynamodb.scan(TableName=table)["Count"] == 1


@pytest.mark.differs(
    "DynamoDB",
    "GetItem, Scan, Query",
    "Every read is consistent, with and without ConsistentRead.",
    "The app reads consistently what it decides by; a stale read would be a fault to inject.",
)
def test_every_read_sees_the_last_write(dynamodb: Any, table: str) -> None:
    for number in range(20):
        dynamodb.put_item(TableName=table, Item=item(version={"N": str(number)}))
        for consistent in (True, False):
            read = dynamodb.get_item(TableName=table, Key=item(), ConsistentRead=consistent)
            assert read["Item"]["version"] == {"N": str(number)}


@pytest.mark.aws(
    "DynamoDB",
    "PutItem, GetItem",
    "A key that is missing, empty, of another type or too many is a ValidationException; no such table a ResourceNotFoundException.",  # noqa: E501
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html",
)
def test_a_key_is_the_tables_own(dynamodb: Any, table: str) -> None:
    bad = [
        {"instance_id": {"S": "i-1"}},
        {**item(), "transition": {"S": ""}},
        {**item(), "transition": {"N": "1"}},
    ]

    codes = {refused(dynamodb.put_item, TableName=table, Item=one)["Error"]["Code"] for one in bad}
    more = refused(dynamodb.get_item, TableName=table, Key=item(more={"S": "x"}))
    none = refused(dynamodb.get_item, TableName=f"{table}-none", Key=item())

    assert codes == {"ValidationException"} == {more["Error"]["Code"]}
    assert none["Error"]["Code"] == "ResourceNotFoundException"
