"""A table of the emulator like the template's ledger."""

from typing import Any


def create(emulator: Any, name: str) -> None:
    """Make the table."""
    emulator.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in ("instance_id", "transition")
        ],
        KeySchema=[
            {"AttributeName": "instance_id", "KeyType": "HASH"},
            {"AttributeName": "transition", "KeyType": "RANGE"},
        ],
    )
