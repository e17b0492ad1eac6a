"""Commands and functions rely on this in the hubs' reports; both implementations pass."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws
from tests.twins.applied import MemoryReports

from labswarm.aws.applied import SsmReports
from labswarm.document.applied import NOTHING, Applied, Reports
from labswarm.errors import BadInput

REPORT = Applied(3, 4, 1_800_000_000.5, "the hub did not answer", {"headroom": 4})


@pytest.fixture(params=["memory", "ssm"])
def reports(request: pytest.FixtureRequest) -> Iterator[Reports]:
    if request.param == "memory":
        yield MemoryReports()
        return
    with mock_aws():
        yield SsmReports(
            boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        )


def test_a_hub_that_has_applied_nothing_has_an_empty_report(reports: Reports) -> None:
    assert reports.read_applied("lab") == NOTHING


def test_the_newest_report_is_read_as_it_was_written(reports: Reports) -> None:
    reports.report_applied("lab", replace(REPORT, problem=""))
    reports.report_applied("lab", REPORT)
    reports.report_applied("other", NOTHING)

    assert reports.read_applied("lab") == REPORT


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "x", "{}", '{"version": -1, "tried": 1, "at": 1}'),
        '{"version": 1, "tried": 1, "at": 1, "changes": []}',
    ],
)
def test_a_report_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Applied.parse(text)
