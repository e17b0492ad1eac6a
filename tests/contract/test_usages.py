"""The costs rely on this in the records of days; the table and its twin in memory both pass."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.support.tables import key_schema
from tests.twins.usages import MemoryUsages

from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.errors import BadInput
from labswarm.usage.usages import KEPT_S, DayUse, LabUse, Sample, Usages

DAY = "2026-11-24"
LAB = LabUse("Physics", 1_795_514_400, 1_795_521_600, 12, 90.5, 60, 30, {"zoë": 60.0, "bob": 30.5})
USE = DayUse(DAY, (LAB, LabUse(seat_s=60)), (Sample(1_795_514_460, 3, 2, 1),))


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="labswarm-lab-hours",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            KeySchema=key_schema("cluster"),
        )
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def usages(request: pytest.FixtureRequest, client: Any) -> Usages:
    if request.param == "memory":
        return MemoryUsages()
    return DynamoUsages(cast("Any", StaleReads(client)), "labswarm-lab-hours")


def test_a_record_is_read_as_it_was_written(usages: Usages) -> None:
    assert usages.write_day("lab", USE, 0)

    assert usages.read_day("lab", DAY) == USE
    assert usages.read_day("lab", "2026-11-25") == DayUse("2026-11-25")
    assert usages.read_day("other", DAY) == DayUse(DAY)


def test_of_two_writers_that_read_the_same_record_one_writes(usages: Usages) -> None:
    later = replace(USE, samples=(*USE.samples, Sample(1_795_514_520, 3, 2, 0)))
    usages.write_day("lab", USE, 0)

    assert not usages.write_day("lab", later, 0)
    assert usages.read_day("lab", DAY) == USE
    assert usages.write_day("lab", later, USE.counted_at)
    assert not usages.write_day("lab", later, USE.counted_at)
    assert usages.read_day("lab", DAY) == later


def test_the_table_forgets_a_record_after_400_days(client: Any) -> None:
    DynamoUsages(client, "labswarm-lab-hours").write_day("lab", USE, 0)

    (item,) = client.scan(TableName="labswarm-lab-hours")["Items"]
    assert int(item["expires_at"]["N"]) == USE.counted_at + KEPT_S
    assert KEPT_S == 400 * 86_400


def test_a_record_of_a_newer_version_is_read_without_its_new_keys() -> None:
    values = json.loads(USE.to_json())
    values["colour"] = values["labs"][0]["colour"] = "red"
    values["samples"][0].append(7)

    assert DayUse.parse(json.dumps(values)) == USE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"day": "x", "labs": [1], "samples": []}'])
def test_a_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no record of a day"):
        DayUse.parse(text)
