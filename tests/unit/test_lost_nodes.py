"""A worker whose node the Swarm has lost: the whole app over a day in virtual time."""

from tests.simulation.world import CLUSTER, PASS, RECONCILE, World


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


def cut_all(world: World) -> list[str]:
    """Three workers, none of which is heard of."""
    workers = world.opened(3)
    for instance_id in workers:
        world.cut(instance_id)
    world.time.run(60)
    return workers


def test_workers_that_are_heard_of_again_are_left_alone_also_when_it_was_all_of_them() -> None:
    with World(1) as world:
        workers = cut_all(world)
        passes(world, 1)
        for instance_id in workers:
            world.heal(instance_id)
        world.time.run(30)
        passes(world, 3)
        assert (world.open_workers(), world.traces()) == (workers, [])


def test_when_all_workers_are_lost_one_s_successor_shows_that_it_is_not_the_hub() -> None:
    with World(1) as world:
        workers = cut_all(world)
        passes(world, 2)
        assert len(set(workers) & set(world.group.instances)) == 2, "no more than one at first"
        passes(world, 3)
        assert not set(workers) & set(world.group.instances)
        assert (len(world.open_workers()), world.traces()) == (3, [])
