"""Fixtures that several unit tests ask for by name."""

import functools
import json
from collections.abc import Iterator

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION

shared_loader = functools.cache(create_loader)


@pytest.fixture(scope="module", autouse=True)
def quick_accounts() -> Iterator[None]:
    """Each mocked account without what no unit test looks at, which took half of their time.

    It begins with a new session, which would read AWS's service models again; moto would make 1,300
    images for it. Only here: a client of S3 changes its service model.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(botocore.session, "create_loader", shared_loader)
        monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        yield


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    """An account with the table and the cluster; one for all tests, as a mock is slow to start."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        for name, value in (
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LEDGER_TABLE", "labswarm-ledger"),
            ("SNAPSHOTS_TABLE", "labswarm-snapshots"),
            ("ALARMS_TOPIC", "arn:aws:sns:eu-west-1:123456789012:labswarm-alarms"),
            *((f"{whose}_MACHINE", f"arn:{whose}") for whose in ("LAUNCH", "TERMINATE", "SPOT")),
        ):
            monkeypatch.setenv(name, value)
        boto3.client("ssm").put_parameter(
            Name="/labswarm/clusters/lab", Type="String", Value=json.dumps(DESCRIPTION)
        )
        yield


@pytest.fixture
def table(account: None) -> Iterator[None]:
    """An empty ledger."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="labswarm-ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "instance_id", "AttributeType": "S"},
            {"AttributeName": "transition", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "instance_id", "KeyType": "HASH"},
            {"AttributeName": "transition", "KeyType": "RANGE"},
        ],
    )
    yield
    client.delete_table(TableName="labswarm-ledger")
