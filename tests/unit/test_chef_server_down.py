"""The Chef Server away for a while: launches are held, terminations end, and all recovers by
itself.
"""

from tests.simulation.simulation import ASG, CLUSTER, Simulation

FAILED_BEFORE_HELD = 3


def test_launches_are_abandoned_and_held_and_go_on_by_themselves_when_it_is_back() -> None:
    with Simulation(3, ticks=True) as simulation:
        simulation.chef.up = False
        simulation.classroom.sit("s1")
        simulation.time.run(3600)
        down_for_an_hour = len(simulation.executions("labswarm-node-launch"))
        endings = [how for noted in simulation.group.endings.values() for _, how in noted]
        assert "timed out ABANDON" not in endings, simulation.report()
        assert simulation.open_workers() == []
        # Three at once after one another, and then one in ten minutes.
        assert FAILED_BEFORE_HELD < down_for_an_hour <= FAILED_BEFORE_HELD + 6, simulation.report()
        assert simulation.swarm.tasks()[0].waits

        simulation.chef.up = True
        assert simulation.time.run_until(lambda: bool(simulation.open_workers()), 900), (
            simulation.report()
        )
        assert simulation.time.run_until(lambda: not simulation.swarm.tasks()[0].waits, 60)
        assert simulation.settle()
        # Nothing more is held: the class grows as fast as before.
        for number in range(2, 9):
            simulation.classroom.sit(f"s{number}")
        assert simulation.time.run_until(lambda: len(simulation.open_workers()) == 3, 300), (
            simulation.report()
        )


def test_a_termination_completes_and_its_identity_is_removed_once_it_is_back() -> None:
    with Simulation(4) as simulation:
        simulation.opened(2)
        simulation.chef.up = False
        leaving = simulation.open_workers()[0]
        simulation.groups.terminate_instance_in_auto_scaling_group(leaving, True)
        assert simulation.settle(), simulation.report()
        assert simulation.group.endings[leaving][-1][1] == "completed CONTINUE"
        assert f"{CLUSTER}-{leaving}" in simulation.chef.clients

        simulation.chef.up = True
        for _ in range(3):
            simulation.time.run(300)
            simulation.start("labswarm-reconcile", {"cluster": None, "dry_run": False})
            assert simulation.settle()
        assert simulation.traces() == []
        assert leaving not in simulation.groups.groups[ASG].instances
