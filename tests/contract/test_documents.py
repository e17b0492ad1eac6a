"""The commands rely on this in the hub's documents; the table and its twin in memory both pass."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.twins.documents import MemoryDocuments

from labswarm.aws.dynamodb.documents import DynamoDocuments
from labswarm.document.documents import NONE, Documents, Outdated, Version

FIRST = Version(1, "cull:\n  timeout: 3600\n", "alice", 1_800_000_000, "the first")
SECOND = replace(FIRST, number=2, text="", by="bob")


@pytest.fixture(params=["memory", "dynamodb"])
def documents(request: pytest.FixtureRequest) -> Iterator[Documents]:
    if request.param == "memory":
        yield MemoryDocuments()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="labswarm-documents",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "cluster", "AttributeType": "S"},
                {"AttributeName": "version", "AttributeType": "N"},
            ],
            KeySchema=[
                {"AttributeName": "cluster", "KeyType": "HASH"},
                {"AttributeName": "version", "KeyType": "RANGE"},
            ],
        )
        yield DynamoDocuments(cast("Any", StaleReads(client)), "labswarm-documents")


def test_a_cluster_without_a_document_has_version_0(documents: Documents) -> None:
    assert documents.newest("lab") == NONE
    assert documents.version("lab", 1) is None
    assert documents.history("lab", 10) == []


def test_a_version_is_read_as_it_was_written(documents: Documents) -> None:
    documents.add("lab", FIRST)
    documents.add("lab", SECOND)
    documents.add("other", replace(FIRST, by="carol"))

    assert documents.newest("lab") == SECOND
    assert documents.version("lab", 1) == FIRST
    assert documents.history("lab", 10) == [SECOND, FIRST]
    assert documents.history("lab", 1) == [SECOND]


def test_the_second_writer_of_a_version_gets_the_first_ones(documents: Documents) -> None:
    documents.add("lab", FIRST)

    with pytest.raises(Outdated) as outdated:
        documents.add("lab", replace(FIRST, by="bob"))

    assert outdated.value.newest == FIRST
    assert documents.history("lab", 10) == [FIRST]


def test_a_write_whose_answer_was_lost_is_repeated_without_a_conflict(documents: Documents) -> None:
    documents.add("lab", FIRST)
    documents.add("lab", FIRST)

    assert documents.history("lab", 10) == [FIRST]


def test_versions_are_ordered_by_their_numbers_and_not_as_text(documents: Documents) -> None:
    for number in (9, 10):
        documents.add("lab", replace(FIRST, number=number))

    assert documents.newest("lab").number == 10
