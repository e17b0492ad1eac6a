"""The hubs' reports about their documents, in the Parameter Store of AWS Systems Manager."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.document.applied import NOTHING, Applied
from labswarm.errors import BadInput, LabswarmError
from labswarm.names import prefix

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


REPORT = "applied"


def parameter_of(cluster: str) -> str:
    """The parameter of a hub's report, below its cluster's description."""
    return f"/{prefix()}/clusters/{cluster}/{REPORT}"


class SsmReports:
    """Implements labswarm.document.applied.Reports."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def read_applied(self, cluster: str) -> Applied:
        try:
            with named():
                answer = self._client.get_parameter(Name=parameter_of(cluster))
        except LabswarmError as error:
            if code_of(error) == "ParameterNotFound":
                return NOTHING
            raise
        return Applied.parse(answer["Parameter"]["Value"])

    def read_reports(self) -> dict[str, Applied]:
        found = {}
        path = f"/{prefix()}/clusters"
        with named():
            for page in self._client.get_paginator("get_parameters_by_path").paginate(
                Path=path, Recursive=True
            ):
                for parameter in page["Parameters"]:
                    cluster, _, last = parameter["Name"].removeprefix(f"{path}/").rpartition("/")
                    if cluster and last == REPORT:
                        found[cluster] = parameter["Value"]
        return {name: applied for name, text in found.items() if (applied := _parsed(text))}

    def report_applied(self, cluster: str, applied: Applied) -> None:
        with named():
            self._client.put_parameter(
                Name=parameter_of(cluster), Type="String", Value=applied.to_json(), Overwrite=True
            )


def _parsed(text: str) -> Applied | None:
    """Return a report; None for a text that is none."""
    try:
        return Applied.parse(text)
    except BadInput:
        return None
