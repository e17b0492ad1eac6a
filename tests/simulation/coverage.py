"""Counts what the histories have met: a state of a machine, a fault, and another machine at work.

A cell is one Task, one fault of it or of its surroundings, and one other machine that has worked
on the same node since the Task's execution began.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from tests.simulation import template
from tests.simulation.faults import Kind

LAUNCH, TERMINATE, SPOT = (
    "labswarm-node-launch",
    "labswarm-node-terminate",
    "labswarm-spot-interruption",
)
HOURS, RECONCILE = "labswarm-lab-hours", "labswarm-reconcile"
ALONE, NOTHING = "alone", "nothing"
TASK_FAULTS = (*get_args(Kind), "duplicate")
SURROUNDINGS = (
    "hub down",
    "hub slow",
    "Chef down",
    "cut off",
    "killed",
    "throttled API",
    "events lost",
)
FAULTS = (NOTHING, *TASK_FAULTS, *SURROUNDINGS)


class Cell(NamedTuple):
    """One combination; `other` is a machine's name, or ALONE."""

    machine: str
    state: str
    fault: str
    other: str


def tasks(states: Mapping[str, Any]) -> Iterator[str]:
    """The names of a machine's Tasks, those inside a Map too."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name
        yield from tasks(state.get("ItemProcessor", {}).get("States", {}))


def every_state() -> set[tuple[str, str]]:
    """Every state of every machine, with the machine's name."""

    def names(states: Mapping[str, Any]) -> Iterator[str]:
        for name, state in states.items():
            yield name
            yield from names(state.get("ItemProcessor", {}).get("States", {}))

    return {(m, s) for m, defined in template.machines().items() for s in names(defined["States"])}


def others(machine: str) -> tuple[str, ...]:
    """The machines that can work on the same node as this one, and ALONE.

    Lab hours and passes look at a whole cluster, and any node of it is theirs.
    """
    nodes = [LAUNCH, TERMINATE, SPOT]
    if machine in nodes:
        return (ALONE, *(one for one in nodes if one != machine), RECONCILE)
    return (ALONE, *nodes)


def why_not(cell: Cell) -> str | None:
    """Why a combination does not come about, or hardly ever; None when it does."""
    match cell:
        case Cell(
            "labswarm-node-terminate",
            "Notify" | "Warn" | "AwaitStudents",
            _,
            "labswarm-node-launch",
        ):
            return (
                "nobody sits on a node before the last call of its launch, which has to fail then"
            )
        case Cell(
            "labswarm-spot-interruption",
            "PauseOnly" | "AddNode" | "Close",
            _,
            "labswarm-node-launch",
        ):
            return "EC2 recommends to move away from nodes that run, not from ones that start"
        case Cell("labswarm-node-terminate", "Warn", _, "alone"):
            return "the haste comes with the spot notice's own execution"
        case Cell(machine="labswarm-lab-hours" | "labswarm-reconcile", fault="cut off" | "killed"):
            return "it is about every node of a cluster, not about one"
    return None


def reachable() -> set[Cell]:
    """Every combination that can come about."""
    return {cell for cell in _all() if why_not(cell) is None}


def _all() -> Iterator[Cell]:
    for machine, definition in template.machines().items():
        for state in tasks(definition["States"]):
            for fault in FAULTS:
                for other in others(machine):
                    yield Cell(machine, state, fault, other)


def share(met: Mapping[Cell, int]) -> float:
    """The part of the reachable combinations that were met, from 0 to 1."""
    can = reachable()
    return len(can & met.keys()) / len(can)


def table(met: Mapping[Cell, int], states: Mapping[tuple[str, str], int]) -> str:
    """For each Task and other machine the share of faults met, and the faults that were not."""
    can, never = reachable(), sorted(every_state() - states.keys())
    lines = [
        f"{len(can & met.keys())} of {len(can)} reachable combinations were met "
        f"({share(met):.1%}); {len(set(_all()) - can)} are not reachable",
        f"states never entered: {', '.join(f'{_short(m)} {s}' for m, s in never) or 'none'}",
    ]
    rows: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in sorted(can):
        rows.setdefault((cell.machine, cell.state, cell.other), []).append(cell)
    for (machine, state, other), cells in rows.items():
        missing = [cell.fault for cell in cells if cell not in met]
        name = f"{_short(machine)} {state} / {_short(other)}"
        lines.append(f"{name:52} {len(cells) - len(missing):2}/{len(cells):2} {', '.join(missing)}")
    return "\n".join(lines)


def _short(machine: str) -> str:
    return machine.removeprefix("labswarm-")
