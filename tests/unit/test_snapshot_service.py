"""The service that reports the Swarm's state to AWS: over the Swarm's twin, and on moto."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from tests.twins.hub import HubTwin
from tests.twins.snapshot import MemorySnapshots

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient
from labswarm.lab_hours.booking import Booking
from labswarm.notices import Message, Notice
from labswarm.seats import Seat
from labswarm.snapshot import HubSeen, ServiceSeen, Snapshot
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.snapshot_service import (
    DESCRIBED_FOR_S,
    HUB_EVERY_S,
    LABS_EVERY_S,
    LONGEST_PAUSE_S,
    AwsAudience,
    SnapshotService,
    serve,
)
from labswarm_node.swarm import Server, StudentService, StudentTask, SwarmNode

GIB = 1024**3
HUB = "i-000000000000000b0"
SEAT, OVERHEAD = Seat(GIB // 2, 250_000_000), Seat(GIB // 2, 250_000_000)
ADA, BOB, EVE = (Server(name, "", f"jupyter-{name}") for name in ("ada", "bob", "eve"))


class TestClock:
    """Time that passes when someone sleeps; ends the test after `patience_s`."""

    __test__ = False

    def __init__(self, patience_s: float = 600) -> None:
        self.at = 1_800_000_000.0
        self.slept: list[float] = []
        self._end = self.at + patience_s

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        if self.at > self._end:
            raise Permanent("the test is over")


class Rig:
    """A Swarm of one worker, and an AWS that listens; each fails as a test wants."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.twin = SwarmTwin(now=clock.now)
        self.twin.found(HUB, 4 * GIB, 2 * 10**9)
        engine = self.twin.start("i-00000000000000001", 2 * GIB, 2 * 10**9)
        engine.join(TOKEN, self.twin.manager, "10.98.0.11", "active")
        self.node_id = engine.membership().node_id
        self.gpu_id = ""
        self.kept = MemorySnapshots()
        self.heard: list[tuple[str, int]] = []
        self.failures: list[LabswarmError] = []
        self.described = 0
        self.clusters: Mapping[str, tuple[Seat, Seat]] = {"lab": (SEAT, OVERHEAD)}
        self.refused: dict[str, LabswarmError] = {}
        self.hub = HubTwin(frozenset({"ada", "bob", "eve"}))
        self.asked = 0
        self.booked: dict[str, tuple[Booking, ...]] = {}
        self.no_labs: LabswarmError | None = None
        self.service = SnapshotService("lab", self, self, self, clock)

    @property
    def written(self) -> Snapshot | None:
        return self.kept.read_snapshot("lab")

    # The Swarm: awaiting a change is the passing of time.
    def nodes(self) -> list[SwarmNode]:
        return list(self.twin.nodes())

    def tasks(self) -> list[StudentTask]:
        return list(self.twin.tasks())

    def services(self) -> list[StudentService]:
        return list(self.twin.services())

    def await_change(self, since: float, timeout_s: float) -> bool:
        changed = self.twin.await_change(since, 0)
        if not changed:
            self.clock.sleep(timeout_s)
        return changed

    # The hub, which answers this alone.
    def servers(self) -> frozenset[tuple[str, str]]:
        self.asked += 1
        return self.hub.servers()

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        self.hub.notify(user, server, notice)

    # AWS.
    def labs(self, cluster: str) -> tuple[Booking, ...]:
        if self.no_labs:
            raise self.no_labs
        return self.booked.get(cluster, ())

    def seats(self) -> Mapping[str, tuple[Seat, Seat]]:
        self.described += 1
        return self.clusters

    def write(self, snapshot: Snapshot) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if snapshot.cluster in self.refused:
            raise self.refused[snapshot.cluster]
        return self.kept.write_snapshot(snapshot)

    def call(self, cluster: str, waiting: int) -> None:
        if self.failures:
            raise self.failures.pop(0)
        written = self.kept.read_snapshot(cluster)
        assert written is not None
        assert written.waiting == waiting, "SeatsShort came before the snapshot that says why"
        self.heard.append((cluster, waiting))


@pytest.fixture
def rig() -> Rig:
    return Rig(TestClock())


