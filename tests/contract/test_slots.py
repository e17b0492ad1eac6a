"""Commands rely on this in a hub's slots; the table and its twin in memory both pass."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from tests.support.ledger_items import table
from tests.twins.hub_slots import MemoryHubSlots

from labswarm.aws.dynamodb.hub_slots import DynamoHubSlots
from labswarm.commands.hub_slots import HELD_S, ORDINARY, HubSlots

HUB, OTHER_HUB = "i-0fedcba9876543210", "i-0fedcba9876543211"
NOW = 1_800_000_000


@pytest.fixture(params=["memory", "dynamodb"])
def slots(request: pytest.FixtureRequest) -> Iterator[HubSlots]:
    if request.param == "memory":
        yield MemoryHubSlots()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        table(client)
        yield DynamoHubSlots(client, "labswarm-ledger")


def taken(slots: HubSlots, holders: str, now: int = NOW) -> list[int | None]:
    return [slots.take(HUB, holder, now) for holder in holders]


def test_four_hold_a_hubs_slots_and_a_fifth_has_none(slots: HubSlots) -> None:
    assert {*taken(slots, "abcd")} == {*range(ORDINARY)}

    assert taken(slots, "efgh") == [None] * 4
    assert slots.take(OTHER_HUB, "e", NOW) is not None


def test_a_slot_given_back_is_free(slots: HubSlots) -> None:
    number = taken(slots, "abcd")[2]
    assert number is not None

    slots.give_back(HUB, number, "c")

    assert taken(slots, "ef") == [number, None]


def test_a_slot_that_is_another_s_is_not_given_back(slots: HubSlots) -> None:
    number = taken(slots, "abcd")[2]
    assert number is not None

    slots.give_back(HUB, number, "d")

    assert taken(slots, "e") == [None]


def test_a_slot_that_nobody_gives_back_is_free_after_its_time(slots: HubSlots) -> None:
    taken(slots, "abcd")

    assert taken(slots, "e", NOW + HELD_S - 1) == [None]
    assert {*taken(slots, "efgh", NOW + HELD_S)} == {*range(ORDINARY)}
