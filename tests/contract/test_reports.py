"""The checks before labs rely on this in their reports; the table and its twin both pass."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.support.tables import key_schema
from tests.twins.reports import MemoryReports

from labswarm.aws.dynamodb.reports import DynamoReports
from labswarm.errors import BadInput
from labswarm.readiness.reports import ReadyReports, Report

REPORT = Report(1_800_000_000.25, ("lab: not ready, 1 finding",), 1, ("day before 1 Zoölogy",))


@pytest.fixture(params=["memory", "dynamodb"])
def reports(request: pytest.FixtureRequest) -> Iterator[ReadyReports]:
    if request.param == "memory":
        yield MemoryReports()
        return
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
        yield DynamoReports(cast("Any", StaleReads(client)), "labswarm-lab-hours")


def test_the_last_report_is_read_as_it_was_written(reports: ReadyReports) -> None:
    newer = replace(REPORT, checked_at=REPORT.checked_at + 600, findings=0)

    assert reports.write_report("lab", REPORT, None)
    assert reports.read_report("lab") == REPORT
    assert reports.write_report("lab", newer, REPORT)
    assert reports.read_report("lab") == newer
    assert reports.read_report("other") is None


def test_of_two_that_read_the_same_report_one_writes(reports: ReadyReports) -> None:
    newer = replace(REPORT, checked_at=REPORT.checked_at + 600)

    assert reports.write_report("lab", REPORT, None)
    assert not reports.write_report("lab", newer, None)
    assert reports.write_report("lab", newer, REPORT)
    assert not reports.write_report("lab", replace(newer, findings=9), REPORT)
    assert reports.read_report("lab") == newer


def test_a_report_of_a_newer_version_is_read_without_its_new_keys() -> None:
    values = {**json.loads(REPORT.to_json()), "colour": "red"}

    assert Report.parse(json.dumps(values)) == REPORT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checked_at": 1, "lines": 5}'])
def test_a_text_that_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no report"):
        Report.parse(text)
