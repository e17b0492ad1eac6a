"""Undecided clusters are noticed, for any cause: the scheduled function fails.

An alarm is on each such function (tests/unit/test_app_deliveries.py).
"""

from collections.abc import Callable

import pytest
from tests.simulation.faults import Fault
from tests.simulation.simulation import RECONCILE, Simulation


def chef_server_stops(simulation: Simulation) -> None:
    simulation.chef.up = False


def hub_falls_silent(simulation: Simulation) -> None:
    simulation._snapshots.write_snapshot = lambda *_: False  # type: ignore[method-assign]


def comparison_fails(simulation: Simulation) -> None:
    simulation.faults.tasks.append(Fault(RECONCILE, "Compare", "permanent", 1000))


def machine_fails(simulation: Simulation) -> None:
    simulation.faults.tasks.append(Fault(RECONCILE, "Clusters", "permanent", 1000))


def failures(simulation: Simulation, function: str, seconds: float) -> list[str]:
    """The errors of the function's invocations in the next so many seconds."""
    before = len(simulation.dead_letters)
    simulation.time.run(seconds)
    return [why for name, why in simulation.dead_letters[before:] if name == function]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "happens", [chef_server_stops, hub_falls_silent, comparison_fails, machine_fails]
)
def test_passes_that_decide_nothing_fail_each_five_minutes_until_one_decides(
    happens: Callable[[Simulation], None], workers: int
) -> None:
    with Simulation(5, ticks=True) as simulation:
        if workers:
            simulation.opened(workers)
        assert failures(simulation, "begin_passes", 1800) == []
        written = simulation._snapshots.write_snapshot

        happens(simulation)
        # A cluster at rest is looked at each hour.
        failures(simulation, "begin_passes", 4200)
        sentences = failures(simulation, "begin_passes", 1800)

        assert len(sentences) == 6
        assert all(why.startswith("lab: no pass has decided anything for ") for why in sentences)
        simulation.chef.up, simulation._snapshots.write_snapshot = True, written  # type: ignore[method-assign]
        simulation.faults.tasks.clear()
        simulation.time.run(600)
        assert failures(simulation, "begin_passes", 1800) == []


def test_a_hub_that_is_silent_fails_each_minute_s_decision() -> None:
    with Simulation(6, ticks=True) as simulation:
        simulation.opened(1)
        hub_falls_silent(simulation)
        simulation.time.run(121)

        sentences = failures(simulation, "decide_nodes", 300)
        assert len(sentences) == 5
        assert all(why.startswith("not decided: lab: the snapshot is ") for why in sentences)
