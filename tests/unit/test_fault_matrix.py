"""Each Task of each machine, with each fault: it ends well, and nothing is left behind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pytest
from tests.world import template
from tests.world.faults import Fault, Kind
from tests.world.world import ASG, World

LAUNCH, TERMINATE, SPOT = (
    "labswarm-node-launch",
    "labswarm-node-terminate",
    "labswarm-spot-interruption",
)
HOURS, RECONCILE = "labswarm-lab-hours", "labswarm-reconcile"
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
    world.sit("s1")
    arm()
    world.groups.terminate_instance_in_auto_scaling_group(seat_of(world) or first, True)


def warned(world: World, state: str, arm: Callable[[], None]) -> None:
    """EC2 takes one of two workers back, or says that it may."""
    first, _ = world.opened(2)
    world.sit("s1")
    arm()
    kind = "rebalance" if state in ("PauseOnly", "AddNode", "Close") else "interruption"
    world.warn(seat_of(world) or first, kind)


def deciding(world: World, state: str, arm: Callable[[], None]) -> None:
    """A student finds no seat; then the class is over."""
    arm()
    world.sit("s1")
    world.time.run(600)
    world.hub.stop("s1", "")


def passing(world: World, state: str, arm: Callable[[], None]) -> None:
    """A ghost in the Swarm, an orphan at the Chef Server, an instance that never joined."""
    first, second, third = world.opened(3)
    world.groups.groups[ASG].instances.pop(first)
    world._end(first)
    world.group.desired -= 1
    world.engines[second].leave(False)
    arm()
    world.time.run(1500)
    assert third in world.open_workers(), world.told()


def seat_of(world: World) -> str | None:
    """The worker on which the student sits."""
    by_id = {node.node_id: node.instance_id for node in world.swarm.nodes()}
    return next((by_id[t.node_id] for t in world.swarm.tasks() if t.node_id), None)


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
            world.start(RECONCILE, {"cluster": None, "dry_run": False})
            world.settle(7200)
        assert world.faults.met, f"{state} was never entered\n{world.told()}"
        assert traces(world) == [], world.told()


def traces(world: World) -> list[str]:
    """What is left where none belongs, and what is still under way."""
    live = {i.instance_id for i in world.group.instances.values() if i.state == "InService"}
    names = {f"lab-{instance_id}" for instance_id in live}
    swarm = {n.instance_id for n in world.swarm.nodes() if n.role == "worker"}
    claims = [
        claim
        for instance_id in world.group.endings
        for transition in ("launch", "terminate", "rebalance")
        if (claim := world.ledger.read(instance_id, transition)) is not None  # type: ignore[arg-type]
    ]
    return [
        *world.busy(),
        *(f"swarm: {one}" for one in sorted(str(s) for s in swarm ^ live)),
        *(f"client: {one}" for one in sorted(world.chef.clients.keys() ^ names)),
        *(f"chef node: {one}" for one in sorted(world.chef.nodes.keys() ^ names)),
        *(f"open claim: {c.instance_id} {c.transition}" for c in claims if not c.closed),
    ]
