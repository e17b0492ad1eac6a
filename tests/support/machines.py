"""The state machines' definitions and the template's resources, as tests read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.simulation.template import resources, with_names

ROOT = Path(__file__).resolve().parents[2]


MACHINES = sorted((ROOT / "statemachines").glob("*.asl.yaml"))


OF_CLAIMS = [machine for machine in MACHINES if "ClaimFunction" in machine.read_text()]


# Our own kinds that are never tried again; every other error is.
DENIED = ["Permanent", "BadInput", "Gone"]


def load(machine: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(with_names(machine.read_text()), yaml.CSafeLoader)
    return loaded


RESOURCES = resources()


FUNCTIONS = {n: r for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"}


DOCUMENTS = {
    r["Properties"]["Name"]: r["Properties"]["Content"]
    for r in RESOURCES.values()
    if r["Type"] == "AWS::SSM::Document"
}


def all_states(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, those inside a Map too."""
    for name, state in states.items():
        yield name, state
        yield from all_states(state.get("ItemProcessor", {}).get("States", {}))


def following(state: dict[str, Any]) -> Iterator[str]:
    for rule in (state, *state.get("Choices", []), *state.get("Catch", [])):
        if "Next" in rule:
            yield rule["Next"]
    if "Default" in state:
        yield state["Default"]


def reached(states: dict[str, Any], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(following(states[name]))
    return seen
