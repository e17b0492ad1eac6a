"""A worker whose node the Swarm has lost: the whole app over a day in virtual time."""

from tests.simulation.simulation import CLUSTER, PASS, RECONCILE, Simulation


def passes(simulation: Simulation, count: int) -> None:
    """So many passes, five minutes apart."""
    for _ in range(count):
        simulation.start(RECONCILE, PASS)
        simulation.time.run(300)
        assert simulation.settle(), simulation.report()


def test_a_worker_that_is_cut_off_for_good_is_replaced_and_its_students_can_come_back() -> None:
    with Simulation(1) as simulation:
        simulation.opened(2)
        simulation.classroom.sit("s1")
        lost = simulation.classroom.worker_of("s1")
        assert lost is not None
        simulation.cut(lost)
        simulation.time.run(60)
        assert simulation.classroom.hub.running("s1", "") == "absent", "the hub's poll has found it"
        simulation.classroom.sit("s1")
        assert simulation.classroom.worker_of("s1") in simulation.open_workers()

        passes(simulation, 1)
        assert lost in simulation.group.instances, "one pass may be wrong"
        passes(simulation, 2)

        assert lost not in simulation.group.instances
        assert simulation.group.desired == len(simulation.open_workers()) == 2
        assert simulation.traces() == []
        assert simulation.classroom.worker_of("s1") in simulation.open_workers()
        assert {cut.instance_id for cut in simulation.classroom.cuts} == {lost}


def test_a_worker_that_is_heard_of_again_in_time_is_left_alone_and_its_mark_is_gone() -> None:
    with Simulation(1) as simulation:
        workers = simulation.opened(2)
        simulation.cut(workers[0])
        simulation.time.run(60)
        passes(simulation, 1)
        marked = simulation.passes.read_pass(CLUSTER)
        assert marked is not None
        assert list(marked.first_seen) == [f"instance {workers[0]}"]

        simulation.heal(workers[0])
        simulation.time.run(30)
        passes(simulation, 3)

        assert simulation.open_workers() == workers
        kept = simulation.passes.read_pass(CLUSTER)
        assert kept is not None
        assert kept.first_seen == {}


def cut_all(simulation: Simulation) -> list[str]:
    """Three workers, all silent."""
    workers = simulation.opened(3)
    for instance_id in workers:
        simulation.cut(instance_id)
    simulation.time.run(60)
    return workers


def test_workers_that_are_heard_of_again_are_left_alone_also_when_it_was_all_of_them() -> None:
    with Simulation(1) as simulation:
        workers = cut_all(simulation)
        passes(simulation, 1)
        for instance_id in workers:
            simulation.heal(instance_id)
        simulation.time.run(30)
        passes(simulation, 3)
        assert (simulation.open_workers(), simulation.traces()) == (workers, [])


def test_when_all_workers_are_lost_one_s_successor_shows_that_it_is_not_the_hub() -> None:
    with Simulation(1) as simulation:
        workers = cut_all(simulation)
        passes(simulation, 2)
        assert len(set(workers) & set(simulation.group.instances)) == 2, "no more than one at first"
        passes(simulation, 3)
        assert not set(workers) & set(simulation.group.instances)
        assert (len(simulation.open_workers()), simulation.traces()) == (3, [])
