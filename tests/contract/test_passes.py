"""Reconcile relies on this in the stored passes; the table and its twin in memory both pass."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.twins.passes import MemoryPasses

from labswarm.aws.dynamodb.passes import DynamoPasses
from labswarm.reconcile.passes import Pass, Passes

MADE = Pass(1_800_000_000.25, 1_799_999_990.5, {"swarm-node ghost": 1_799_999_700.125})


def table() -> Any:
    """A client of the account that is mocked now, with the table made."""
    client = boto3.client("dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    client.create_table(
        TableName="labswarm-passes",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
    )
    return client


@pytest.fixture(params=["memory", "dynamodb"])
def passes(request: pytest.FixtureRequest) -> Iterator[Passes]:
    if request.param == "memory":
        yield MemoryPasses()
        return
    with mock_aws():
        yield DynamoPasses(cast("Any", StaleReads(table())), "labswarm-passes")


def test_a_kept_pass_is_read_as_the_next_version(passes: Passes) -> None:
    assert passes.write_pass("lab", MADE)

    assert passes.read_pass("lab") == replace(MADE, version=1)
    assert passes.read_pass("other") is None


def test_it_is_kept_only_over_the_pass_that_was_read(passes: Passes) -> None:
    passes.write_pass("lab", MADE)

    assert not passes.write_pass("lab", replace(MADE, first_seen={}))
    assert passes.write_pass("lab", replace(MADE, first_seen={}, version=1))
    assert passes.read_pass("lab") == replace(MADE, first_seen={}, version=2)


@pytest.mark.parametrize("at_rest", [True, False])
def test_whether_the_cluster_was_at_rest_is_kept(passes: Passes, at_rest: bool) -> None:
    passes.write_pass("lab", replace(MADE, at_rest=at_rest))

    assert passes.read_pass("lab") == replace(MADE, at_rest=at_rest, version=1)


def test_a_pass_kept_by_an_older_version_was_not_at_rest() -> None:
    with mock_aws():
        client = table()
        old = {"cluster": {"S": "lab"}, "first_seen": {"S": "{}"}}
        old |= {name: {"N": "1"} for name in ("at", "snapshot_at", "version")}
        client.put_item(TableName="labswarm-passes", Item=old)

        assert DynamoPasses(client, "labswarm-passes").read_pass("lab") == Pass(1, 1, {}, 1)


def test_a_thousand_marks_are_kept(passes: Passes) -> None:
    many = {f"chef-identity i-{n:017x}": 1_800_000_000.125 + n for n in range(1000)}

    assert passes.write_pass("lab", replace(MADE, first_seen=many))
    read = passes.read_pass("lab")
    assert read is not None
    assert read.first_seen == many


def test_a_wanted_pass_is_wanted_since_the_first_time_until_one_is_kept(
    passes: Passes,
) -> None:
    assert passes.wanted("lab", 1_800_000_000.25) == 1_800_000_000.25
    assert passes.wanted("other", 1_800_000_100) == 1_800_000_100
    assert passes.wanted("lab", 1_800_000_300) == 1_800_000_000.25
    assert passes.read_pass("lab") is None

    assert passes.write_pass("lab", MADE)
    assert passes.wanted("lab", 1_800_000_600) == 1_800_000_600
    assert passes.read_pass("lab") == replace(MADE, version=1)

    assert not passes.write_pass("lab", MADE)
    assert passes.wanted("lab", 1_800_000_900) == 1_800_000_600, "that one was not kept"
