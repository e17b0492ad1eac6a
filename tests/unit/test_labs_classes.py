"""A class as the page for instructors reads it from the hub, the snapshot and the group."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION
from tests.support.tables import key_schema
from tests.twins.bookings import MemoryBookings

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.state import LabHoursState
from labswarm.notices import Message
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_labs.classes import DESCRIBED_FOR_S, SNAPSHOTS_TABLE, Classes
from labswarm_labs.hub import Hub
from labswarm_labs.service import Labs

NOW = datetime(2026, 12, 8, 14, 0, tzinfo=UTC).timestamp()
ASG = str(DESCRIPTION["asg"])
DESIRED = 5
BOOKING = StoredBooking(
    id="physics0",
    cluster="lab",
    title="Physics",
    start="2026-12-08T15:00",
    end="2026-12-08T16:00",
    time_zone="UTC",
    seats=30,
    created_by="curie",
    group="physics",
)


class HubOfClasses:
    """The hub's groups, and its users with a server."""

    async def members(self, group: str) -> list[str]:
        return {"physics": ["ada", "bob"], "chemistry": ["dan"]}[group]

    async def active(self) -> list[dict[str, Any]]:
        return []


def node(number: int, used: int, **about: Any) -> NodeSeen:
    values = {"state": "ready", "availability": "active", "seats": 7, "created_at": "2026"}
    return NodeSeen(
        node_id=f"n{number}",
        instance_id=f"i-{number:017}",
        seats_used=used,
        **{**values, **about},
    )


@pytest.fixture
def clients() -> Iterator[Any]:
    def client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service is a variable
            service, "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    with mock_aws():
        for table in (SNAPSHOTS_TABLE, TABLE):
            client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
                KeySchema=key_schema("cluster"),
            )
        client("ssm").put_parameter(
            Name="/labswarm/clusters/lab", Type="String", Value=json.dumps(DESCRIPTION)
        )
        client("autoscaling").create_launch_configuration(
            LaunchConfigurationName="workers", ImageId="ami-1", InstanceType="m6i.large"
        )
        client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=ASG,
            LaunchConfigurationName="workers",
            MinSize=0,
            MaxSize=9,
            DesiredCapacity=DESIRED,
            AvailabilityZones=["eu-west-1a"],
        )
        yield client


class Clock:
    at = NOW

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def classes(clients: Any, clock: Clock) -> Classes:
    bookings = MemoryBookings()
    bookings.write_booking(BOOKING)
    labs = Labs("lab", bookings, clients, 3600, clock)
    return Classes(labs, cast("Hub", HubOfClasses()), clients)


def write(clients: Any, *nodes: NodeSeen) -> None:
    snapshot = Snapshot("lab", NOW, nodes, running=0, waiting=0)
    DynamoSnapshots(clients("dynamodb"), SNAPSHOTS_TABLE).write_snapshot(snapshot)


def test_the_nodes_that_start_are_those_that_are_asked_for_and_not_in_the_swarm(
    classes: Classes, clients: Any
) -> None:
    state = LabHoursState(node_seats=7)
    DynamoLabHoursStates(clients("dynamodb"), TABLE).write_state("lab", state)
    write(clients, node(1, 7), node(2, 0, availability="pause"), node(3, 0, state="down"))

    live = asyncio.run(classes.look("physics"))

    # Two of five are ready: three start, of seven seats each.
    assert (live.coming, live.seats, live.used) == (21, 7, 7)
    assert [one.name for one in live.students] == ["ada", "bob"]
    assert live.lab is not None
    assert live.lab.name == "Physics"


def test_more_nodes_than_are_asked_for_make_no_negative_count(
    classes: Classes, clients: Any
) -> None:
    write(clients, *(node(number, 0) for number in range(DESIRED + 2)))

    assert asyncio.run(classes.look("physics")).coming == 0


def test_a_group_has_no_labs_of_another_one(classes: Classes, clients: Any) -> None:
    assert asyncio.run(classes.look("chemistry")).lab is None


def test_free_seats_are_those_of_open_nodes(classes: Classes, clients: Any) -> None:
    assert asyncio.run(classes.free_seats()) == 0, "no snapshot was written yet"
    write(
        clients,
        node(1, 5),
        node(2, 9),
        node(3, 0, availability="pause"),
        node(4, 0, state="down"),
    )

    assert asyncio.run(classes.free_seats()) == 2


def test_the_cluster_is_described_again_after_a_minute(
    classes: Classes, clients: Any, clock: Clock
) -> None:
    states = DynamoLabHoursStates(clients("dynamodb"), TABLE)
    states.write_state("lab", LabHoursState(node_seats=7))
    write(clients)
    coming = [asyncio.run(classes.look("physics")).coming]
    states.write_state("lab", LabHoursState(node_seats=3))
    for later_s in (DESCRIBED_FOR_S, DESCRIBED_FOR_S + 1):
        clock.at = NOW + later_s
        coming.append(asyncio.run(classes.look("physics")).coming)

    assert coming == [7 * DESIRED, 7 * DESIRED, 3 * DESIRED]


def test_nobody_can_write_to_a_class_without_the_managers_token(classes: Classes) -> None:
    assert not classes.can_write
    assert asyncio.run(classes.write("physics", Message("We begin."))) == (0, 0)
