"""The checks before booked labs: when they are made, once each, and what follows from them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION
from tests.support.handlers import Context, load
from tests.support.tables import key_schema
from tests.twins.cluster import TwinClusters
from tests.twins.reports import MemoryReports
from tests.twins.snapshot import MemorySnapshots
from tests.twins.state import MemoryLabHoursStates

from labswarm.aws.dynamodb.reports import DynamoReports
from labswarm.aws.dynamodb.state import DynamoLabHoursStates
from labswarm.chef.certificate import Certificate
from labswarm.cluster import Chef, Cluster
from labswarm.errors import Permanent, Transient
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursState
from labswarm.readiness.account import Agent, Alarm, Kind, Limit, Quota, Rate, WorkerGroup
from labswarm.readiness.account_rules import Finding
from labswarm.readiness.check import Checked, Checks
from labswarm.readiness.facts import Readiness
from labswarm.readiness.moments import check_when_due, moments_due
from labswarm.readiness.reports import Report
from labswarm.snapshot import Snapshot

NOW = 1_800_000_000.0
HOUR, DAY = 3600, 86_400
GIB = 1 << 30
TOPIC = "arn:aws:sns:eu-west-1:123456789012:labswarm-alarms"
TYPES = ("m5.large", "m6i.large", "m7i.large")
DESCRIBED = DESCRIPTION | {
    "seat": {"memory_bytes": GIB, "nano_cpus": 250_000_000},
    "overhead": {"memory_bytes": GIB, "nano_cpus": 100_000_000},
}
CLUSTER = Cluster.parse(json.dumps(DESCRIBED))


def lab(starts_in_s: float, name: str = "Physics", seats: int = 20) -> Booking:
    return Booking(name, NOW + starts_in_s, NOW + starts_in_s + 7200, seats)


@pytest.mark.parametrize(
    ("starts_in_s", "due"),
    [
        (DAY + 1, None),
        (DAY, "day"),
        (HOUR + 1, "day"),
        (HOUR, "hour"),
        (1, "hour"),
        (0, None),
        (-1, None),
    ],
)
def test_a_lab_is_checked_a_day_and_an_hour_before(starts_in_s: float, due: str | None) -> None:
    found = moments_due([lab(starts_in_s)], NOW)

    assert [moment.partition(" ")[0] for moment in found] == ([due] if due else [])


def test_the_checks_of_two_labs_are_two_also_at_the_same_time() -> None:
    assert len(set(moments_due([lab(60), lab(60, "Maths"), lab(120)], NOW))) == 3


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        return self.at


class Sent:
    def __init__(self) -> None:
        self.mails: list[tuple[str, Sequence[str]]] = []

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        self.mails.append((subject, sentences))


class Account:
    """An account in which nothing is wrong with the cluster, nor around it."""

    region = "eu-west-1"

    def __init__(self) -> None:
        self.scored: list[tuple[Sequence[str], int]] = []
        self.types: Sequence[str] = TYPES
        self.quota = 999

    def _known(self, asg: str) -> None:
        if asg != CLUSTER.asg:
            raise Permanent(f"there is no group {asg}")

    def group(self, asg: str) -> WorkerGroup | None:
        self._known(asg)
        return WorkerGroup(asg, 12, 0, 0, self.kinds(self.types))

    def kinds(self, types: Sequence[str]) -> list[Kind]:
        return [Kind(name, 2, 8 * GIB) for name in types]

    def limits(self, asg: str) -> list[Limit]:
        self._known(asg)
        return [Limit(quota, self.quota, 0) for quota in Quota]

    def addresses(self, asg: str) -> int | None:
        self._known(asg)
        return 250

    def agents(self, cluster: str) -> list[Agent]:
        return [Agent(f"i-of-{cluster}", "3.3.3000.0", online=True)]

    def missing(self, cluster: Cluster) -> list[str]:
        return [] if cluster == CLUSTER else [cluster.name]

    def alarms(self) -> list[Alarm]:
        return [Alarm("labswarm-Throttles", [TOPIC])]

    def rates(self) -> list[Rate]:
        return []

    def subscribers(self, topics: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(topics, 1)

    def images(self, asg: str) -> dict[str, str]:
        self._known(asg)
        return {"ami-1": "available"}

    def homes(self, cluster: str) -> dict[str, str]:
        return {f"fs-of-{cluster}": "available"}

    def score(self, types: Sequence[str], nodes: int) -> int | None:
        self.scored.append((types, nodes))
        return 9


class World:
    """A sound cluster with its stores, and the mails that were sent."""

    def __init__(self, *labs: Booking) -> None:
        self.clock, self.sent, self.account = Clock(), Sent(), Account()
        self.states, self.reports = MemoryLabHoursStates(), MemoryReports()
        self.snapshots, self.clusters = MemorySnapshots(), TwinClusters(DESCRIBED)
        self.state = LabHoursState(node_seats=7, bookings=labs)
        self.states.write_state(CLUSTER.name, self.state)
        self.certificate: Certificate | Transient = Certificate(NOW + 90 * DAY)
        self.seen()

    def seen(self) -> None:
        self.snapshots.write_snapshot(Snapshot(CLUSTER.name, self.clock.at, (), 0, 0))

    def ends(self, chef: Chef) -> Certificate:
        assert chef == CLUSTER.chef
        if isinstance(self.certificate, Transient):
            raise self.certificate
        return self.certificate

    @property
    def checks(self) -> Checks:
        around = self.account
        return Checks(self.clusters, around, around, self.states, self.snapshots, self.ends)

    def look(self) -> Report | None:
        return check_when_due(
            CLUSTER.name, self.checks, self.states, self.reports, self.sent, self.clock
        )


def test_a_sound_cluster_is_reported_ready_without_a_mail() -> None:
    world = World(lab(DAY))

    report = world.look()

    assert report is not None
    assert report.findings == 0, report.lines
    assert report.lines[0] == f"{CLUSTER.name}: ready"
    assert world.reports.read_report(CLUSTER.name) == report
    assert world.sent.mails == []


def test_a_finding_is_sent_once_for_each_lab_and_moment() -> None:
    world = World(lab(DAY, seats=500))

    for after_s in (0, 600, DAY - HOUR, DAY - HOUR + 600, DAY + 600):
        world.clock.at = NOW + after_s
        world.seen()
        world.look()

    subjects = [subject for subject, _ in world.sent.mails]
    assert subjects == [f"labswarm: {CLUSTER.name} is not ready for its labs"] * 2
    assert any("84 of 500 students fit" in line for line in world.sent.mails[0][1])


def test_a_lab_that_is_booked_later_is_checked_too() -> None:
    world = World(lab(DAY))
    assert world.look() is not None
    labs = (*world.state.bookings, lab(30 * 60, "Maths", 9))
    world.states.write_state(CLUSTER.name, replace(world.state, bookings=labs))

    report = world.look()

    assert report is not None
    assert any("Maths, 9 seats" in line for line in report.lines)


def test_of_two_checks_at_the_same_time_one_sends_the_mail() -> None:
    world = World(lab(DAY, seats=500))
    other = Report(NOW - 1, ("of the other call",), 1)

    class Overtaken(MemoryReports):
        def write_report(self, cluster: str, report: Report, before: Report | None) -> bool:
            super().write_report(cluster, other, None)
            return super().write_report(cluster, report, before)

    world.reports = Overtaken()

    assert world.look() is None
    assert world.sent.mails == []
    assert world.reports.read_report(CLUSTER.name) == other


def test_without_a_lab_nothing_is_checked() -> None:
    world = World()
    world.clusters = TwinClusters()

    assert world.look() is None


def test_the_score_is_asked_for_all_types_and_the_nodes_of_the_plan() -> None:
    world = World(lab(DAY))

    facts = world.checks.check(CLUSTER.name, NOW).facts

    assert facts.answer is not None
    assert facts.answer.nodes >= 3
    assert world.account.scored == [(list(TYPES), facts.answer.nodes)]


def test_the_score_of_fewer_than_three_types_says_nothing_and_is_not_asked_for() -> None:
    world = World(lab(DAY))
    world.account.types = TYPES[:2]

    checked = world.checks.check(CLUSTER.name, NOW)

    assert world.account.scored == []
    assert checked.facts.score is None
    assert any("EC2 scores 3 instance types or more" in text for text in checked.facts.unchecked)


def test_a_chef_server_that_is_not_reached_is_named_and_is_no_finding() -> None:
    world = World(lab(DAY))
    world.certificate = Transient("no route")

    checked = world.checks.check(CLUSTER.name, NOW)

    assert checked.findings == ()
    assert checked.facts.unchecked == ["Chef Server's certificate: no route"]


def test_a_function_outside_of_the_chef_servers_network_names_that() -> None:
    world = World(lab(DAY))
    around = world.account
    checks = Checks(world.clusters, around, around, world.states, world.snapshots, None)

    facts = checks.check(CLUSTER.name, NOW).facts

    assert facts.unchecked == ["Chef Server's certificate: it is outside of this network"]


def test_the_findings_of_the_account_come_first() -> None:
    world = World(lab(DAY))
    world.account.quota = 3
    world.certificate = Certificate(NOW + DAY)

    checked = world.checks.check(CLUSTER.name, NOW)

    subjects = [finding.subject for finding in checked.findings]
    assert Quota.SPOT.label in subjects
    assert subjects[-1] == "Chef Server"


# The function


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The function's module, with a cluster that has a lab in an hour, and one that is broken."""
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("SNAPSHOTS_TABLE", "labswarm-snapshots"),
        ("LAB_HOURS_TABLE", "labswarm-lab-hours"),
        ("ALARMS_TOPIC", TOPIC),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        for table in ("labswarm-snapshots", "labswarm-lab-hours"):
            boto3.client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
                KeySchema=key_schema("cluster"),
            )
        app = load("check_ready")
        app.CLOCK, app.ALARMS = Clock(), Sent()
        for name in ("broken", "lab"):
            boto3.client("ssm").put_parameter(
                Name=f"/labswarm/clusters/{name}", Type="String", Value="{}"
            )
            app.STATES.write_state(name, LabHoursState(bookings=(lab(HOUR),)))

        class OneBroken:
            def check(self, name: str, now: float) -> Checked:
                if name == "broken":
                    raise Transient("throttled")
                finding = Finding("hub", "It is silent.", "Look at it.")
                return Checked(Readiness(now), (finding,))

        app.CHECKS = OneBroken()
        yield app


def test_a_cluster_that_cannot_be_checked_stops_no_other_and_fails_the_call(function: Any) -> None:
    with pytest.raises(Transient, match="not checked: broken: throttled"):
        function.handler({}, Context())

    assert [subject for subject, _ in function.ALARMS.mails] == [
        "labswarm: lab is not ready for its labs"
    ]
    reports = DynamoReports(boto3.client("dynamodb"), "labswarm-lab-hours")
    report = reports.read_report("lab")
    assert report is not None
    assert report.lines[-2:] == ("hub: It is silent.", "  Look at it.")
    assert reports.read_report("broken") is None


def test_the_function_answers_with_the_findings_of_each_cluster_that_was_due(function: Any) -> None:
    states = DynamoLabHoursStates(boto3.client("dynamodb"), "labswarm-lab-hours")
    states.write_state("broken", LabHoursState())

    assert function.handler({}, Context()) == {"checked": {"lab": 1}}
    assert function.handler({}, Context()) == {"checked": {}}
