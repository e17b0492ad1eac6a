"""The Chef Server away for a while: launches are held, terminations end, and all mends itself."""

from tests.simulation.world import ASG, CLUSTER, World

FAILED_BEFORE_HELD = 3


def test_launches_are_abandoned_and_held_and_go_on_by_themselves_when_it_is_back() -> None:
    with World(3, ticks=True) as world:
        world.chef.up = False
        world.classroom.sit("s1")
        world.time.run(3600)
        down_for_an_hour = len(world.executions("labswarm-node-launch"))
        endings = [how for noted in world.group.endings.values() for _, how in noted]
        assert "timed out ABANDON" not in endings, world.told()
        assert world.open_workers() == []
        # Three at once after one another, and then one in ten minutes.
        assert FAILED_BEFORE_HELD < down_for_an_hour <= FAILED_BEFORE_HELD + 6, world.told()
        assert world.swarm.tasks()[0].waits

        world.chef.up = True
        assert world.time.run_until(lambda: bool(world.open_workers()), 900), world.told()
        assert world.time.run_until(lambda: not world.swarm.tasks()[0].waits, 60)
        assert world.settle()
        # Nothing more is held: the class grows as fast as before.
        for number in range(2, 9):
            world.classroom.sit(f"s{number}")
        assert world.time.run_until(lambda: len(world.open_workers()) == 3, 300), world.told()


def test_a_termination_completes_and_its_identity_is_removed_once_it_is_back() -> None:
    with World(4) as world:
        world.opened(2)
        world.chef.up = False
        leaving = world.open_workers()[0]
        world.groups.terminate_instance_in_auto_scaling_group(leaving, True)
        assert world.settle(), world.told()
        assert world.group.endings[leaving][-1][1] == "completed CONTINUE"
        assert f"{CLUSTER}-{leaving}" in world.chef.clients

        world.chef.up = True
        for _ in range(3):
            world.time.run(300)
            world.start("labswarm-reconcile", {"cluster": None, "dry_run": False})
            assert world.settle()
        assert world.traces() == []
        assert leaving not in world.groups.groups[ASG].instances
