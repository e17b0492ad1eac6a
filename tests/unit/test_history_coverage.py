"""Histories reach each state with each fault and each other machine."""

import contextlib
import io
import itertools
from collections.abc import Iterable

import pytest
from tests.simulation import template
from tests.simulation.coverage import every_state, share, table
from tests.simulation.histories import HISTORIES, History, Met, plot_of, plots
from tests.simulation.planted import FAULTS, Planted
from tests.support.tree import ROOT

LIGHT = 1
"""So many histories of each machine run in `make check`."""
ENOUGH, JUDGED = 0.95, 300
# It takes a hub whose agent is away until all retries of Pause are used up.
NEVER = {("labswarm-node-terminate", "TimeForStudents?")}


def met_by(seeds: Iterable[int], *, calm: bool = False) -> Met:
    met = Met()
    # The functions print their metrics.
    with contextlib.redirect_stdout(io.StringIO()):
        for seed in seeds:
            History(seed, met, calm=calm).run()
    return met


@pytest.mark.parametrize("machine", template.machines())
def test_histories_of_a_machine_break_no_promise(machine: str) -> None:
    seeds = (seed for seed in itertools.count(1) if plot_of(seed).machine == machine)
    some = list(itertools.islice(seeds, LIGHT))

    for calm in (True, False):
        met = met_by(some, calm=calm)
        assert any(cell.machine == machine for cell in met.cells)


def test_a_seed_makes_the_same_history_again() -> None:
    assert met_by([5]) == met_by([5])


@pytest.mark.deep
@pytest.mark.timeout(0)
def test_without_a_fault_no_pass_has_to_clean_up() -> None:
    met_by(range(len(plots())), calm=True)


@pytest.mark.deep
@pytest.mark.timeout(0)
def test_histories_reach_the_states_that_matter() -> None:
    met = met_by(range(HISTORIES))

    reached = table(met.cells, met.states)
    print(reached)
    assert share(met.cells) >= ENOUGH, reached
    assert met.states.keys() >= every_state() - NEVER, reached
    assert met.judged >= JUDGED
    assert met.alarms


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_still_has_its_place(fault: Planted) -> None:
    assert (ROOT / fault.path).read_text().count(fault.old) == 1
    assert (ROOT / "tests" / f"{fault.suite}.py").exists()
