"""`labswarm costs`: a month's use times its prices, per lab, group and student."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from tests.support.tables import key_schema

from labswarm.aws.dynamodb.bookings import DynamoBookings
from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.state import LabHoursState
from labswarm.planning.cluster import Prices
from labswarm.usage.usages import DayUse, LabUse, Sample
from labswarm_operator import account
from labswarm_operator.cli import labswarm
from labswarm_operator.costs import reading
from labswarm_operator.costs.bill import Used, bill
from labswarm_operator.planning.reading import Account, Sizes, given
from labswarm_operator.refusal import Refusal

STARTS = datetime(2026, 11, 24, 13, 0, tzinfo=UTC).timestamp()
PRICES = Prices(on_demand=0.10, spot=0.04, volume=0.01, region="eu-west-1", date="2026-10-08")
PHYSICS = LabUse(
    "Physics",
    STARTS,
    STARTS + 7200,
    20,
    seat_s=36_000,
    spot_s=18_000,
    on_demand_s=3600,
    students={"ada": 18_000, "bob": 9000},
)
HOMEWORK = LabUse(seat_s=3600, spot_s=3600, students={"ada": 3600})
DAY = DayUse("2026-11-24", (PHYSICS, HOMEWORK), (Sample(int(STARTS), 3, 5, 0),))


def of(used: Used) -> tuple[float, float, float]:
    """The hours, and the cost in thousandths of a dollar."""
    return used.seat_hours, used.node_hours, round(1000 * (used.usd or 0), 3)


def test_a_lab_costs_its_nodes_at_their_prices_and_students_share_it_by_time() -> None:
    found = bill("lab", "2026-11", [DAY], PRICES, {PHYSICS.key: "phys-101"}, {})

    (physics,) = found.labs
    # 5 h on spot, 1 h on demand, and 6 h of a volume.
    assert of(physics.used) == (10, 6, 5 * 40 + 100 + 6 * 10)
    assert found.groups == {"phys-101": physics.used}
    assert of(found.outside) == (1, 1, 50)
    assert of(found.total) == (11, 7, 410)
    assert of(found.students["bob"]) == (2.5, 1.5, 90)
    assert of(found.students["ada"]) == (6, 4, 180 + 50)


def test_a_lab_over_midnight_is_one_lab() -> None:
    next_day = DayUse("2026-11-25", (PHYSICS,))

    found = bill("lab", "2026-11", [DAY, next_day], PRICES, {}, {})

    assert [lab.used.node_hours for lab in found.labs] == [12]
    assert found.students["bob"].seat_hours == 5


def test_without_prices_there_are_hours_and_no_cost() -> None:
    found = bill("lab", "2026-11", [DAY], None, {}, {})

    assert (found.total.node_hours, found.total.usd, found.students["ada"].usd) == (7, None, None)


def test_a_month_has_its_days_and_this_month_those_until_today() -> None:
    assert reading.days_of("2026-02", date(2026, 12, 1))[-1] == "2026-02-28"
    assert reading.days_of("2026-12", date(2026, 12, 3)) == [f"2026-12-0{day}" for day in (1, 2, 3)]
    assert len(reading.days_of("2026-10", date(2026, 12, 1))) == 31


@pytest.mark.parametrize(
    ("month", "said"),
    [
        ("November", "'November' is no month; write one like 2026-12."),
        ("2026-13", "'2026-13' is no month"),
        ("2026-1", "'2026-1' is no month"),
        ("2027-01", "2027-01 has not begun; give a month until 2026-12."),
    ],
)
def test_a_text_that_is_no_month_that_was_is_refused(month: str, said: str) -> None:
    with pytest.raises(Refusal, match=f"^--month: {said}"):
        reading.days_of(month, date(2026, 12, 1))


def booking(**changed: Any) -> StoredBooking:
    values = {
        "id": "abcdefgh",
        "cluster": "lab",
        "title": "Physics",
        "start": "2026-11-17T14:03",
        "end": "2026-11-17T16:00",
        "time_zone": "Europe/Berlin",
        "seats": 20,
        "created_by": "eve",
        "group": "phys-101",
        "rrule": "FREQ=WEEKLY;UNTIL=20261215",
    }
    return StoredBooking(**{**values, **changed})


def test_the_group_of_a_lab_is_its_bookings_with_and_without_warm_servers() -> None:
    cold = booking(start="2026-11-17T14:00", warm_up=False)

    # A class whose servers start before the bell is a lab from then on: three minutes earlier.
    assert reading.groups_of([booking()], ["2026-11-24"])[PHYSICS.key] == "phys-101"
    assert reading.groups_of([cold], ["2026-11-24"])[PHYSICS.key] == "phys-101"
    assert reading.groups_of([booking(group=None)], ["2026-11-24"]) == {}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with the record of one day, and a booking."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    sizes = given(Sizes("m7i.large", node_seats=7, max_nodes=20))
    read = Account(sizes, LabHoursState(), "eu-west-1")
    monkeypatch.setattr(reading, "read_account", lambda clients, name, sizes: read)
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1")
        monkeypatch.setattr(account, "clients", lambda name, aws: lambda service: client)
        for table, *keys in (
            ("labswarm-lab-hours", "cluster"),
            ("labswarm-bookings", "cluster", "id"),
        ):
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
                KeySchema=key_schema(*keys),
            )
        DynamoUsages(client, "labswarm-lab-hours").write_day("lab", DAY, 0)
        DynamoBookings(client, "labswarm-bookings").write_booking(booking())
        yield


def costs(*words: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(
        labswarm, ["costs", "--aws", "--cluster", "lab", *words]
    )


@pytest.mark.usefixtures("recorded")
def test_a_month_is_printed_with_each_labs_forecast() -> None:
    done = costs("--month", "2026-11")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("lab in 2026-11: $")
    assert lines[0].endswith("11.0 seat-hours, 7.0 node hours")
    assert "Physics: $0." in lines[1]
    assert "(forecast for 20: $" in lines[1]
    assert lines[2].startswith("  outside of labs: $")
    assert [line.split(":")[0] for line in lines[3:6]] == [
        "Group phys-101",
        "Student ada",
        "Student bob",
    ]


@pytest.mark.usefixtures("recorded")
def test_the_same_is_printed_as_json() -> None:
    said = json.loads(costs("--month", "2026-11", "--json").stdout)

    (lab,) = said["labs"]
    assert (lab["name"], lab["group"], lab["used"]["node_hours"]) == ("Physics", "phys-101", 6)
    # 20 students for nearly two hours.
    assert 30 < lab["forecast"]["seat_hours"] < 40
    assert said["version"] == 1


@pytest.mark.usefixtures("recorded")
def test_a_month_without_a_record_says_so() -> None:
    done = costs("--month", "2026-10")

    assert done.exit_code == 0
    assert "No use is recorded." in done.stdout


def test_a_wrong_month_ends_with_code_2() -> None:
    assert costs("--month", "soon").exit_code == 2
