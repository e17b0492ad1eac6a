"""Students on a node that goes are waited for without a function, until something changes."""

from dataclasses import replace

import pytest
from tests.simulation.simulation import Simulation
from tests.support.app_twins import INSTANCE, OTHER
from tests.support.claims import INTERRUPTION, Bench, read
from tests.twins.snapshot import MemorySnapshots
from tests.twins.tasks import TwinTasks

from labswarm.errors import Permanent
from labswarm.groups import Member
from labswarm.lifecycle.empty import Emptying, reason_to_look
from labswarm.lifecycle.ledger import Claim, Command
from labswarm.lifecycle.work import Work
from labswarm.snapshot import NodeSeen, Snapshot

TERMINATE = read("terminate")
PAUSED_AT = 1_793_713_520


def claim(bench: Bench) -> Claim:
    found = bench.ledger.read_claim(INSTANCE, "terminate")
    assert found is not None
    return found


def paused() -> Claim:
    bench = Bench()
    bench.claim(TERMINATE)
    return claim(bench).with_command("manager-pause", Command(1, PAUSED_AT, answered=True))


def seen(used: int, state: str = "ready", taken_at: float = PAUSED_AT + 10) -> Snapshot:
    node = NodeSeen("node", INSTANCE, state, "pause", 3, used, "2026-11-03T13:00:00Z")
    other = replace(node, node_id="other", instance_id="i-0fffffffffffffff0", seats_used=3)
    return Snapshot("lab", taken_at, (node, other), used + 3, 0)


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (seen(2), None),
        (seen(0), "empty"),
        (seen(2, "down"), "empty"),
        (replace(seen(0), nodes=()), "empty"),
        # A server that was placed just before the pause may not be in it.
        (seen(0, taken_at=PAUSED_AT + 1), None),
        (seen(0, taken_at=PAUSED_AT - 100), None),
        (None, None),
    ],
)
def test_the_newest_snapshot_says_whether_the_node_is_empty(
    snapshot: Snapshot | None, reason: str | None
) -> None:
    assert reason_to_look(paused(), snapshot, 600, PAUSED_AT + 20) == reason


@pytest.mark.parametrize("snapshot", [None, seen(0, taken_at=PAUSED_AT - 100)])
def test_without_a_new_snapshot_the_hub_is_asked_each_minute(snapshot: Snapshot | None) -> None:
    assert reason_to_look(paused(), snapshot, 600, PAUSED_AT + 60) == "unknown"


def test_the_end_of_their_time_and_an_interruption_are_reasons() -> None:
    assert reason_to_look(paused(), seen(2), 0, PAUSED_AT + 20) == "time"
    urgent = replace(paused(), urgent=True)
    assert reason_to_look(urgent, seen(2), 600, PAUSED_AT + 20) == "interrupted"


def terminating() -> tuple[Bench, Work]:
    bench = Bench()
    bench.tasks = TwinTasks("t1")
    bench.groups.members[INSTANCE] = Member(TERMINATE.asg, "Terminating:Wait")
    work = bench.claim(TERMINATE)
    assert isinstance(work, Work)
    return bench, work


def over(bench: Bench, snapshot: Snapshot | None) -> Emptying:
    snapshots = MemorySnapshots()
    if snapshot:
        snapshots.write_snapshot(snapshot)
    return Emptying(bench.ledger, snapshots, bench.tasks, bench.clock)


def test_the_minute_ends_the_wait_on_a_node_that_has_emptied() -> None:
    bench, work = terminating()
    now = bench.clock.now()
    assert over(bench, seen(2, taken_at=now)).await_empty(work, "t1") is None
    bench.clock.sleep(30)

    occupied = over(bench, seen(2, taken_at=now + 20)).end_waits("lab", [claim(bench)])
    empty = over(bench, seen(0, taken_at=now + 20)).end_waits("lab", [claim(bench)])

    assert (occupied, empty) == (0, 1)
    assert bench.tasks.ended == {"t1": {"reason": "empty"}}


def test_the_minute_reads_nothing_when_nobody_waits() -> None:
    bench, _ = terminating()
    emptying = Emptying(bench.ledger, None, bench.tasks, bench.clock)  # type: ignore[arg-type]

    assert emptying.end_waits("lab", [claim(bench)]) == 0


def test_a_task_waits_until_ec2_takes_the_node_back() -> None:
    bench, work = terminating()
    now = bench.clock.now()
    emptying = over(bench, seen(2, taken_at=now))

    assert emptying.await_empty(work, "t1") is None
    assert bench.tasks.ended == {}
    bench.claim(INTERRUPTION, OTHER)

    assert bench.tasks.ended == {"t1": {"reason": "interrupted"}}


def test_a_reason_ends_the_wait_at_once() -> None:
    bench, work = terminating()
    bench.claim(INTERRUPTION, OTHER)

    assert over(bench, None).await_empty(work, "t1") == "interrupted"
    assert bench.tasks.ended == {"t1": {"reason": "interrupted"}}


def test_only_the_owner_of_the_claim_waits() -> None:
    bench, work = terminating()

    with pytest.raises(Permanent, match="does not hold this claim"):
        over(bench, None).await_empty(replace(work, owner=OTHER), "t1")


@pytest.mark.parametrize(
    ("left_s", "look_s"), [(900, 300), (600, 300), (301, 151), (20, 20), (0, 1)]
)
def test_the_last_look_is_when_their_time_is_over(left_s: int, look_s: int) -> None:
    bench = Bench()
    cluster = bench.cluster(empty_deadline_s=left_s)
    work = Work.begun(TERMINATE, cluster, OTHER, 600, TERMINATE.at)

    assert work.look_s == look_s


def test_a_node_that_has_emptied_leaves_before_the_time_is_over() -> None:
    with Simulation(empty_deadline_s=900) as simulation:
        first, _ = simulation.opened(2)
        simulation.classroom.sit("s1")
        going = simulation.classroom.worker_of("s1") or first
        simulation.groups.terminate_instance_in_auto_scaling_group(going, True)
        simulation.time.run(200)
        simulation.classroom.leave("s1")

        assert simulation.settle(120), simulation.report()
        assert simulation.classroom.cuts == []
