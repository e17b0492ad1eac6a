"""A node on which servers do not start is closed and replaced, and an alarm says so."""

from dataclasses import replace

from labswarm import labels
from labswarm.groups import Group
from labswarm.lab_hours.demand import Decision, Situation, decide
from labswarm.lab_hours.refusing import refusing, sentences, to_close
from labswarm.seats import Seat
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_node.docker_swarm import _student_task
from labswarm_node.snapshot import snapshot_of
from labswarm_node.swarm import Server, StudentTask, SwarmNode

NOW = 1_800_000_000.0


def node(
    number: int,
    used: int = 0,
    refused: int = 0,
    availability: str = "active",
    *,
    unfit: bool = False,
) -> NodeSeen:
    joined = "2026-11-24T08:00:00Z"
    return NodeSeen(
        f"n{number}", f"i-{number:08x}", "ready", availability, 7, used, joined, refused, unfit
    )


def decided(*nodes: NodeSeen, waiting: int = 0, desired: int | None = None) -> Decision:
    running = sum(each.seats_used for each in nodes)
    return decide(
        Situation(
            cluster="lab",
            now=NOW,
            snapshot=Snapshot("lab", NOW, nodes, running, waiting),
            group=Group(
                desired=len(nodes) if desired is None else desired,
                least=0,
                most=20,
                in_service=frozenset(str(each.instance_id) for each in nodes),
            ),
            bookings=(),
            headroom=2,
            ahead_s=300,
        )
    )


def test_a_node_that_two_servers_left_unstarted_is_paused_and_another_launched() -> None:
    decision = decided(node(1, used=1, refused=2), node(2, used=6))

    assert decision.pause == ("i-00000001",)
    assert decision.desired == 3
    assert "servers do not start on: i-00000001" in decision.reasons


def test_a_node_that_one_server_left_unstarted_stays_open() -> None:
    assert not decided(node(1, used=1, refused=1), node(2, used=6)).acts


def test_where_the_others_have_room_none_is_launched_for_it() -> None:
    decision = decided(node(1, used=1, refused=3), node(2, used=4), node(3, used=4))

    assert decision.pause == ("i-00000001",)
    assert decision.desired is None


def test_a_node_that_was_closed_is_not_opened_again_and_ends_when_it_is_empty() -> None:
    closed = node(1, refused=2, availability="pause")

    full = decided(closed, node(2, used=7), waiting=3)
    assert (full.activate, full.desired) == ((), 3)
    assert decided(closed, node(2, used=3)).terminate == ("i-00000001",)


def test_one_node_at_a_time_is_closed() -> None:
    """When the homes are lost everywhere, new nodes do not help."""
    lost = [node(number, refused=2 + number) for number in range(1, 5)]

    assert to_close(lost) == [lost[3]]
    closed = [*lost[:3], replace(lost[3], availability="pause")]
    assert to_close(closed) == []


def test_an_alarm_names_the_node_the_students_and_the_page() -> None:
    (sentence,) = sentences(refusing([node(1, refused=3), node(2)]))

    assert sentence.startswith("i-00000001: the servers of 3 students ended there")
    assert sentence.endswith(" Open docs/how-to/alarms.md#nodes-that-start-no-servers")


def test_a_node_that_reports_lost_homes_is_closed_replaced_and_named() -> None:
    lost = node(1, used=1, unfit=True)
    decision = decided(lost, node(2, used=6))

    assert (decision.pause, decision.desired) == (("i-00000001",), 3)
    (sentence,) = sentences([lost])
    assert sentence.startswith("i-00000001: it reports that its homes cannot be used")
    assert "1 students are on it" in sentence


def test_a_node_with_lost_homes_is_closed_before_one_that_refuses_servers() -> None:
    assert to_close([node(1, refused=5), node(2, unfit=True), node(3)]) == [node(2, unfit=True)]


# From the hub's label to the snapshot.

SEAT, OVERHEAD = Seat(512, 1), Seat(0, 0)


def worker(node_id: str) -> SwarmNode:
    return SwarmNode(
        node_id=node_id,
        role="worker",
        availability="active",
        state="ready",
        node_label=None,
        engine_label=None,
        memory_bytes=4096,
        nano_cpus=8,
        created_at="2026-11-24T08:00:00Z",
    )


def task(student: str, node_id: str | None, at: float, *refused_by: str) -> StudentTask:
    server = Server(student, "", f"jupyter-{student}")
    return StudentTask(server, node_id, node_id is None, None, frozenset(refused_by), at)


def refused(*tasks: StudentTask) -> dict[str, int]:
    seen = snapshot_of("lab", NOW, [worker("n1"), worker("n2")], tasks, SEAT, OVERHEAD)
    assert Snapshot.parse(seen.to_json()) == seen
    return {each.node_id: each.refused for each in seen.nodes}


def test_a_snapshot_counts_the_servers_that_did_not_start_on_a_node() -> None:
    first = task("first", "n1", 10)

    assert refused(first, task("ada", "n2", 20, "n1"), task("bob", None, 30, "n1")) == {
        "n1": 2,
        "n2": 0,
    }


def test_a_server_that_started_on_the_node_since_clears_it() -> None:
    ada = task("ada", "n2", 20, "n1")

    assert refused(ada, task("bob", "n2", 25, "n1"), task("eve", "n1", 22)) == {"n1": 1, "n2": 0}
    assert refused(ada, task("eve", "n1", 30)) == {"n1": 0, "n2": 0}


def test_a_snapshot_of_an_older_service_has_no_refusing_nodes() -> None:
    text = Snapshot("lab", NOW, (node(1),), 0, 0).to_json().replace(', "refused": 0', "")

    assert "refused" not in text
    assert Snapshot.parse(text).nodes[0].refused == 0


def test_the_nodes_are_read_from_the_label_of_the_servers_task() -> None:
    labelled = {labels.USER: "ada", labels.SERVER: "", labels.SERVICE: "jupyter-ada"}
    found = {
        "NodeID": "n2",
        "CreatedAt": "2027-01-15T08:00:00.123456789Z",
        "Status": {"State": "running"},
        "DesiredState": "running",
        "Spec": {"ContainerSpec": {"Labels": {**labelled, labels.REFUSED_BY: "n1,n3"}}},
    }

    assert _student_task(found).refused_by == {"n1", "n3"}
    assert int(_student_task(found).created_at) == NOW
    del found["Spec"]["ContainerSpec"]["Labels"][labels.REFUSED_BY]  # type: ignore[index]
    assert _student_task(found).refused_by == frozenset()
