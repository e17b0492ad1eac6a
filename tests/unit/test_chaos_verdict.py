"""The verdict names each thing that is wrong after a run, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from tests.chaos.hub_log import Ending
from tests.chaos.injector import Injected
from tests.chaos.schedule import BY_NAME, Fault
from tests.chaos.students import Leave
from tests.chaos.verdict import (
    Seen,
    cut_off,
    early,
    ghosts,
    hung,
    instances_of,
    unrest,
    unwell,
)

from labswarm_node.swarm import Server, StudentTask, SwarmNode

GONE = "i-9"


def worker(instance: str, state: str = "ready", node_id: str = "") -> SwarmNode:
    return SwarmNode(
        node_id or f"n-{instance}", "worker", state, "active", instance, None, 1, 1, ""
    )


def sides(instance: str, **sides: str | None) -> dict[str, Any]:
    return {"instance_id": instance, "swarm": "ready", "chef": "known"} | sides


def task(node: str | None) -> StudentTask:
    return StudentTask(Server("w01", "", "jupyter-w01"), node, waits=node is None)


MANAGER = SwarmNode("n-hub", "manager", "ready", "active", None, "i-hub", 1, 1, "")
CALM = Seen(
    status={
        "nodes": [sides("i-1"), sides("i-2")],
        "hub": {"healthy": True},
        "chef": "stand-in",
        "alarms": [],
    },
    swarm=[MANAGER, worker("i-1"), worker("i-2")],
    group={"i-1": "InService", "i-2": "InService"},
    desired=2,
    online=frozenset({"i-hub", "i-1", "i-2"}),
    open_claims=[],
    running=[],
    tasks=[],
)


def status(**changed: Any) -> Seen:
    return replace(CALM, status={**CALM.status, **changed})


def test_of_a_calm_lab_nothing_is_said() -> None:
    assert unrest(CALM) == []


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (
            replace(CALM, swarm=[*CALM.swarm, worker(GONE, "down", "n-9")]),
            "the Swarm has node n-9 of i-9, which is gone",
        ),
        (
            replace(CALM, swarm=[*CALM.swarm, worker(GONE, "ready", "n-9")]),
            "the Swarm has node n-9 of i-9, which is gone",
        ),
        (
            replace(CALM, swarm=[*CALM.swarm, worker("i-1", "down", "n-0")]),
            "the Swarm's node of i-1 is down, beside one that is ready",
        ),
        (
            replace(CALM, swarm=[MANAGER, worker("i-1"), worker("i-2", "down")]),
            "the Swarm's node of i-2 is down",
        ),
        (
            replace(CALM, swarm=[*CALM.swarm, worker("i-1", node_id="n-0")]),
            "i-1 is two nodes of the Swarm",
        ),
        (
            status(nodes=[*CALM.status["nodes"], sides(GONE, swarm=None, chef="client")]),
            "the Chef Server has i-9 (client), which is gone",
        ),
        (
            status(nodes=[sides("i-1"), sides("i-2", chef="node")]),
            "the Chef Server has of i-2 only node",
        ),
        (
            status(nodes=[sides("i-1"), sides("i-2", swarm=None)]),
            "the Swarm does not have i-2",
        ),
        (
            replace(CALM, tasks=[task("n-i-1"), task("n-i-2")]),
            "jupyter-w01 runs on n-i-1 and n-i-2",
        ),
        (replace(CALM, online=CALM.online | {GONE}), "SSM has i-9, which is gone"),
        (replace(CALM, online=CALM.online - {"i-2"}), "SSM does not have i-2"),
    ],
)
def test_a_ghost_on_any_side_is_found(seen: Seen, sentence: str) -> None:
    assert ghosts(seen) == [sentence]
    assert unrest(seen) == [sentence]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (
            replace(CALM, group={"i-1": "InService", "i-2": "Terminating:Wait"}),
            "i-2 is Terminating:Wait",
        ),
        (replace(CALM, desired=3), "the group has 2 instances and wants 3"),
        (
            replace(CALM, open_claims=[("i-9", "terminate")]),
            "the ledger's claim on i-9, terminate, is open",
        ),
        (
            replace(CALM, running=["arn:aws:states:eu-west-1:1:execution:m:x"]),
            "the execution x runs",
        ),
    ],
)
def test_hanging_work_is_found(seen: Seen, sentence: str) -> None:
    assert hung(seen) == [sentence]
    assert unrest(seen) == [sentence]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (status(hub={"healthy": False}), "the hub is not healthy"),
        (status(chef="unreachable"), "the Chef Server is unreachable"),
        (status(alarms=[{"name": "LastResorts", "reason": "1"}]), "LastResorts is on: 1"),
    ],
)
def test_unhealthy_parts_are_found(seen: Seen, sentence: str) -> None:
    assert unwell(seen) == [sentence]
    assert unrest(seen) == [sentence]


INSTANCES = {"n-1": "i-1", "n-2": "i-2"}
KILLED = [Injected(Fault(BY_NAME["kill"], 0.0, 0.0, 0.5), at=100.0, instance="i-1")]


def ending(node: str | None = "n-1", at: float = 120.0, who: str = "") -> Ending:
    return Ending("w01", at, node, who, "its node is down")


@pytest.mark.parametrize(
    "explained",
    [ending(), ending(who="labswarm-manager")],
    ids=["died with its node", "was moved off it"],
)
def test_an_ending_by_a_kill_is_no_cutting_off(explained: Ending) -> None:
    assert cut_off([explained], KILLED, INSTANCES) == []


def fault(kind: str, at: float, until: float | None = None, node: str | None = None) -> Injected:
    return Injected(Fault(BY_NAME[kind], 0.0, 0.0, 0.5), at, node, until)


WARNED = fault("interrupt", 100.0, 102.0, "i-1")


@pytest.mark.parametrize(
    ("explained", "more"),
    [
        (ending(who="labswarm-manager"), []),
        (ending(at=221.0), []),
        (ending(), [fault("kill", 110.0, node="i-1")]),
        (ending(), [fault("hub-restart", 115.0, 130.0)]),
    ],
    ids=["it was moved", "EC2 has killed it", "so has a fault", "who asked a killed hub is lost"],
)
def test_before_ec2_s_kill_a_move_explains_an_ending_on_a_node_it_has_warned_of(
    explained: Ending, more: list[Injected]
) -> None:
    assert cut_off([explained], [WARNED, *more], INSTANCES) == []


@pytest.mark.parametrize(
    ("unexplained", "more"),
    [
        (ending(), []),
        (ending(who="idle-culler"), []),
        (ending(), [fault("hub-restart", 10.0, 25.0)]),
        (ending(), [fault("kill", 110.0, node="i-2")]),
    ],
    ids=["it was drained", "culled", "a hub before", "a kill elsewhere"],
)
def test_before_ec2_s_kill_an_ending_without_a_move_is_said(
    unexplained: Ending, more: list[Injected]
) -> None:
    assert len(cut_off([unexplained], [WARNED, *more], INSTANCES)) == 1


@pytest.mark.parametrize(
    "asked_for",
    [ending(who="w01"), ending(at=101.0), ending(at=130.0, who="labswarm-manager")],
    ids=["by the hub's log", "asked of a hub that was killed", "asked of a manager too"],
)
def test_an_ending_that_its_student_asked_for_is_not_early(asked_for: Ending) -> None:
    assert early([asked_for], {"w01": [Leave(10.0, 20.0), Leave(100.0, 160.0)]}) == []


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        (99.0, {"w01": [Leave(100.0, 160.0)]}),
        (121.0, {"w01": [Leave(100.0, 120.0)]}),
        (110.0, {"w02": [Leave(100.0, 120.0)]}),
        (110.0, {}),
    ],
    ids=["before it was asked for", "once there was another", "of another", "of nobody"],
)
def test_an_ending_that_its_student_did_not_ask_for_is_early(
    at: float, leaves: dict[str, list[Leave]]
) -> None:
    assert early([ending(at=at)], leaves) == [ending(at=at)]


@pytest.mark.parametrize(
    "unexplained",
    [
        ending(at=90.0),
        ending(node="n-2"),
        ending(node="n-2", who="labswarm-manager"),
        ending(node="n-2", who="idle-culler"),
        ending(node=None),
        ending(node="n-3"),
    ],
    ids=["before it", "elsewhere", "moved", "culled", "nowhere known", "of an unknown node"],
)
def test_an_ending_that_no_fault_explains_is_reported(unexplained: Ending) -> None:
    (sentence,) = cut_off([ending(), unexplained], KILLED, INSTANCES)
    assert sentence.startswith("w01's server on ")
    assert "ended early" in sentence


def test_a_node_that_joined_before_it_was_labelled_is_known_once_it_is() -> None:
    new = replace(worker("i-1", node_id="n-1"), node_label=None)
    assert instances_of([new]) == {}
    assert instances_of([new]) | instances_of([worker("i-1", node_id="n-1")]) == {"n-1": "i-1"}
