"""The functions of lab hours as Lambda calls them, over AWS's twin in process."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION, HOSTILE
from tests.support.app_twins import event as sample
from tests.support.handlers import Context, load
from tests.support.tables import key_schema

from labswarm.aws.applied import SsmReports
from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.aws.groups import AutoScalingGroups
from labswarm.cluster import NODE_START_S
from labswarm.document.applied import Applied
from labswarm.errors import BadInput, Transient
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm.usage.usages import DayUse

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:labswarm-lab-hours"
GROUP = "labswarm-lab-workers"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:labswarm-alarms"


class Started:
    """The executions that were started, each name once."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def start(self, machine: str, name: str, given: Any) -> bool:
        assert machine == MACHINE
        new = name not in self.given
        self.given.setdefault(name, given)
        return new


def table(name: str, *keys: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=key_schema(*keys),
    )


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster with one worker's place, and none asked for."""
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("LEDGER_TABLE", "labswarm-ledger"),
        ("SNAPSHOTS_TABLE", "labswarm-snapshots"),
        ("LAB_HOURS_TABLE", "labswarm-lab-hours"),
        ("BOOKINGS_TABLE", "labswarm-bookings"),
        ("LAB_HOURS_MACHINE", MACHINE),
        ("ALARMS_TOPIC", TOPIC),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        table("labswarm-ledger", "instance_id", "transition")
        table("labswarm-snapshots", "cluster")
        table("labswarm-lab-hours", "cluster")
        table("labswarm-bookings", "cluster", "id")
        describe("lab")
        ec2, autoscaling = boto3.client("ec2"), boto3.client("autoscaling")
        ec2.create_launch_template(
            LaunchTemplateName=GROUP, LaunchTemplateData={"ImageId": "ami-12c6146b"}
        )
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MinSize=0,
            MaxSize=5,
            DesiredCapacity=0,
            LaunchTemplate={"LaunchTemplateName": GROUP},
            AvailabilityZones=["eu-west-1a"],
        )
        yield


def describe(name: str, /, **changes: Any) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{name}",
        Type="String",
        Value=json.dumps({**DESCRIPTION, **changes}),
        Overwrite=True,
    )


def seen(waiting: int, age_s: float = 0, waited_s: float = 0) -> None:
    node = NodeSeen("n1", None, "ready", "active", 7, 0, "2026-11-24T08:00:00Z")
    since = time.time() - waited_s if waiting else None
    snapshot = Snapshot(
        "lab", time.time() - age_s, (node,), 0, waiting=waiting, waiting_since=since
    )
    DynamoSnapshots(boto3.client("dynamodb"), "labswarm-snapshots").write_snapshot(snapshot)


def decided(event: dict[str, Any]) -> tuple[dict[str, Any], Started]:
    app = load("decide_nodes")
    app.EXECUTIONS = Started()
    answer: dict[str, Any] = app.handler(event, Context())
    app.handler(event, Context())
    return answer["decisions"], app.EXECUTIONS


MINUTE, SHORT = sample("minute"), sample("seats_short")


@pytest.mark.parametrize("event", [MINUTE, SHORT], ids=["minute", "seats-short"])
def test_the_machine_is_started_once_for_a_snapshot(event: dict[str, Any]) -> None:
    seen(waiting=8)

    _, started = decided(event)

    assert list(started.given.values()) == [
        {"cluster": "lab", "actions": [{"do": "grow", "desired": 2}]}
    ]


def test_an_idle_minute_is_one_call_and_no_execution(capsys: pytest.CaptureFixture[str]) -> None:
    describe("lab", headroom=0)
    seen(waiting=0)

    answer, started = decided(MINUTE)

    assert answer["lab"][-1] == "0 nodes of 7 seats wanted"
    assert started.given == {}
    assert "_aws" not in capsys.readouterr().out, "a metric is paid for by the hour"


def test_a_minute_in_which_not_all_was_decided_fails_and_names_them() -> None:
    describe("idle", name="idle", asg="labswarm-idle-workers", headroom=0)
    seen(waiting=8)
    app = load("decide_nodes")
    app.EXECUTIONS = Started()

    # This one has no group, which stops no other.
    with pytest.raises(Transient, match=r"not decided: idle: there is no group labswarm-idle-w"):
        app.handler(MINUTE, Context())
    assert len(app.EXECUTIONS.given) == 1


@pytest.mark.parametrize("event", [MINUTE, SHORT], ids=["minute", "seats-short"])
def test_a_snapshot_that_is_too_old_decides_nothing_and_fails(event: dict[str, Any]) -> None:
    seen(waiting=8, age_s=121)
    app = load("decide_nodes")
    app.EXECUTIONS = Started()

    with pytest.raises(Transient, match=r"not decided: lab: the snapshot is \d+ s old$"):
        app.handler(event, Context())
    assert app.EXECUTIONS.given == {}


