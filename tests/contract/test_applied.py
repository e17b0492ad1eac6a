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


def test_all_reports_are_read_by_cluster(reports: Reports) -> None:
    reports.report_applied("lab", REPORT)
    reports.report_applied("other", NOTHING)

    assert reports.read_reports() == {"lab": REPORT, "other": NOTHING}
    assert [name for name, one in reports.read_reports().items() if one.refused] == ["lab"]


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


def test_descriptions_and_broken_reports_are_no_reports() -> None:
    with mock_aws():
        ssm = boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        for name in ("lab", "lab/applied", "applied"):
            ssm.put_parameter(Name=f"/labswarm/clusters/{name}", Type="String", Value="{}")

        assert SsmReports(ssm).read_reports() == {}


@pytest.mark.parametrize(
    ("report", "refused"),
    [
        (Applied(2, 2, 1.0), False),
        (Applied(1, 2, 1.0), True),
        (Applied(2, 2, 1.0, "there is no group of workers 'gpu'"), True),
    ],
    ids=["runs", "an-earlier-one-runs", "newest-one-no-longer-runs"],
)
def test_a_hub_refuses_its_document_while_it_does_not_run_the_newest(
    report: Applied, refused: bool
) -> None:
    assert report.refused is refused
