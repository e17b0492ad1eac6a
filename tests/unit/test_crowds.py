"""A class that comes at once opens, in accounts with the smallest quotas that AWS gives."""

import pytest
from tests.simulation.simulation import Simulation

# A launch's time to go forward.
FORWARD_S = 1680


def open_all(simulation: Simulation, nodes: int) -> float:
    """Seconds until so many nodes are open."""
    simulation.group.most = nodes
    began = simulation.time.now()
    simulation.scale(nodes)
    while len(simulation.open_workers()) < nodes:
        assert simulation.time.now() < began + FORWARD_S, simulation.report()[:3000]
        simulation.time.run(15)
    return simulation.time.now() - began


@pytest.mark.parametrize(
    ("nodes", "concurrency", "rate"),
    [
        (100, 10, 10.0),
        pytest.param(1000, 100, 10.0, marks=[pytest.mark.deep, pytest.mark.timeout(0)]),
    ],
)
def test_all_nodes_open_and_none_is_abandoned(nodes: int, concurrency: int, rate: float) -> None:
    """By the account's Lambda concurrency, and the calls per second of each SSM operation."""
    with Simulation() as simulation:
        simulation.lambdas.limit = concurrency
        simulation.faults.rates = {"ssm": rate}

        open_all(simulation, nodes)

        endings = [how for noted in simulation.group.endings.values() for _, how in noted]
        assert endings == ["completed CONTINUE"] * nodes
        assert simulation.lambdas.peak <= concurrency
        # A Task looks at its command itself when the function that answers it was throttled.
        assert {function for function, _ in simulation.dead_letters} <= {"answer"}
