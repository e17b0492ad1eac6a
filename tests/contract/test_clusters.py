"""The clusters' descriptions: the twin and Parameter Store do the same."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION
from tests.twins.cluster import TwinClusters

from labswarm.aws.applied import SsmReports
from labswarm.aws.cluster import PARAMETERS, SsmClusters
from labswarm.cluster import Cluster, Clusters, asg_name
from labswarm.document.applied import Applied
from labswarm.errors import BadInput

Described = Callable[..., Clusters]


def in_memory(*descriptions: dict[str, Any]) -> Clusters:
    return TwinClusters(*descriptions)


def in_parameters(*descriptions: dict[str, Any]) -> Clusters:
    client = boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    for each in descriptions:
        client.put_parameter(
            Name=f"{PARAMETERS}/{each['name']}", Type="String", Value=json.dumps(each)
        )
    return SsmClusters(client)


@pytest.fixture(params=[in_memory, in_parameters], ids=["twin", "aws"])
def described(request: pytest.FixtureRequest) -> Iterator[Described]:
    with mock_aws():
        yield request.param


def description(name: str) -> dict[str, Any]:
    return {**DESCRIPTION, "name": name, "asg": asg_name(name)}


def test_a_described_cluster_is_read(described: Described) -> None:
    clusters = described(description("lab"), description("chem"))

    assert clusters.read_cluster("chem") == Cluster.parse(json.dumps(description("chem")))


def test_a_cluster_that_is_not_described_is_refused(described: Described) -> None:
    with pytest.raises(BadInput, match="'chem' has no parameter /labswarm/clusters/chem"):
        described(description("lab")).read_cluster("chem")


def test_a_wrong_description_is_refused_and_hides_no_other(described: Described) -> None:
    clusters = described({**description("chem"), "seat": None}, description("lab"))

    with pytest.raises(BadInput, match="seat"):
        clusters.read_cluster("chem")
    assert clusters.read_cluster("lab").name == "lab"
    assert clusters.names() == ["chem", "lab"]


def test_names_are_sorted_and_none_is_left_out(described: Described) -> None:
    # One page of Parameter Store has ten.
    names = [f"c{number:02}" for number in range(12)]

    assert described(*(description(name) for name in reversed(names))).names() == names


def test_without_descriptions_there_are_no_names(described: Described) -> None:
    assert described().names() == []


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


# The report of the hub, which has the values that its document changes; of AWS alone.


def reported(changes: dict[str, Any]) -> SsmClusters:
    client = boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    in_parameters(description("lab"), description("lab-gpu"))
    SsmReports(client).report_applied("lab", Applied(2, 2, 1.0, "", changes))
    return SsmClusters(client)


@pytest.mark.usefixtures("aws")
def test_a_seat_of_the_hubs_document_counts_for_its_cluster() -> None:
    clusters = reported({"seat": {"memory_bytes": 2**31}, "headroom": 7, "images": ["new:1"]})
    described = Cluster.parse(json.dumps(description("lab")))

    found = clusters.read_cluster("lab")

    assert found.seat.memory_bytes == 2**31
    assert found.seat.nano_cpus == described.seat.nano_cpus
    assert found.headroom == 7
    assert found.images == ("new:1", *described.images)
    assert clusters.of_hub("lab", found.manager)[0][0] == found
    assert clusters.read_cluster("lab-gpu").headroom == described.headroom


@pytest.mark.usefixtures("aws")
def test_a_report_is_no_cluster() -> None:
    assert reported({}).names() == ["lab", "lab-gpu"]


@pytest.mark.usefixtures("aws")
def test_the_hubs_host_reads_the_clusters_as_terraform_describes_them() -> None:
    clusters = reported({"headroom": 99})
    client = boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")

    plain = SsmClusters(client, with_document=False).read_cluster("lab")

    assert plain.headroom != clusters.read_cluster("lab").headroom


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("changes", [{"headroom": -1}, {"seat": {"memory_bytes": 0}}])
def test_a_report_with_a_wrong_value_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        reported(changes).read_cluster("lab")
