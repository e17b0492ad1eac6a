"""A claim, and the ledger's table on the emulator."""

from typing import Any

from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase

NOW = 1_800_000_000


INSTANCE = "i-0123456789abcdef0"


CLAIM = Claim(
    instance_id=INSTANCE,
    transition="launch",
    owner="first",
    lease_until=NOW + LEASE_S,
    tokens={"token-1": "launch"},
    hook="launch",
    asg="labswarm-lab-workers",
    cluster="lab",
    opened_at=NOW,
    phases=(Phase("claimed", NOW),),
)


def table(client: Any) -> None:
    client.create_table(
        TableName="labswarm-ledger",
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
