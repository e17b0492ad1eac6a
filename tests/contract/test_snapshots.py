"""The app relies on this in the snapshots; the table and its twin in memory both pass."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.twins.snapshot import MemorySnapshots

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.errors import BadInput
from labswarm.snapshot import HubSeen, NodeSeen, ServiceSeen, Snapshot, Snapshots

NODE = NodeSeen("n1", "i-0123456789abcdef0", "ready", "active", 6, 2, "2026-11-24T08:00:00Z")
HUB = HubSeen(7, (ServiceSeen("s1", 1_799_999_000.5), ServiceSeen("s2", 1_799_999_001.0)))
SNAPSHOT = Snapshot("lab", 1_800_000_000.25, (NODE, replace(NODE, instance_id=None)), 4, 1, HUB)


@pytest.fixture(params=["memory", "dynamodb"])
def snapshots(request: pytest.FixtureRequest) -> Iterator[Snapshots]:
    if request.param == "memory":
        yield MemorySnapshots()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="labswarm-snapshots",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
        )
        yield DynamoSnapshots(cast("Any", StaleReads(client)), "labswarm-snapshots")


def test_a_snapshot_is_read_as_it_was_written(snapshots: Snapshots) -> None:
    assert snapshots.write_snapshot(SNAPSHOT)

    assert snapshots.read_snapshot("lab") == SNAPSHOT
    assert snapshots.read_snapshot("other") is None


def test_a_newer_one_takes_its_place(snapshots: Snapshots) -> None:
    newer = replace(SNAPSHOT, taken_at=SNAPSHOT.taken_at + 0.5, waiting=0)
    snapshots.write_snapshot(SNAPSHOT)

    assert snapshots.write_snapshot(newer)
    assert snapshots.read_snapshot("lab") == newer


@pytest.mark.parametrize("older_by", [0, 0.5, 60])
def test_one_that_is_no_newer_is_dropped(snapshots: Snapshots, older_by: float) -> None:
    snapshots.write_snapshot(SNAPSHOT)

    assert not snapshots.write_snapshot(
        replace(SNAPSHOT, taken_at=SNAPSHOT.taken_at - older_by, running=9)
    )
    assert snapshots.read_snapshot("lab") == SNAPSHOT


def test_it_is_fresh_for_two_minutes() -> None:
    assert SNAPSHOT.fresh(SNAPSHOT.taken_at + 120)
    assert not SNAPSHOT.fresh(SNAPSHOT.taken_at + 120.5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cluster", None),
        ("taken_at", "now"),
        ("taken_at", True),
        ("nodes", {}),
        ("running", -1),
        ("waiting", 1.5),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=field):
        Snapshot.parse(json.dumps({**json.loads(SNAPSHOT.to_json()), field: value}))


@pytest.mark.parametrize("field", ["node_id", "instance_id", "seats", "created_at"])
def test_a_wrong_field_of_a_node_is_named_with_its_place(field: str) -> None:
    values = json.loads(SNAPSHOT.to_json())
    values["nodes"][1][field] = 5.5

    with pytest.raises(BadInput, match=f"nodes.1.{field}"):
        Snapshot.parse(json.dumps(values))


@pytest.mark.parametrize("field", ["service_id", "created_at"])
def test_a_wrong_field_of_a_service_is_named_with_its_place(field: str) -> None:
    values = json.loads(SNAPSHOT.to_json())
    values["hub"]["unknown"][1][field] = None

    with pytest.raises(BadInput, match=f"hub.unknown.1.{field}"):
        Snapshot.parse(json.dumps(values))


@pytest.mark.parametrize("field", ["servers", "unknown"])
def test_a_wrong_field_of_the_hub_is_named(field: str) -> None:
    values = json.loads(SNAPSHOT.to_json())
    values["hub"][field] = "many"

    with pytest.raises(BadInput, match=f"hub.{field}"):
        Snapshot.parse(json.dumps(values))


def test_a_snapshot_of_an_older_version_has_no_hub() -> None:
    values = json.loads(SNAPSHOT.to_json())
    del values["hub"]

    assert Snapshot.parse(json.dumps(values)) == replace(SNAPSHOT, hub=None)


def test_fields_of_a_newer_version_are_left_out() -> None:
    values = {**json.loads(SNAPSHOT.to_json()), "colour": "red"}
    values["nodes"][0]["colour"] = "red"
    values["hub"]["colour"] = "red"
    values["hub"]["unknown"][0]["colour"] = "red"

    assert Snapshot.parse(json.dumps(values)) == SNAPSHOT


@pytest.mark.parametrize("text", ["", "[]", '"x"'])
def test_a_text_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="snapshot"):
        Snapshot.parse(text)
