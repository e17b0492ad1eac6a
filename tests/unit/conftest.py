"""Fixtures that several unit tests ask for by name."""

import functools
import json
import os
from collections.abc import Iterator

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION

# A mocked account begins with a new session, and a session reads the models of its services again:
# that took half of the time of the handlers' tests.
botocore.session.create_loader = functools.cache(create_loader)
# No unit test starts an instance of a real image; moto makes 1,300 of them for each account.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


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