def test_a_timetable_raises_an_alarm_while_it_has_problems(
    capsys: pytest.CaptureFixture[str],
) -> None:
    describe("lab", headroom=0, timetable="ssm:/labswarm/timetables/none")
    seen(waiting=0)

    decided(MINUTE)

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [m["TimetableProblems"] for m in metrics] == [[1.0]] * 2
    assert all("LaunchesHeld" not in m for m in metrics)


def refused_documents(capsys: pytest.CaptureFixture[str]) -> list[list[float]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    return [line["DocumentsRefused"] for line in lines if "DocumentsRefused" in line]


def test_a_hub_counts_each_minute_while_it_refuses_its_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    describe("lab", headroom=0)
    seen(waiting=0)
    reports = SsmReports(boto3.client("ssm"))
    reports.report_applied("lab", Applied(1, 2, time.time(), "line 1: cull.timeout is 1."))

    decided(MINUTE)
    assert refused_documents(capsys) == [[1.0]] * 2
    decided(SHORT)
    assert refused_documents(capsys) == []

    reports.report_applied("lab", Applied(3, 3, time.time()))
    decided(MINUTE)
    assert refused_documents(capsys) == []


FEED = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: 12
DTSTART:{starts:%Y%m%dT%H%M%SZ}
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


def book(cluster: str, feed: str) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"/labswarm/timetables/{cluster}", Type="String", Value=feed, Overwrite=True
    )


def test_a_lab_booked_for_now_has_its_nodes_within_the_minute_that_reads_it() -> None:
    describe("lab", headroom=0, timetable="ssm:/labswarm/timetables/lab")
    book("lab", FEED.format(starts=datetime.now(UTC)))
    seen(waiting=0)

    answer, started = decided(MINUTE)

    assert (
        answer["lab"][0] == "12 seats wanted: 0 running, 0 waiting, 12 booked and not yet arrived"
    )
    assert len(started.given) == 1


def test_every_cluster_is_decided_about_before_a_feed_is_read() -> None:
    describe("lab", headroom=0, timetable="ssm:/labswarm/timetables/lab")
    describe("idle", name="idle", asg="labswarm-idle-workers", headroom=0)
    seen(waiting=0)
    app = load("decide_nodes")
    order: list[str] = []
    decision, refresh = app.HOURS.decision, app.TIMETABLES.refresh

    def decide(name: str) -> Any:
        order.append(name)
        return decision(name)

    def fetch(wanted: Any) -> Any:
        order.append("feeds")
        return refresh(wanted)

    app.HOURS.decision, app.TIMETABLES.refresh = decide, fetch

    with pytest.raises(Transient, match="not decided: idle"):
        app.handler(MINUTE, Context())
    assert order == ["idle", "lab", "feeds"]


def test_a_student_without_a_seat_waits_for_no_feed() -> None:
    describe("lab", timetable="ssm:/labswarm/timetables/lab")
    seen(waiting=8)
    app = load("decide_nodes")
    app.EXECUTIONS = Started()
    app.TIMETABLES = None  # to be called is to fail

    app.handler(SHORT, Context())

    assert len(app.EXECUTIONS.given) == 1


def test_the_log_says_how_the_events_of_a_feed_end(caplog: pytest.LogCaptureFixture) -> None:
    describe("lab", headroom=0, timetable="ssm:/labswarm/timetables/lab")
    book("lab", FEED.format(starts=datetime.now(UTC)))
    seen(waiting=0)
    app = load("decide_nodes")
    app.EXECUTIONS = Started()

    app.handler(MINUTE, Context())

    (line,) = [record for record in caplog.records if record.message == "timetable read"]
    assert line.__dict__["events"] == {"booked": 1}


def test_a_minute_in_which_launches_are_held_raises_an_alarm_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    breakers = DynamoBreakers(boto3.client("dynamodb"), "labswarm-ledger")
    for number in range(3):
        breakers.failed("lab", f"i-{number}", int(time.time()))
    seen(waiting=8)

    answer, started = decided(MINUTE)

    assert answer["lab"][-1].startswith(
        "launches are held: 3 in a row failed; the next is tried at "
    )
    assert started.given == {}
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [m["LaunchesHeld"] for m in metrics] == [[1.0]] * 2

    breakers.joined("lab")
    _, started = decided(MINUTE)

    assert len(started.given) == 1
    assert "LaunchesHeld" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("waiting", "waited_s", "counted"),
    [(3, 3600, [[3.0]] * 2), (3, NODE_START_S - 60, []), (0, 0, [])],
)
def test_students_who_wait_for_longer_than_a_node_takes_to_start_raise_an_alarm(
    capsys: pytest.CaptureFixture[str], waiting: int, waited_s: float, counted: list[list[float]]
) -> None:
    seen(waiting=waiting, waited_s=waited_s)

    decided(MINUTE)

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [m["StudentsWait"] for m in metrics if "StudentsWait" in m] == counted


