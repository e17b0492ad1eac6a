"""The Swarm's view of servers' tasks and of nodes, and the turns for a seat."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.hub_settings import task

from labswarm.seats import Seat, SeatedNode
from labswarm_hub import tasks
from labswarm_hub.seating import Seating
from labswarm_hub.task_spec import CLUSTER_LABEL


def node(**changes: Any) -> dict[str, Any]:
    return {
        "ID": "node1",
        "Spec": {"Role": "worker", "Availability": "active"},
        "Status": {"State": "ready"},
        "Description": {"Resources": {"MemoryBytes": 2048, "NanoCPUs": 10**9}},
    } | changes


class TestTask:
    @pytest.mark.parametrize("state", ["new", "pending", "assigned", "preparing", "running"])
    def test_a_server_that_runs_or_is_to_run_has_not_ended(self, state: str) -> None:
        assert tasks.end_of(task(state=state)) is None

    @pytest.mark.parametrize("state", ["complete", "failed", "shutdown", "rejected", "orphaned"])
    def test_a_server_whose_task_is_over_has_ended_and_says_why(self, state: str) -> None:
        over = task(state=state, wanted="shutdown")
        over["Status"]["Err"] = "task: non-zero exit (137)"
        assert "137" in (tasks.end_of(over) or "")

    def test_the_last_word_of_a_lost_node_is_not_believed(self) -> None:
        assert tasks.end_of(task(state="running", wanted="shutdown")) is not None

    def test_the_newest_task_counts(self) -> None:
        old = task(state="failed", CreatedAt="2026-01-01T00:00:00.1Z", ID="old")
        new = task(state="running", CreatedAt="2026-01-01T00:00:00.2Z", ID="new")
        newest = tasks.newest([old, new, task("jupyter-bob")], "id-of-jupyter-ada")
        assert newest is new

    def test_the_old_server_lingers_until_its_container_is_gone(self) -> None:
        dying = task(state="running", wanted="remove")
        assert tasks.lingering([dying], [node()], "jupyter-ada")
        assert not tasks.lingering([dying], [node()], "jupyter-bob")
        assert not tasks.lingering([task(state="shutdown")], [node()], "jupyter-ada")

    def test_nobody_waits_for_a_task_on_a_node_that_is_down(self) -> None:
        down = node(Status={"State": "down"})
        assert not tasks.lingering([task(wanted="remove")], [down], "jupyter-ada")

    def test_the_address_is_the_one_on_the_hubs_network(self) -> None:
        attached = task(
            NetworksAttachments=[
                {"Network": {"Spec": {"Name": "other"}}, "Addresses": ["10.1.0.2/24"]},
                {"Network": {"Spec": {"Name": "labswarm"}}, "Addresses": ["10.2.0.9/20"]},
            ]
        )
        assert tasks.address(attached, "labswarm") == "10.2.0.9"
        assert tasks.address(task(), "labswarm") is None


class TestNode:
    SEAT, OVERHEAD = Seat(512, 1), Seat(512, 0)

    def seated(self, **changes: Any) -> SeatedNode:
        return tasks.seated(node(**changes), self.SEAT, self.OVERHEAD)

    def test_a_ready_active_worker_is_open(self) -> None:
        assert self.seated() == SeatedNode("node1", seats=3, open=True)

    @pytest.mark.parametrize(
        "changes",
        [
            {"Spec": {"Role": "manager", "Availability": "active"}},
            {"Spec": {"Role": "worker", "Availability": "pause"}},
            {"Spec": {"Role": "worker", "Availability": "drain"}},
            {"Status": {"State": "down"}},
            {"Status": {"State": "unknown"}},
        ],
    )
    def test_any_other_is_not(self, changes: Mapping[str, Any]) -> None:
        assert not self.seated(**changes).open

    def test_a_node_that_has_not_said_its_size_has_no_seat(self) -> None:
        assert self.seated(Description={"Resources": {}}).seats == 0

    def test_a_node_is_of_the_cluster_that_its_labels_say(self) -> None:
        engine = {"Engine": {"Labels": {CLUSTER_LABEL: "lab-gpu"}}}
        labelled = {"Role": "worker", "Availability": "active", "Labels": {CLUSTER_LABEL: "lab-a"}}
        assert tasks.cluster_of(node()) is None
        assert tasks.cluster_of(node(Description=engine)) == "lab-gpu"
        assert tasks.cluster_of(node(Description=engine, Spec=labelled)) == "lab-a"


class TestSeating:
    NODE = SeatedNode("node1", seats=2)

    def test_a_start_in_flight_keeps_its_seat(self) -> None:
        seating = Seating()
        given = [seating.take(name, [self.NODE], []) for name in ("a", "b", "c")]
        assert given == ["node1", "node1", None]

    def test_a_start_is_not_counted_twice_once_it_is_a_task(self) -> None:
        seating = Seating()
        seating.take("a", [self.NODE], [])
        assert seating.take("b", [self.NODE], [task("a")]) == "node1"

    def test_seats_go_to_those_who_came_first(self) -> None:
        seating = Seating()
        for name in ("first", "second", "third"):
            assert seating.take(name, [], []) is None
        one_seat = [SeatedNode("node1", seats=1)]
        assert seating.take("third", one_seat, []) is None
        assert seating.take("second", one_seat, []) is None
        assert seating.take("first", one_seat, []) == "node1"
        assert (seating.waiting, seating.place("second"), seating.place("third")) == (2, 1, 2)

    def test_who_gives_up_frees_the_place_in_line(self) -> None:
        seating = Seating()
        seating.take("first", [], [])
        seating.take("second", [], [])
        seating.settle("first")
        assert seating.take("second", [SeatedNode("node1", seats=1)], []) == "node1"

    def test_who_lost_a_seat_to_no_fault_goes_to_the_front(self) -> None:
        seating = Seating()
        seating.take("unlucky", [SeatedNode("node1", seats=1)], [])
        seating.take("later", [], [])
        seating.take("unlucky", [], [])
        assert seating.place("unlucky") == 1

    def test_an_ended_server_takes_no_seat(self) -> None:
        ended = [task("x", state="failed"), task("y", state="complete")]
        assert Seating().take("a", [self.NODE], ended) == "node1"

    def test_a_server_that_is_still_ending_takes_its_seat(self) -> None:
        ending = [task("x", wanted="remove"), task("y", wanted="remove")]
        assert Seating().take("a", [self.NODE], ending) is None
