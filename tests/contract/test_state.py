"""Lab hours rely on this in their state; the table and its twin in memory both pass."""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.stale_reads import StaleReads
from tests.twins.state import MemoryLabHoursStates

from labswarm.aws.dynamodb.launches import DynamoLaunches
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.state import DynamoLabHoursStates
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursState, LabHoursStates
from labswarm.lifecycle.ledger import Claim, Phase

NOTES = LabHoursState(
    node_seats=7,
    digest="d",
    read_at=1.5,
    bookings=(Booking("Physics", 10.0, 20.0, 12),),
    problems=("'Bad': has no end",),
    measured_at=2.5,
    starts_s=(30.0, 40.5),
    alarmed=("'Bad': has no end",),
)


@pytest.fixture(params=["memory", "dynamodb"])
def states(request: pytest.FixtureRequest) -> Iterator[LabHoursStates]:
    if request.param == "memory":
        yield MemoryLabHoursStates()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="labswarm-lab-hours",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
        )
        yield DynamoLabHoursStates(cast("Any", StaleReads(client)), "labswarm-lab-hours")


def test_notes_are_read_as_they_were_last_written(states: LabHoursStates) -> None:
    states.write_state("lab", LabHoursState(node_seats=3))
    states.write_state("lab", NOTES)

    assert states.read_state("lab") == NOTES


def test_without_notes_there_are_empty_ones(states: LabHoursStates) -> None:
    assert states.read_state("lab") == LabHoursState()


def launch(number: int, cluster: str, phase: str, opened_at: int, lasted: int) -> Claim:
    claim = Claim(
        instance_id=f"i-{number:08x}",
        transition="launch",
        owner="me",
        lease_until=0,
        tokens={},
        hook="launch",
        asg=f"labswarm-{cluster}-workers",
        cluster=cluster,
        opened_at=opened_at,
        phases=(Phase("claimed", opened_at),),
    )
    return claim.ended(phase, "CONTINUE", opened_at + lasted)


def test_the_newest_starts_that_joined_are_measured() -> None:
    """The ledger as its adapter writes it: other clusters, and launches that failed, are left."""
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
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
        ledger = DynamoLedger(client, "labswarm-ledger")
        ledger.mark_terminating("i-0000000a", 1)
        for number in range(60):
            ledger.write_claim(launch(number, "lab", "joined", 1000 * number, number))
        ledger.write_claim(launch(100, "lab", "abandoned", 10**6, 900))
        ledger.write_claim(launch(101, "other", "joined", 10**6, 900))

        measured = DynamoLaunches(client, "labswarm-ledger").durations_s("lab")

    assert measured == [float(number) for number in range(10, 60)]
