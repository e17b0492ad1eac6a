"""Each Task of each machine, with each fault: it ends well, and nothing is left behind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pytest
from tests.world import template
from tests.world.faults import Fault, Kind
from tests.world.world import ASG, PASS, RECONCILE, World

LAUNCH, TERMINATE, SPOT = (
    "labswarm-node-launch",
    "labswarm-node-terminate",
    "labswarm-spot-interruption",
)
HOURS = "labswarm-lab-hours"
# How often a function is called with the fault: a permanent one is not called again.
TIMES: Mapping[str, int] = {
    "throttled": 2,
    "permanent": 1,
    "timeout": 1,
    "crash": 1,
    "duplicate": 1,
}
KINDS = (*get_args(Kind), "duplicate")


def tasks(states: Mapping[str, Any]) -> Iterator[str]:
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name
        yield from tasks(state.get("ItemProcessor", {}).get("States", {}))


CELLS = [
    pytest.param(machine, state, kind, id=f"{machine.removeprefix('labswarm-')}-{state}-{kind}")
    for machine, definition in template.machines().items()
    for state in tasks(definition["States"])
    for kind in KINDS
]
# States that only an earlier failure leads to, and what has to fail first.
UNDOING = ("PauseAgain", "Leave", "Remove", "RemoveChefIdentity", "Abandon")


def launching(world: World, state: str, arm: Callable[[], None]) -> None:
    """One worker comes."""
    if state in UNDOING:
        world.faults.tasks.append(Fault(LAUNCH, "Activate", "permanent", 1))
    world.group.pool = state == "LetPool"
    arm()
    world.scale(1)


def terminating(world: World, state: str, arm: Callable[[], None]) -> None:
    """Of two workers with a student each, one goes."""
    first, _ = world.opened(2)
    world.classroom.sit("s1")
    arm()
    world.groups.terminate_instance_in_auto_scaling_group(
        world.classroom.worker_of("s1") or first, True
    )


def warned(world: World, state: str, arm: Callable[[], None]) -> None:
    """EC2 takes one of two workers back, or says that it may."""
    first, _ = world.opened(2)
    world.classroom.sit("s1")
    arm()
    kind = "rebalance" if state in ("PauseOnly", "AddNode", "Close") else "interruption"
    world.warn(world.classroom.worker_of("s1") or first, kind)


def deciding(world: World, state: str, arm: Callable[[], None]) -> None:
    """A student finds no seat; then the class is over."""
    arm()
    world.classroom.sit("s1")
    world.time.run(600)
    world.classroom.leave("s1")


def passing(world: World, state: str, arm: Callable[[], None]) -> None:
    """A ghost in the Swarm, an orphan at the Chef Server, an instance that never joined."""
    first, second, third = world.opened(3)
    world.groups.groups[ASG].instances.pop(first)
    world.workers.end(first)
    world.group.desired -= 1
    world.workers.engines[second].leave(False)
    arm()
    world.time.run(1500)
    assert third in world.open_workers(), world.told()


SCENES = {
    LAUNCH: launching,
    TERMINATE: terminating,
    SPOT: warned,
    HOURS: deciding,
    RECONCILE: passing,
}


@pytest.mark.parametrize(("machine", "state", "kind"), CELLS)
def test_the_end_is_clean(machine: str, state: str, kind: str) -> None:
    with World(seed=1, ticks=machine in (HOURS, RECONCILE)) as world:

        def arm() -> None:
            if kind == "duplicate":
                world.faults.duplicate = (machine, state)
            else:
                world.faults.tasks.append(Fault(machine, state, kind, TIMES[kind]))  # type: ignore[arg-type]

        SCENES[machine](world, state, arm)
        world.settle(7200)
        for _ in range(3):
            world.time.run(300)
            world.start(RECONCILE, PASS)
            world.settle(7200)
        assert world.faults.met, f"{state} was never entered\n{world.told()}"
        assert world.traces() == [], world.told()
