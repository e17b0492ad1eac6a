"""The hub's page and lab hours rely on this in bookings; the table and its twin in memory pass."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws
from tests.support.tables import key_schema
from tests.twins.bookings import MemoryBookings

from labswarm.aws.dynamodb.bookings import TABLE, DynamoBookings
from labswarm.lab_hours.bookings import Bookings, StoredBooking

NEW = StoredBooking(
    id="physics0",
    cluster="lab",
    title="Physik für alle",
    start="2026-12-08T14:00",
    end="2026-12-08T16:00",
    time_zone="Europe/Berlin",
    seats=120,
    created_by="curie@example.edu",
    rrule="FREQ=WEEKLY;UNTIL=20270301",
    exdates=("2026-12-29",),
    group="physics",
)


@pytest.fixture(params=["memory", "dynamodb"])
def bookings(request: pytest.FixtureRequest) -> Iterator[Bookings]:
    if request.param == "memory":
        yield MemoryBookings()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "cluster", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
            KeySchema=key_schema("cluster", "id"),
        )
        yield DynamoBookings(client, TABLE)


def test_a_booking_is_read_as_it_was_written_with_its_version(bookings: Bookings) -> None:
    written = bookings.write_booking(NEW)

    assert written == replace(NEW, version=1)
    read = bookings.read_bookings("lab")
    assert (read.bookings, read.problems) == ((written,), ())


def test_bookings_of_another_cluster_are_not_read(bookings: Bookings) -> None:
    bookings.write_booking(replace(NEW, cluster="other"))

    assert bookings.read_bookings("lab").bookings == ()


def test_the_second_of_two_editors_changes_nothing(bookings: Bookings) -> None:
    read = bookings.write_booking(NEW)
    assert read is not None
    first = bookings.write_booking(replace(read, title="First"))

    assert bookings.write_booking(replace(read, title="Second")) is None
    assert not bookings.remove_booking(read)
    assert bookings.read_bookings("lab").bookings == (first,)


def test_a_new_booking_does_not_take_anothers_place(bookings: Bookings) -> None:
    written = bookings.write_booking(NEW)

    assert bookings.write_booking(replace(NEW, title="Same id")) is None
    assert bookings.read_bookings("lab").bookings == (written,)


def test_a_booking_is_removed_once(bookings: Bookings) -> None:
    written = bookings.write_booking(NEW)
    assert written is not None

    assert bookings.remove_booking(written)
    assert not bookings.remove_booking(written)
    assert bookings.read_bookings("lab").bookings == ()


def test_a_booking_that_was_never_stored_is_not_removed(bookings: Bookings) -> None:
    assert not bookings.remove_booking(NEW)


def test_a_cluster_has_many_bookings(bookings: Bookings) -> None:
    written = [
        bookings.write_booking(replace(NEW, id=f"booking{n:03}")) for n in reversed(range(120))
    ]

    assert bookings.read_bookings("lab").bookings == tuple(reversed(written))


def test_a_stored_booking_that_cannot_be_read_is_named_and_stops_no_other() -> None:
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "cluster", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
            KeySchema=key_schema("cluster", "id"),
        )
        bookings = DynamoBookings(client, TABLE)
        written = bookings.write_booking(NEW)
        for name, text in (("broken", "{"), ("seatless", '{"id": "seatless0"}')):
            client.put_item(
                TableName=TABLE,
                Item={"cluster": {"S": "lab"}, "id": {"S": name}, "booking": {"S": text}},
            )

        read = bookings.read_bookings("lab")

    assert read.bookings == (written,)
    assert read.problems == (
        "The booking 'broken' is left out: booking: has to be a JSON object. Save it again.",
        "The booking 'seatless' is left out: cluster: is missing. Save it again.",
    )