def test_a_snapshot_is_written_at_the_first_look(rig: Rig) -> None:
    rig.twin.place(ADA, rig.node_id)
    rig.service.look()
    written = rig.written
    assert written is not None
    assert (written.running, written.waiting) == (1, 0)
    assert [(node.seats, node.seats_used) for node in written.nodes] == [(3, 1)]
    assert rig.heard == []


def test_a_student_in_line_is_reported_with_the_snapshot_that_says_so(rig: Rig) -> None:
    rig.service.look()
    rig.clock.sleep(1)
    rig.twin.line_up(EVE)
    rig.service.look()
    assert rig.heard == [("lab", 1)]


def test_a_class_in_line_is_reported_twice_and_the_second_look_comes_in_time(rig: Rig) -> None:
    rig.twin.line_up(ADA)
    rig.service.look()
    rig.clock.sleep(0.5)
    rig.twin.line_up(BOB)
    rig.twin.line_up(EVE)
    again_in_s = rig.service.look()
    assert rig.heard == [("lab", 1)]
    assert again_in_s == 1.5
    rig.clock.sleep(again_in_s)
    rig.service.look()
    assert rig.heard == [("lab", 1), ("lab", 3)]


def test_a_snapshot_that_could_not_be_sent_is_sent_at_the_next_look(rig: Rig) -> None:
    rig.twin.line_up(EVE)
    for _ in range(2):
        rig.failures = [Transient("throttled")]
        with pytest.raises(Transient):
            rig.service.look()
        rig.clock.sleep(1)
    rig.service.look()
    assert rig.heard == [("lab", 1)]


