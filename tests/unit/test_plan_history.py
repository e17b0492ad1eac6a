"""`labswarm plan --replay history`: a class that was, from the records of the cluster itself."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from tests.support.tables import key_schema

from labswarm.aws.dynamodb.launches import DynamoLaunches
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.lab_hours.state import LabHoursState
from labswarm.lifecycle.ledger import Claim, Phase
from labswarm.planning.answer import Use
from labswarm.usage.usages import DayUse, Sample
from labswarm_operator import account
from labswarm_operator.cli import labswarm
from labswarm_operator.planning import command
from labswarm_operator.planning.history import recording_of
from labswarm_operator.planning.reading import Account, Sizes, changed, given

STARTS = datetime(2026, 11, 24, 14, 0, tzinfo=UTC).timestamp()


def sample(minute: float, nodes: int, running: int, waiting: int = 0) -> Sample:
    return Sample(int(STARTS + 60 * minute), nodes, running, waiting)


def test_those_who_come_in_a_minute_come_evenly_and_the_first_is_served_first() -> None:
    found = recording_of(
        [sample(0, 1, 0), sample(1, 1, 1, 1), sample(2, 2, 2)], STARTS, STARTS + 600
    )

    assert found is not None
    assert found.offsets_s(STARTS) == (15, 45)
    # The first was served half a minute in, the second half a minute later than the last look.
    assert found.waits_s == (15, 45)


def test_students_who_were_there_before_come_at_the_start_and_do_not_wait() -> None:
    found = recording_of([sample(-5, 1, 9), sample(-1, 1, 2), sample(1, 1, 2)], STARTS, STARTS + 60)

    assert found is not None
    assert found.arrived == (STARTS, STARTS)
    assert found.waits_s == (0, 0)


def test_after_a_gap_of_the_record_nobody_was_there() -> None:
    found = recording_of([sample(0, 1, 3), sample(30, 1, 2)], STARTS, STARTS + 3600)

    assert found is not None
    assert found.offsets_s(STARTS)[3:] == (29 * 60 + 15, 29 * 60 + 45)


def test_a_record_without_a_student_is_none() -> None:
    assert recording_of([sample(-60, 1, 9), sample(1, 1, 0)], STARTS, STARTS + 60) is None


def test_the_use_of_a_class_counts_its_own_time_and_no_gap() -> None:
    seen = [(-60.0, 9, 9), (60.0, 2, 4), (120.0, 3, 6), (3000.0, 1, 1)]

    found = Use.of(seen, 0, 3060)

    # Until a minute after the start 9, a minute of 2, then 150 s of 3, and the last minute.
    assert found.nodes == 3
    assert found.node_hours == pytest.approx((60 * 9 + 60 * 2 + 150 * 3 + 60) / 3600)
    assert found.seat_hours == pytest.approx((60 * 9 + 60 * 4 + 150 * 6 + 60) / 3600)


def claim(number: int, began: float, took_s: int) -> Claim:
    return Claim(
        instance_id=f"i-{number:017x}",
        transition="launch",
        owner="x",
        lease_until=0,
        tokens={},
        hook="h",
        asg="labswarm-lab-workers",
        cluster="lab",
        opened_at=int(began),
        phases=(Phase("joined", int(began) + took_s),),
        closed_at=int(began) + took_s,
    )


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A class of 14 on two nodes, recorded every minute for an hour, and the nodes' launches."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    def read(clients: object, name: str, sizes: Sizes) -> Account:
        cluster = changed(given(Sizes("m7i.large", node_seats=7, max_nodes=20)), sizes)
        return Account(cluster, LabHoursState(), "eu-west-1")

    monkeypatch.setattr(command, "read_account", read)
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1")
        monkeypatch.setattr(account, "clients", lambda name, aws: lambda service: client)
        for table, *keys in (
            ("labswarm-lab-hours", "cluster"),
            ("labswarm-ledger", "instance_id", "transition"),
        ):
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
                KeySchema=key_schema(*keys),
            )
        samples = [sample(minute, 2, min(14, 2 * max(0, minute))) for minute in range(-10, 61)]
        DynamoUsages(client, "labswarm-lab-hours").write_day(
            "lab", DayUse("2026-11-24", (), tuple(samples)), 0
        )
        ledger = DynamoLedger(client, "labswarm-ledger")
        for number in range(6):
            ledger.write_claim(claim(number, STARTS - 600 + number, 70 + number))
        ledger.write_claim(claim(9, STARTS - 86_400, 999))
        yield


def replay(*words: str) -> Result:
    fixed = ("plan", "--aws", "--replay", "history", "--losses", "0")
    return CliRunner(mix_stderr=False).invoke(labswarm, [*fixed, *words])


CLASS = ("--cluster", "lab", "--at", "2026-11-24T14:00+00:00", "--lasts", "1h")


@pytest.mark.usefixtures("recorded")
def test_a_class_of_the_cluster_is_planned_again_and_compared() -> None:
    done = replay(*CLASS, "--json")

    said = json.loads(done.stdout)
    use = said["replayed"]
    assert said["students"] == 14
    assert use["recorded"]["nodes"] == use["simulated"]["nodes"] == 2
    assert use["recorded"]["node_hours"] == pytest.approx(2)
    assert use["simulated"]["seat_hours"] == pytest.approx(use["recorded"]["seat_hours"], rel=0.05)
    assert any("1 min" in s or "70 s to 75 s" in s for s in said["assumed"] if "node takes" in s)


@pytest.mark.usefixtures("recorded")
def test_the_error_of_the_simulation_is_printed_and_another_headroom_can_be_tried() -> None:
    assert "node hours, " in (text := replay(*CLASS).stdout)
    assert "Recorded: 2 nodes, 2.0 node hours" in text
    assert "Simulated, 2 nodes, +" in text

    assert "Simulated, 4 nodes, +" in replay(*CLASS, "--headroom", "14").stdout


@pytest.mark.usefixtures("recorded")
def test_only_the_launches_of_the_class_count() -> None:
    client = account.clients("lab", aws=True)("dynamodb")

    found = DynamoLaunches(client, "labswarm-ledger").between("lab", STARTS - 3600, STARTS)

    assert list(found) == [70, 71, 72, 73, 74, 75]


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cluster", "lab"), "--replay history: Give --cluster and the class's start"),
        (("--at", "2026-11-24T14:00", "--node-seats", "7", "--max-nodes", "9"), "Give --cluster"),
        (("--cluster", "lab", "--at", "2026-10-01T14:00"), "No student of lab is recorded from"),
    ],
)
def test_a_class_that_is_not_recorded_is_refused(words: tuple[str, ...], said: str) -> None:
    done = replay(*words)

    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
