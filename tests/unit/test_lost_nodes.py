"""A worker whose node the Swarm has lost: the whole app over a day in virtual time."""

import pytest
from tests.world.world import CLUSTER, PASS, RECONCILE, World


def passes(world: World, count: int) -> None:
    """So many passes, five minutes apart."""
    for _ in range(count):
        world.start(RECONCILE, PASS)
        world.time.run(300)
        assert world.settle(), world.told()


def test_a_worker_that_is_cut_off_for_good_is_replaced_and_its_students_can_come_back() -> None:
    with World(1) as world:
        world.opened(2)
        world.classroom.sit("s1")
        lost = world.classroom.worker_of("s1")
        assert lost is not None
        world.cut(lost)
        world.time.run(60)
        assert world.classroom.hub.running("s1", "") == "absent", "the hub's poll has found it"
        world.classroom.sit("s1")
        assert world.classroom.worker_of("s1") in world.open_workers()

        passes(world, 1)
        assert lost in world.group.instances, "one pass may be wrong"
        passes(world, 2)

        assert lost not in world.group.instances
        assert world.group.desired == len(world.open_workers()) == 2
        assert world.traces() == []
        assert world.classroom.worker_of("s1") in world.open_workers()
        assert {cut.instance_id for cut in world.classroom.cuts} == {lost}


def test_a_worker_that_is_heard_of_again_in_time_is_left_alone_and_its_mark_is_gone() -> None:
    with World(1) as world:
        workers = world.opened(2)
        world.cut(workers[0])
        world.time.run(60)
        passes(world, 1)
        marked = world.passes.read(CLUSTER)
        assert marked is not None
        assert list(marked.first_seen) == [f"instance {workers[0]}"]

        world.heal(workers[0])
        world.time.run(30)
        passes(world, 3)

        assert world.open_workers() == workers
        kept = world.passes.read(CLUSTER)
        assert kept is not None
        assert kept.first_seen == {}


@pytest.mark.parametrize("healed", [True, False])
def test_when_the_hub_hears_of_no_worker_none_is_replaced(healed: bool) -> None:
    with World(1) as world:
        workers = world.opened(3)
        for instance_id in workers:
            world.cut(instance_id)
        world.time.run(60)
        passes(world, 3)
        assert list(world.group.instances) == workers
        last = world.executions(RECONCILE)[-1].output
        assert last[0]["plan"]["why_not"] == [
            "the Swarm says that all 3 workers in service are down"
        ]

        # One that is heard of again says that it is the others.
        for instance_id in workers if healed else workers[:1]:
            world.heal(instance_id)
        passes(world, 4)

        assert world.traces() == []
        assert len(set(workers) & set(world.open_workers())) == (3 if healed else 1)