def test_failures_that_pass_are_waited_out_ever_longer_and_then_all_is_reported(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.twin.line_up(EVE)
    rig.failures = [Transient("no network")] * 8
    rig.clock.sleep(1)  # before it nothing has changed
    rig.clock.slept.clear()
    with pytest.raises(Permanent, match="the test is over"):
        rig.service.run()
    assert rig.heard == [("lab", 1)]
    pauses = rig.clock.slept[:8]
    longest = [min(LONGEST_PAUSE_S, 2.0**n) for n in range(8)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    assert "failed 8 times" in caplog.text


def test_an_outage_of_a_day_is_waited_out_too() -> None:
    rig = Rig(TestClock(patience_s=24 * 3600))
    rig.clock.sleep(1)
    rig.failures = [Transient("no network")] * 5000
    with pytest.raises(Permanent, match="the test is over"):
        rig.service.run()
    assert rig.written is not None
    assert rig.failures == []


def test_a_failure_for_good_ends_the_service(rig: Rig) -> None:
    rig.failures = [Permanent("AccessDenied")]
    with pytest.raises(Permanent, match="AccessDenied"):
        rig.service.run()


def test_another_service_that_is_newer_is_named_and_not_fought(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    newer = Snapshot("lab", rig.clock.now() + 3600, (), 0, 0)
    rig.kept.write_snapshot(newer)
    rig.service.look()
    assert rig.written == newer
    assert "another service runs" in caplog.text


def test_the_description_is_read_again_after_a_while(rig: Rig) -> None:
    rig.service.look()
    rig.clock.sleep(DESCRIBED_FOR_S - 1)
    rig.service.look()
    assert rig.described == 1
    rig.clock.sleep(1)
    rig.service.look()
    assert rig.described == 2


def hub_seen(rig: Rig) -> HubSeen | None:
    """The hub's part of the newest snapshot, after a look at its answer."""
    rig.clock.sleep(1)
    rig.service.look()
    assert rig.written is not None
    return rig.written.hub


def test_a_service_that_the_hub_has_lost_is_reported_after_it_was_asked(rig: Rig) -> None:
    for server in (ADA, BOB):
        rig.hub.start(server.user, server.name)
        rig.twin.place(server, rig.node_id)
    rig.service.look()
    assert hub_seen(rig) == HubSeen(2)
    rig.hub.lose(ADA.user, ADA.name)
    rig.clock.sleep(HUB_EVERY_S)
    rig.service.look()
    (lost,) = (s for s in rig.twin.services() if s.server == ADA)
    assert hub_seen(rig) == HubSeen(1, (ServiceSeen(lost.service_id, lost.created_at),))
    assert rig.asked == 2


def test_the_hub_is_asked_every_two_minutes_and_only_while_there_are_services(
    rig: Rig,
) -> None:
    for _ in range(30):
        rig.service.look()
        rig.clock.sleep(5)
    assert rig.asked == 0
    rig.twin.line_up(EVE)
    for _ in range(48):
        rig.service.look()
        rig.clock.sleep(5)
    assert rig.asked == 2


def test_waiting_students_are_reported_before_the_hub_is_asked(rig: Rig) -> None:
    rig.twin.line_up(EVE)
    rig.hub.down = True
    rig.service.look()
    assert (rig.heard, rig.asked) == ([("lab", 1)], 1)


@pytest.mark.parametrize("error", [Transient("no answer"), Permanent("it shows no servers")])
def test_while_the_hub_does_not_answer_its_part_is_left_out_and_the_service_goes_on(
    rig: Rig,
    error: LabswarmError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig.hub.start(ADA.user, ADA.name)
    rig.twin.place(ADA, rig.node_id)
    rig.service.look()
    assert hub_seen(rig) == HubSeen(1)

    def fails() -> frozenset[tuple[str, str]]:
        raise error

    with monkeypatch.context() as failing:
        failing.setattr(rig, "servers", fails)
        rig.clock.sleep(HUB_EVERY_S)
        rig.service.look()
    assert hub_seen(rig) is None
    assert f"the hub does not say which servers it knows: {error}" in caplog.text
    rig.clock.sleep(HUB_EVERY_S)
    rig.service.look()
    assert hub_seen(rig) == HubSeen(1)


@pytest.fixture
def shared(rig: Rig) -> Rig:
    """A hub with a further group, whose one worker has a single seat."""
    rig.clusters = {**rig.clusters, "lab-gpu": (Seat(3 * GIB, 10**9), Seat(GIB, 0))}
    engine = rig.twin.start("i-00000000000000002", 4 * GIB, 2 * 10**9, "lab-gpu")
    engine.join(TOKEN, rig.twin.manager, "10.98.0.12", "active")
    rig.gpu_id = engine.membership().node_id
    return rig


def test_students_of_a_lab_that_ends_soon_are_notified_once(rig: Rig) -> None:
    now = rig.clock.now()
    rig.booked = {"lab": (Booking("Physics", now - 3600, now + 330, 2),)}
    for student in ("ada", "bob"):
        rig.hub.start(student, "")
    rig.twin.place(ADA, rig.node_id)
    rig.service.look()
    assert rig.hub.notices == {}, "more than five minutes are left"

    rig.clock.sleep(LABS_EVERY_S)
    rig.service.look()
    assert rig.hub.notices == {("ada", ""): Notice("lab", int(now) + 330)}
    # A student who comes now, and nobody else, is notified in the next minute.
    rig.twin.place(BOB, rig.node_id)
    rig.hub.asked.clear()
    rig.clock.sleep(LABS_EVERY_S)
    rig.service.look()
    assert [asked for asked in rig.hub.asked if asked[0] == "notify"] == [("notify", "bob", "")]


def test_a_student_whose_server_does_not_answer_is_notified_a_minute_later(rig: Rig) -> None:
    now = rig.clock.now()
    rig.booked = {"lab": (Booking("Physics", now - 3600, now + 200, 2),)}
    rig.hub.start("ada", "")
    rig.twin.place(ADA, rig.node_id)
    rig.hub.down_for = {"ada"}
    rig.service.look()
    rig.hub.down_for = set()
    rig.clock.sleep(LABS_EVERY_S)
    rig.service.look()
    assert rig.hub.notices == {("ada", ""): Notice("lab", int(now) + 200)}


def test_labs_that_cannot_be_read_hold_up_no_snapshot(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.no_labs = Permanent("AccessDenied")
    rig.service.look()
    assert rig.written is not None
    assert "the labs of lab cannot be read: AccessDenied" in caplog.text


def test_the_students_of_one_group_are_not_notified_of_anothers_lab(shared: Rig) -> None:
    now = shared.clock.now()
    shared.booked = {"lab-gpu": (Booking("Vision", now - 3600, now + 200, 1),)}
    for student in ("ada", "bob"):
        shared.hub.start(student, "")
    shared.twin.place(ADA, shared.node_id, "lab")
    shared.twin.place(BOB, shared.gpu_id, "lab-gpu")
    shared.service.look()
    assert set(shared.hub.notices) == {("bob", "")}


def test_each_cluster_has_a_report_of_its_own(shared: Rig) -> None:
    shared.twin.place(ADA, shared.node_id, "lab")
    shared.twin.place(BOB, shared.gpu_id, "lab-gpu")
    shared.twin.line_up(EVE, "lab-gpu")
    shared.service.look()
    own, gpu = shared.kept.read_snapshot("lab"), shared.kept.read_snapshot("lab-gpu")
    assert own is not None
    assert gpu is not None
    assert [(n.node_id, n.seats, n.seats_used) for n in own.nodes] == [(shared.node_id, 3, 1)]
    assert [(n.node_id, n.seats, n.seats_used) for n in gpu.nodes] == [(shared.gpu_id, 1, 1)]
    assert (own.running, own.waiting) == (1, 0)
    assert (gpu.running, gpu.waiting) == (1, 1)
    assert shared.heard == [("lab-gpu", 1)]


def test_two_lines_are_reported_at_once_each_with_its_own_two_seconds(shared: Rig) -> None:
    shared.twin.line_up(ADA, "lab")
    shared.service.look()
    shared.clock.sleep(0.5)
    shared.twin.line_up(BOB, "lab-gpu")
    shared.twin.line_up(EVE)
    assert shared.service.look() == 1.5
    assert shared.heard == [("lab", 1), ("lab-gpu", 1)]
    shared.clock.sleep(1.5)
    shared.service.look()
    assert shared.heard == [("lab", 1), ("lab-gpu", 1), ("lab", 2)]


def test_a_change_in_one_cluster_is_no_news_of_another(shared: Rig) -> None:
    shared.service.look()
    first = shared.kept.read_snapshot("lab")
    shared.clock.sleep(1)
    shared.twin.line_up(EVE, "lab-gpu")
    shared.service.look()
    assert shared.kept.read_snapshot("lab") is first


def test_a_group_that_cannot_be_reported_does_not_silence_the_hub_s_own(
    shared: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    shared.refused["lab-gpu"] = Permanent("AccessDenied")
    shared.service.look()
    assert shared.written is not None
    assert "cannot send the snapshot of lab-gpu: AccessDenied" in caplog.text


def test_a_transient_error_of_one_cluster_holds_up_no_other(shared: Rig) -> None:
    shared.twin.line_up(EVE, "lab-gpu")
    shared.refused["lab"] = Transient("throttled")
    with pytest.raises(Transient):
        shared.service.look()
    assert shared.heard == [("lab-gpu", 1)]


def test_a_group_that_is_described_later_is_reported_and_its_nodes_were_nobody_else_s(
    shared: Rig,
) -> None:
    clusters, shared.clusters = shared.clusters, {"lab": (SEAT, OVERHEAD)}
    shared.service.look()
    assert shared.written is not None
    assert [node.node_id for node in shared.written.nodes] == [shared.node_id]
    shared.clusters = clusters
    shared.clock.sleep(DESCRIBED_FOR_S)
    shared.service.look()
    assert shared.kept.read_snapshot("lab-gpu") is not None


DESCRIPTION = {
    "name": "lab",
    "asg": "labswarm-lab-workers",
    "manager": "i-000000000000000b0",
    "chef": {
        "url": "https://chef.example",
        "organization": None,
        "ca_pem": None,
        "admin": "labswarm",
        "key_id": "alias/x",
    },
    "seat": {"memory_bytes": GIB, "nano_cpus": 10**9},
    "overhead": {"memory_bytes": 0, "nano_cpus": 0},
    "headroom": 2,
    "images": [],
    "empty_deadline_s": 20,
    "timetable": None,
}
SNAPSHOT = Snapshot("lab", 1_800_000_000.0, (), 3, 1)


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # the service is a variable here
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


@pytest.fixture
def aws() -> Iterator[AwsAudience]:
    with mock_aws():
        client("ssm").put_parameter(
            Name="/labswarm/clusters/lab", Type="String", Value=json.dumps(DESCRIPTION)
        )
        client("dynamodb").create_table(
            TableName="labswarm-snapshots",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
        )
        yield AwsAudience("lab", HUB, "labswarm-snapshots", client)


def describe(**changes: object) -> None:
    """Describe another cluster."""
    client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{changes['name']}",
        Type="String",
        Value=json.dumps({**DESCRIPTION, **changes}),
    )


def test_seat_and_overhead_come_from_the_cluster_s_description(aws: AwsAudience) -> None:
    assert aws.seats() == {"lab": (Seat(GIB, 10**9), Seat(0, 0))}


def test_a_hub_s_clusters_are_its_own_and_those_that_name_it_as_their_manager(
    aws: AwsAudience,
) -> None:
    seat = {"memory_bytes": 4 * GIB, "nano_cpus": 10**9}
    for name in ("lab-gpu", "another"):
        describe(name=name, asg=f"labswarm-{name}-workers", seat=seat)
    # Named as a group of this hub would be, and another hub's.
    for name in ("lab-too", "zoo"):
        other = "i-00000000000000bad"
        describe(name=name, asg=f"labswarm-{name}-workers", manager=other)
    assert list(aws.seats()) == ["lab", "another", "lab-gpu"]
    assert aws.seats()["lab-gpu"] == (Seat(4 * GIB, 10**9), Seat(0, 0))


def test_a_group_that_is_not_well_described_is_left_out_by_name_and_stops_no_other(
    aws: AwsAudience, caplog: pytest.LogCaptureFixture
) -> None:
    describe(name="lab-big", asg="labswarm-lab-big-workers", headroom="many")
    describe(name="zoo", asg="labswarm-zoo-workers", headroom="many")
    describe(name="lab-gpu", asg="labswarm-lab-gpu-workers")
    assert list(aws.seats()) == ["lab", "lab-gpu"]
    assert "/labswarm/clusters/lab-big: headroom: is 'many'" in caplog.text
    assert "zoo" not in caplog.text


def test_a_cluster_that_is_not_described_ends_it_by_name(aws: AwsAudience) -> None:
    with pytest.raises(BadInput, match="/labswarm/clusters/none"):
        AwsAudience("none", HUB, "labswarm-snapshots", client).seats()


def test_a_snapshot_is_kept_where_the_functions_read_it_and_only_when_newer(
    aws: AwsAudience,
) -> None:
    assert aws.write(SNAPSHOT)
    assert not aws.write(SNAPSHOT)
    assert (
        DynamoSnapshots(client("dynamodb"), "labswarm-snapshots").read_snapshot("lab") == SNAPSHOT
    )


def test_seats_short_is_an_event_of_the_contract_s_form(aws: AwsAudience) -> None:
    sqs, events = client("sqs"), client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    pattern = {"source": ["labswarm.hub"], "detail-type": ["SeatsShort"]}
    events.put_rule(Name="short", EventPattern=json.dumps(pattern))
    arn = "arn:aws:sqs:eu-west-1:123456789012:heard"
    events.put_targets(Rule="short", Targets=[{"Id": "1", "Arn": arn}])
    aws.call("lab", 4)
    message = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert message["detail"] == {"cluster": "lab", "waiting": 4}


class Refusing:
    """An event bus that takes the call and none of its entries, as a throttled one does."""

    def __init__(self, code: str) -> None:
        self._code = code

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        entries = [{"ErrorCode": self._code, "ErrorMessage": "no"} for _ in Entries]
        return {"FailedEntryCount": len(entries), "Entries": entries}


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", Transient), ("NotAuthorizedForSourceException", Permanent)],
)
def test_an_entry_that_the_bus_does_not_take_is_an_error_of_its_kind(
    aws: AwsAudience, code: str, kind: type[LabswarmError]
) -> None:
    def refusing(service: str) -> Any:
        return Refusing(code) if service == "events" else client(service)

    with pytest.raises(kind, match=code):
        AwsAudience("lab", HUB, "labswarm-snapshots", refusing).call("lab", 1)


def unreachable(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # the service is a variable here
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"max_attempts": 0}),
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda audience: audience.seats(),
        lambda audience: audience.write(SNAPSHOT),
        lambda audience: audience.call("lab", 1),
    ],
    ids=["parameter", "table", "event bus"],
)
def test_an_aws_that_cannot_be_reached_is_waited_for(ask: Callable[[AwsAudience], object]) -> None:
    with pytest.raises(Transient):
        ask(AwsAudience("lab", HUB, "labswarm-snapshots", unreachable))


def test_no_credentials_just_now_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    def bare(service: str) -> Any:
        return boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]

    with pytest.raises(Transient, match="no credentials"):
        AwsAudience("lab", HUB, "labswarm-snapshots", bare).seats()


