"""The clusters' descriptions: the twin and Parameter Store do the same."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION
from tests.twins.cluster import TwinClusters

from labswarm.aws.cluster import PARAMETERS, SsmClusters
from labswarm.cluster import Cluster, Clusters, asg_name
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
