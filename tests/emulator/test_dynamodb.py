"""DynamoDB on the emulator decides conditional writes as AWS's does, also many at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture
def table(emulator: RunningEmulator, name: str) -> Iterator[str]:
    client = emulator.client("dynamodb")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
    )
    yield name
    client.delete_table(TableName=name)


def put_if_newer(emulator: RunningEmulator, table: str, taken_at: str, writer: str = "") -> bool:
    """Write under the snapshots' condition; whether it was taken."""
    number = {"N": taken_at}
    try:
        emulator.client("dynamodb").put_item(
            TableName=table,
            Item={"cluster": {"S": "lab"}, "taken_at": number, "writer": {"S": writer}},
            ConditionExpression="attribute_not_exists(taken_at) OR taken_at < :this",
            ExpressionAttributeValues={":this": number},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def kept(emulator: RunningEmulator, table: str) -> dict[str, dict[str, str]]:
    answer = emulator.client("dynamodb").get_item(
        TableName=table, Key={"cluster": {"S": "lab"}}, ConsistentRead=True
    )
    item: dict[str, dict[str, str]] = answer["Item"]
    return item


@pytest.mark.aws(
    "DynamoDB",
    "PutItem",
    "A condition compares numbers as numbers, with up to 38 digits.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
)
def test_given_a_condition_on_a_number_then_only_a_greater_one_is_written(
    emulator: RunningEmulator, table: str
) -> None:
    """Numbers are compared as numbers, with up to 38 digits.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """
    taken = ["999999999.5", "999999999.5", "1800000000.123456", "1800000000.123457", "999999999.9"]
    assert [put_if_newer(emulator, table, at) for at in taken] == [True, False, True, True, False]
    assert Decimal(kept(emulator, table)["taken_at"]["N"]) == Decimal("1800000000.123457")


@pytest.mark.aws(
    "DynamoDB",
    "PutItem",
    "Conditional writes of an item are serialized: of many equal ones at once, one is taken.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate",
)
def test_given_many_equal_writes_at_once_then_one_is_taken(
    emulator: RunningEmulator, table: str
) -> None:
    """Conditional writes of an item are serialized: the losers see the winner's item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
    """
    emulator.client("dynamodb")  # clients may be shared by threads, and not made in them
    writers = [str(n) for n in range(8)]
    for at in map(str, range(1, 11)):
        with ThreadPoolExecutor(len(writers)) as pool:
            asked = [pool.submit(put_if_newer, emulator, table, at, writer) for writer in writers]
        taken = [answer.result() for answer in asked]
        assert taken.count(True) == 1, f"at {at}: {taken}"
        assert kept(emulator, table)["writer"]["S"] == writers[taken.index(True)]