def node_json(
    tmp_path: Path, role: str, api_url: str = "http://127.0.0.1:9/hub/api"
) -> dict[str, str]:
    file = tmp_path / "node.json"
    file.write_text(
        json.dumps(
            {
                "cluster": "lab",
                "instance_id": "i-000000000000000b0",
                "role": role,
                "region": "eu-west-1",
                "docker_host": "unix:///nonexistent/docker.sock",
                "advertise_address": "10.98.0.10",
                "aws_endpoint_url": None,
                "join_secret": "labswarm/lab/swarm-join",
                "images": [],
                "chef": {
                    "url": "https://chef.example",
                    "organization": None,
                    "ca_file": None,
                    "node_name": "lab-i-000000000000000b0",
                    "key_file": "/etc/chef/client.pem",
                    "client": "chef-client",
                },
                "hub": {"api_url": api_url, "token_file": "/nonexistent"},
            }
        )
    )
    return {"LABSWARM_NODE_CONFIG": str(file)}


def test_on_a_worker_it_refuses_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert serve([], node_json(tmp_path, "worker")) == 2
    assert "role: is 'worker'; labswarm-snapshot runs on the hub" in caplog.text


@pytest.mark.parametrize("every", ["0", "-1", "3600", "often", "nan"])
def test_a_pause_between_looks_that_makes_no_sense_is_refused(
    every: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        serve(["--every", every], {})
    assert ended.value.code == 2
    assert "--every" in capsys.readouterr().err


def test_without_its_table_it_ends_with_a_line_that_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    caplog.set_level(logging.INFO)
    with mock_aws():
        client("ssm").put_parameter(
            Name="/labswarm/clusters/lab", Type="String", Value=json.dumps(DESCRIPTION)
        )
        assert serve([], node_json(tmp_path, "hub"), lambda _: SwarmTwin()) == 1
    assert "this error is not retryable" in caplog.text
    assert "ResourceNotFoundException" in caplog.text


class OneLook(SwarmTwin):
    """A Swarm with a server in line; the service looks at it once."""

    def await_change(self, since: float, timeout_s: float) -> bool:
        raise Permanent("the test is over")


def test_the_token_for_the_hub_is_where_systemd_lays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"items": [], "_pagination": {"next": null}}')

    (tmp_path / "hub-token").write_text("secret\n")
    swarm = OneLook()
    swarm.line_up(EVE)
    monkeypatch.setattr(AwsAudience, "seats", lambda _: {"lab": (SEAT, OVERHEAD)})
    monkeypatch.setattr(AwsAudience, "write", lambda *_: True)
    monkeypatch.setattr(AwsAudience, "call", lambda *_: None)
    with HTTPServer(("127.0.0.1", 0), Answering) as hub:
        threading.Thread(target=hub.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{hub.server_port}/hub/api"
        environment = {
            **node_json(tmp_path, "hub", url),
            "CREDENTIALS_DIRECTORY": str(tmp_path),
        }
        assert serve([], environment, lambda _: swarm) == 1
    assert shown == [("/hub/api/users?state=active&limit=100&offset=0", "token secret")]
