"""The domain relies on this in the launch breakers; the table and its twin both pass."""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.ledger_items import CLAIM, table
from tests.support.stale_reads import StaleReads
from tests.twins.breaker import MemoryBreakers

from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.lifecycle.breaker import Breaker, Breakers

ONE, TWO = "i-00000000000000001", "i-00000000000000002"
NOW = 1_800_000_000


@pytest.fixture(params=["memory", "dynamodb"])
def breakers(request: pytest.FixtureRequest) -> Iterator[Breakers]:
    if request.param == "memory":
        yield MemoryBreakers()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        table(client)
        # Other items of the table are not in the way.
        DynamoLedger(client, "labswarm-ledger").write_claim(CLAIM)
        yield DynamoBreakers(cast("Any", StaleReads(client)), "labswarm-ledger")


def test_an_unknown_cluster_holds_nothing(breakers: Breakers) -> None:
    assert breakers.read_breaker("lab") == Breaker()
    breakers.joined("lab")
    assert breakers.read_breaker("lab").failed == frozenset()


def test_failures_add_up_and_each_counts_once(breakers: Breakers) -> None:
    breakers.failed("lab", ONE, NOW)

    answers = [breakers.failed("lab", TWO, NOW + at) for at in (1, 2)]

    assert answers == [Breaker(frozenset({ONE, TWO}), NOW + at) for at in (1, 2)]
    assert breakers.read_breaker("lab") == answers[-1]
    assert breakers.read_breaker("lab-gpu") == Breaker()


def test_the_first_that_joins_ends_the_count(breakers: Breakers) -> None:
    breakers.failed("lab", ONE, NOW)
    breakers.joined("lab")

    assert breakers.read_breaker("lab").failed == frozenset()
    assert breakers.failed("lab", TWO, NOW + 9) == Breaker(frozenset({TWO}), NOW + 9)
