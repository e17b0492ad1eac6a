"""The hub's machine's view of the Swarm, and the times at which it is news for AWS."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labswarm import labels
from labswarm.seats import Seat
from labswarm.snapshot import HubSeen, NodeSeen, ServiceSeen, Snapshot
from labswarm_hub import task_spec
from labswarm_node.snapshot import (
    BETWEEN_SHORTAGES_S,
    WRITE_AFTER_S,
    HubAnswer,
    Sent,
    snapshot_of,
)
from labswarm_node.swarm import Server, StudentService, StudentTask, SwarmNode

SEAT, OVERHEAD = Seat(512, 250), Seat(448, 100)
NOW = 1_800_000_000.0
NODE = SwarmNode(
    node_id="n1",
    role="worker",
    state="ready",
    availability="active",
    node_label="i-00000000000000001",
    engine_label="i-00000000000000001",
    memory_bytes=2048,
    nano_cpus=2000,
    created_at="2026-11-23T14:00:00Z",
)


def on(node_id: str | None, user: str = "ada") -> StudentTask:
    return StudentTask(Server(user, "", f"jupyter-{user}"), node_id, waits=False)


def in_line(user: str = "eve", since: float = NOW - 40) -> StudentTask:
    server = Server(user, "", f"jupyter-{user}")
    return StudentTask(server, None, waits=True, created_at=since)


def seen(*tasks: StudentTask, nodes: tuple[SwarmNode, ...] = (NODE,)) -> Snapshot:
    return snapshot_of("lab", NOW, nodes, tasks, SEAT, OVERHEAD)


def line_of(waiting: int, at: float = NOW) -> Snapshot:
    return Snapshot("lab", at, (), 0, waiting)


def test_a_worker_is_seen_with_its_seats_and_those_in_use() -> None:
    assert seen(on("n1"), on("n1", "bob"), in_line()) == Snapshot(
        cluster="lab",
        taken_at=NOW,
        nodes=(
            NodeSeen(
                node_id="n1",
                instance_id="i-00000000000000001",
                state="ready",
                availability="active",
                seats=3,
                seats_used=2,
                created_at="2026-11-23T14:00:00Z",
            ),
        ),
        running=2,
        waiting=1,
        waiting_since=NOW - 40,
    )


def test_the_wait_of_the_student_who_came_first_counts() -> None:
    line = (in_line("bob", NOW - 10), in_line("eve", NOW - 90), in_line("fay", NOW - 30))
    assert seen(*line).waiting_since == NOW - 90
    assert seen(on("n1")).waiting_since is None


def test_managers_are_not_seen() -> None:
    assert seen(nodes=(replace(NODE, role="manager"),)).nodes == ()


def test_the_order_of_docker_s_listing_is_no_news() -> None:
    other = replace(NODE, node_id="n0")
    assert seen(nodes=(NODE, other)) == seen(nodes=(other, NODE))


def test_a_server_that_starts_and_has_no_node_yet_is_running_and_not_waiting() -> None:
    found = seen(on(None))
    assert (found.running, found.waiting, found.nodes[0].seats_used) == (1, 0, 0)


def test_a_server_on_a_down_node_holds_its_seat_and_does_not_run() -> None:
    down = replace(NODE, state="down")
    found = seen(on("n1"), nodes=(down,))
    assert (found.running, found.nodes[0].seats_used) == (0, 1)


def test_a_node_whose_labels_disagree_has_no_instance_and_stops_nobody() -> None:
    odd = replace(NODE, node_id="n2", engine_label="i-00000000000000002")
    assert [node.instance_id for node in seen(nodes=(NODE, odd)).nodes] == [NODE.node_label, None]


def test_a_node_that_has_not_reported_its_size_has_no_seats() -> None:
    assert seen(nodes=(replace(NODE, memory_bytes=0, nano_cpus=0),)).nodes[0].seats == 0


def test_the_first_snapshot_is_news() -> None:
    assert Sent().is_news(line_of(0))


def test_the_same_again_is_news_only_after_half_a_minute() -> None:
    sent = Sent().after(line_of(0))
    assert not sent.is_news(line_of(0, NOW + WRITE_AFTER_S - 0.1))
    assert sent.is_news(line_of(0, NOW + WRITE_AFTER_S))


@pytest.mark.parametrize(
    "change",
    [{"availability": "pause"}, {"state": "down"}, {"seats_used": 1}, {"node_id": "n9"}],
)
def test_every_change_of_a_node_is_news(change: dict[str, Any]) -> None:
    sent, later = Sent().after(seen()), replace(seen(), taken_at=NOW + 1)
    assert not sent.is_news(later)
    assert sent.is_news(replace(later, nodes=(replace(later.nodes[0], **change),)))


def test_the_first_student_who_waits_is_reported_at_once() -> None:
    assert Sent().after(line_of(0)).call_due_in(line_of(1)) == 0


def test_nobody_waits_and_nothing_is_reported() -> None:
    assert Sent().call_due_in(line_of(0)) is None


def test_the_same_line_is_reported_once() -> None:
    sent = Sent().after_call(line_of(2))
    assert sent.call_due_in(line_of(2, NOW + 60)) is None
    assert sent.call_due_in(line_of(1, NOW + 60)) is None


def test_a_line_that_grows_is_reported_again_but_not_within_two_seconds() -> None:
    sent = Sent().after_call(line_of(1))
    assert sent.call_due_in(line_of(3, NOW + 0.5)) == BETWEEN_SHORTAGES_S - 0.5
    assert sent.call_due_in(line_of(3, NOW + BETWEEN_SHORTAGES_S)) == 0


def test_a_line_that_forms_again_is_reported_again() -> None:
    sent = Sent().after_call(line_of(3)).after(line_of(0, NOW + 9))
    assert sent.call_due_in(line_of(1, NOW + 10)) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.1, 3))))
def test_every_growth_is_reported_in_time_and_never_two_within_two_seconds(
    steps: list[tuple[int, float]],
) -> None:
    sent, at, calls = Sent(), NOW, []
    for waiting, passed_s in steps:
        at += passed_s
        found = line_of(waiting, at)
        grown = sent.snapshot is not None and waiting > sent.snapshot.waiting
        sent = sent.after(found)
        due = sent.call_due_in(found)
        assert due is None or 0 <= due <= BETWEEN_SHORTAGES_S
        assert not grown or due is not None
        if due == 0:
            sent = sent.after_call(found)
            calls.append(at)
    assert all(
        later - earlier >= BETWEEN_SHORTAGES_S - 1e-6
        for earlier, later in itertools.pairwise(calls)
    )


def test_the_hub_and_its_host_mean_the_same_by_a_server_in_line() -> None:
    assert labels.WAITS_FOR_A_SEAT == task_spec.WAITS_FOR_A_SEAT
    assert (labels.USER, labels.SERVER, labels.SERVICE, labels.CLUSTER) == (
        task_spec.USER_LABEL,
        task_spec.SERVER_LABEL,
        task_spec.SERVICE_LABEL,
        task_spec.CLUSTER_LABEL,
    )


def service(user: str, created_at: float = NOW, cluster: str | None = None) -> StudentService:
    server = Server(user, "", f"jupyter-{user}")
    return StudentService(f"id-of-{user}", server, created_at, cluster)


def sent_for(cluster: str, answer: HubAnswer | None, *, own: bool) -> HubSeen | None:
    return snapshot_of(cluster, NOW, (), (), SEAT, OVERHEAD, answer, own=own).hub


def test_services_that_the_hub_does_not_know_are_reported_the_oldest_first() -> None:
    services = [service("ada", NOW - 5), service("bob", NOW - 9), service("eve", NOW - 99)]
    answer = HubAnswer(services, frozenset({("eve", ""), ("fay", "")}))
    unknown = (ServiceSeen("id-of-bob", NOW - 9), ServiceSeen("id-of-ada", NOW - 5))
    assert sent_for("lab", answer, own=True) == HubSeen(2, unknown)
    assert sent_for("lab", None, own=True) is None


def test_another_server_of_the_same_student_is_another_service() -> None:
    named = StudentService("id", Server("ada", "lab-2", "jupyter-ada--lab-2d2"), NOW)
    answer = HubAnswer([service("ada"), named], frozenset({("ada", "")}))
    assert sent_for("lab", answer, own=True) == HubSeen(1, (ServiceSeen("id", NOW),))


def test_each_cluster_gets_a_report_of_the_services_on_its_own_seats() -> None:
    services = [service("ada"), service("bob", cluster="lab"), service("eve", cluster="lab-gpu")]
    answer = HubAnswer(services, frozenset({("fay", "")}))
    for cluster, own, users in (("lab", True, ("ada", "bob")), ("lab-gpu", False, ("eve",))):
        seen_of = tuple(ServiceSeen(f"id-of-{user}", NOW) for user in users)
        assert sent_for(cluster, answer, own=own) == HubSeen(1, seen_of)


def test_of_thousands_a_hundred_are_reported_which_an_item_has_room_for() -> None:
    services = [service(f"u{number:04}", NOW - number) for number in range(7000)]
    running = [on("n2", f"student-{number:04}@example.edu") for number in range(7000)]
    seen_of = snapshot_of(
        "lab", NOW, [NODE] * 1000, running, SEAT, OVERHEAD, HubAnswer(services, frozenset())
    )
    assert seen_of.hub is not None
    assert seen_of.running == 7000
    assert 0 < len(seen_of.students) < 7000, "the others are counted without a name"
    assert [s.service_id for s in seen_of.hub.unknown[:2]] == ["id-of-u6999", "id-of-u6998"]
    assert len(seen_of.hub.unknown) == 100
    assert len(seen_of.to_json()) < 300_000, "an item of DynamoDB has 400 KB"


def test_the_students_are_those_whose_servers_run_once_for_each_server() -> None:
    down = replace(NODE, node_id="n2", state="down")
    second = StudentTask(Server("ada", "lab-2", "jupyter-ada--lab-2d2"), "n1", waits=False)
    tasks = (on("n1", "bob"), on("n1"), second, on("n2", "fay"), in_line())

    found = snapshot_of("lab", NOW, (NODE, down), tasks, SEAT, OVERHEAD)

    assert found.students == ("ada", "ada", "bob")
    assert Snapshot.parse(found.to_json()).students == ("ada", "ada", "bob")
    older = {key: value for key, value in json.loads(found.to_json()).items() if key != "students"}
    assert Snapshot.parse(json.dumps(older)).students == ()