def test_seats_short_of_no_cluster_is_refused_once_with_its_field(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = load("decide_nodes")
    app.HOURS = app.EXECUTIONS = None  # to be called is to fail

    details: list[Any] = [None, [], {}, *({"cluster": name} for name in (7, *HOSTILE))]
    for detail in details:
        caplog.clear()
        answer = app.handler({**SHORT, "detail": detail}, Context())
        assert answer == {"decisions": {}, "field": "detail.cluster"}, repr(detail)
        lines = [r.__dict__["field"] for r in caplog.records if r.levelname == "ERROR"]
        assert lines == ["detail.cluster"]


def test_a_snapshot_with_hostile_labels_moves_nothing() -> None:
    nodes = tuple(
        NodeSeen(f"n{n}", text, "ready", "pause", 7, 0, "2026-11-24T08:00:00Z")
        for n, text in enumerate(HOSTILE)
        if text
    )
    DynamoSnapshots(boto3.client("dynamodb"), "labswarm-snapshots").write_snapshot(
        Snapshot("lab", time.time(), nodes, 0, 0)
    )

    _, started = decided(MINUTE)

    # Only the headroom is asked for.
    assert list(started.given.values()) == [
        {"cluster": "lab", "actions": [{"do": "grow", "desired": 1}]}
    ]


def test_change_size_takes_no_hostile_id() -> None:
    app = load("change_size")

    for instance_id in HOSTILE:
        action = {"do": "terminate", "instance_id": instance_id}
        with pytest.raises(BadInput, match=r"^action\.instance_id: "):
            app.handler({"cluster": "lab", "action": action}, Context())


def test_the_size_of_a_group_whose_scaling_is_suspended_is_left() -> None:
    boto3.client("autoscaling").suspend_processes(
        AutoScalingGroupName=GROUP, ScalingProcesses=["AlarmNotification"]
    )
    seen(waiting=8)

    answer, started = decided(MINUTE)

    assert (answer["lab"], started.given) == (["its size is held by hand"], {})


def test_change_size_grows_the_group() -> None:
    app = load("change_size")
    event = {"cluster": "lab", "action": {"do": "grow", "desired": 2}}

    answers = [app.handler(event, Context())["outcome"] for _ in range(2)]

    (group,) = boto3.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 2
    assert answers == ["grow", "was as large already"]


class OneGroup:
    """Auto Scaling with one group; each instance was made of another version of a template.

    Answers as https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html says.
    """

    def __init__(self, template: dict[str, str], instances: dict[str, tuple[str, str]]) -> None:
        spec = {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": []}}
        members = [
            {
                "InstanceId": instance_id,
                "LifecycleState": "InService",
                "LaunchTemplate": {"LaunchTemplateId": made_of, "Version": version},
            }
            for instance_id, (made_of, version) in instances.items()
        ]
        sizes = {"DesiredCapacity": 1, "MinSize": 0, "MaxSize": 5}
        self.group = {**sizes, "MixedInstancesPolicy": spec, "Instances": members}

    def describe_auto_scaling_groups(self, **_: Any) -> dict[str, Any]:
        return {"AutoScalingGroups": [self.group]}


def test_an_instance_s_version_is_that_of_the_template_its_group_has_now() -> None:
    template = {"LaunchTemplateId": "lt-1", "Version": "$Latest"}
    client: Any = OneGroup(template, {"i-1": ("lt-1", "12"), "i-2": ("lt-0", "30")})

    assert AutoScalingGroups(client).view(GROUP).versions == {"i-1": 12, "i-2": 0}


def test_each_minute_is_added_to_the_record_of_the_day() -> None:
    seen(waiting=3)

    decided(MINUTE)

    day = datetime.now(UTC).strftime("%Y-%m-%d")
    use = DynamoUsages(boto3.client("dynamodb"), "labswarm-lab-hours").read_day("lab", day)
    assert [(sample.nodes, sample.waiting) for sample in use.samples][:1] == [(0, 3)]


def test_a_minute_that_cannot_be_recorded_is_decided_all_the_same() -> None:
    class Broken:
        def read_day(self, cluster: str, day: str) -> DayUse:
            raise Transient(f"no record of {cluster} on {day}")

    seen(waiting=8)
    app = load("decide_nodes")
    app.EXECUTIONS, app.USAGES = Started(), Broken()

    assert app.handler(MINUTE, Context())["decisions"]["lab"]
    assert len(app.EXECUTIONS.given) == 1
