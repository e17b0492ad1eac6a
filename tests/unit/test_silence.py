"""What decides nothing is noticed, whatever keeps it from it: its schedule's function fails.

An alarm is on each such function (tests/unit/test_app_deliveries.py).
"""

from collections.abc import Callable

import pytest
from tests.simulation.faults import Fault
from tests.simulation.world import RECONCILE, World


def chef_server_stops(world: World) -> None:
    world.chef.up = False


def hub_falls_silent(world: World) -> None:
    world._snapshots.write = lambda *_: False  # type: ignore[method-assign]


def comparison_fails(world: World) -> None:
    world.faults.tasks.append(Fault(RECONCILE, "Compare", "permanent", 1000))


def machine_fails(world: World) -> None:
    world.faults.tasks.append(Fault(RECONCILE, "Clusters", "permanent", 1000))


def failures(world: World, function: str, seconds: float) -> list[str]:
    """What the function's invocations of the next so many seconds failed with."""
    before = len(world.dead_letters)
    world.time.run(seconds)
    return [why for name, why in world.dead_letters[before:] if name == function]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "happens", [chef_server_stops, hub_falls_silent, comparison_fails, machine_fails]
)
def test_passes_that_decide_nothing_fail_each_five_minutes_until_one_decides(
    happens: Callable[[World], None], workers: int
) -> None:
    with World(5, ticks=True) as world:
        if workers:
            world.opened(workers)
        assert failures(world, "begin_passes", 1800) == []
        written = world._snapshots.write

        happens(world)
        # A cluster at rest is looked at each hour.
        failures(world, "begin_passes", 4200)
        told = failures(world, "begin_passes", 1800)

        assert len(told) == 6
        assert all(why.startswith("lab: no pass has decided anything for ") for why in told)
        world.chef.up, world._snapshots.write = True, written  # type: ignore[method-assign]
        world.faults.tasks.clear()
        world.time.run(600)
        assert failures(world, "begin_passes", 1800) == []


def test_a_hub_that_is_silent_fails_each_minute_s_decision() -> None:
    with World(6, ticks=True) as world:
        world.opened(1)
        hub_falls_silent(world)
        world.time.run(121)

        told = failures(world, "decide_nodes", 300)
        assert len(told) == 5
        assert all(why.startswith("not decided: lab: the snapshot is ") for why in told)
