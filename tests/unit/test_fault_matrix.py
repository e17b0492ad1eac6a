"""Each Task of each machine, with each fault: it ends well, and nothing is left behind.

`python -m tests.unit.test_fault_matrix` writes docs/reference/faults.md again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

import pytest
from tests.simulation import template
from tests.simulation.faults import Fault, Kind
from tests.simulation.functions import ROOT
from tests.simulation.simulation import ASG, EMPTY_DEADLINE_S, PASS, RECONCILE, Simulation

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
    "unlisted": 2,
    "duplicate": 1,
}
PAGE = ROOT / "docs" / "reference" / "faults.md"
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
# States that only an earlier failure leads to, and that failure.
UNDOING = ("PauseAgain", "Leave", "Remove", "RemoveChefIdentity", "Abandon")


def launching(simulation: Simulation, state: str, arm: Callable[[], None]) -> None:
    """One worker comes."""
    if state in UNDOING:
        simulation.faults.tasks.append(Fault(LAUNCH, "Activate", "permanent", 1))
    simulation.group.pool = state == "LetPool"
    if state == "RefuseMove":
        move_unknown(simulation)
    arm()
    simulation.scale(1)


def move_unknown(simulation: Simulation) -> None:
    """The first instance comes from where none can come."""
    put_event_of_ec2 = simulation.put_event
    first: list[Mapping[str, Any]] = []

    def put_event(event: Mapping[str, Any]) -> None:
        if not first:
            first.append(event)
            event = {**event, "detail": {**event["detail"], "Origin": "AutoScalingGroup"}}
        put_event_of_ec2(event)

    simulation.groups.notify = put_event


def terminating(simulation: Simulation, state: str, arm: Callable[[], None]) -> None:
    """Of two workers, the one with a student goes, who has a minute; EC2 may not leave it that."""
    first, _ = simulation.opened(2)
    simulation.classroom.sit("s1")
    arm()
    going = simulation.classroom.worker_of("s1") or first
    simulation.groups.terminate_instance_in_auto_scaling_group(going, True)
    if state != "Warn":
        simulation.time.run(EMPTY_DEADLINE_S - 1)
        assert simulation.classroom.cuts == [], simulation.report()
        assert going in simulation.ssm.machines, simulation.report()
    else:
        simulation.time.run(20)
        simulation.warn(going)


def warned(simulation: Simulation, state: str, arm: Callable[[], None]) -> None:
    """EC2 takes one of two workers back, or says that it may."""
    first, _ = simulation.opened(2)
    simulation.classroom.sit("s1")
    arm()
    kind = "rebalance" if state in ("PauseOnly", "AddNode", "Close") else "interruption"
    simulation.warn(simulation.classroom.worker_of("s1") or first, kind)


def deciding(simulation: Simulation, state: str, arm: Callable[[], None]) -> None:
    """Students find no seat; some leave, others come; then the class is over."""
    students = [f"s{number}" for number in range(6)]
    arm()
    for student in students:
        simulation.classroom.sit(student)
    simulation.time.run(600)
    if state == "Activate":
        spread_out(simulation, students)
    for student in students:
        simulation.classroom.leave(student)


def spread_out(simulation: Simulation, students: Sequence[str]) -> None:
    """One of two nodes with a student each is paused, and opened for those who come."""
    one_per_node = {simulation.classroom.worker_of(student): student for student in students}
    assert len(one_per_node) == 2, simulation.report()
    for student in sorted(set(students) - set(one_per_node.values())):
        simulation.classroom.leave(student)
    simulation.time.run(180)
    for student in students:
        simulation.classroom.sit(student)
    simulation.time.run(300)


def passing(simulation: Simulation, state: str, arm: Callable[[], None]) -> None:
    """A ghost in the Swarm, an orphan at the Chef Server, an instance whose node is lost, and a
    student's service that the hub has lost."""
    opened = simulation.opened(3)
    simulation.classroom.sit("s1")
    simulation.classroom.sit("s2")
    simulation.classroom.lose("s2")
    used = simulation.classroom.worker_of("s1")
    first, second = (instance_id for instance_id in opened if instance_id != used)
    simulation.groups.groups[ASG].instances.pop(first)
    simulation.workers.end(first)
    simulation.group.desired -= 1
    simulation.workers.engines[second].leave(False)
    arm()
    simulation.time.run(1500)
    assert second not in simulation.group.instances, simulation.report()
    assert used in simulation.open_workers(), simulation.report()


SCENES = {
    LAUNCH: launching,
    TERMINATE: terminating,
    SPOT: warned,
    HOURS: deciding,
    RECONCILE: passing,
}


def outcome(machine: str, state: str, kind: str) -> str:
    """How it ends with a fault in a state; fails when anything is left behind or under way."""
    with Simulation(seed=1, ticks=machine in (HOURS, RECONCILE)) as simulation:

        def arm() -> None:
            if kind == "duplicate":
                simulation.faults.duplicate = (machine, state)
            else:
                simulation.faults.tasks.append(Fault(machine, state, kind, TIMES[kind]))  # type: ignore[arg-type]

        SCENES[machine](simulation, state, arm)
        assert simulation.settle(7200), simulation.report()
        left = simulation.traces()
        for _ in range(3):
            simulation.time.run(300)
            simulation.start(RECONCILE, PASS)
            assert simulation.settle(7200), simulation.report()
        assert simulation.faults.met, f"{state} was never entered\n{simulation.report()}"
        assert simulation.traces() == [], simulation.report()
        return ended(simulation, machine) + (" + pass" if left and machine != RECONCILE else "")


def ended(simulation: Simulation, machine: str) -> str:
    """How the faulty execution, the first that failed or else the first of all, came to its end."""
    endings = [how for noted in simulation.group.endings.values() for _, how in noted]
    if any(how.startswith("timed out") for how in endings):
        return "default"
    resorts = [said["done"] for name, said in simulation.answers if name == "last_resort"]
    if any(resorts):
        again = all(str(done).endswith("the next minute starts it") for done in resorts if done)
        return "started again" if again else "last resort"
    executions = simulation.executions(machine)
    failed = [execution for execution in executions if execution.status == "FAILED"]
    if not failed:
        return "done"
    return "undone" if "Abandon" in failed[0].entered else "failed, done"


@pytest.mark.parametrize(("machine", "state", "kind"), CELLS)
def test_each_fault_ends_as_the_page_says_and_nothing_is_left(
    machine: str, state: str, kind: str
) -> None:
    assert outcome(machine, state, kind) == said()[machine, state, kind]


def said() -> dict[tuple[str, str, str], str]:
    """The cells of the page's tables."""
    cells, machine = {}, ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            machine = f"labswarm-{line[3:].replace('_', '-')}"
        words = [word.strip() for word in line.strip("|").split("|")]
        if len(words) == len(KINDS) + 1 and words[0].startswith("`"):
            for kind, word in zip(KINDS, words[1:], strict=True):
                cells[machine, words[0].strip("`"), kind] = word
    return cells


def page() -> str:
    """The page with the current result of each cell."""
    head = PAGE.read_text().split("\n## ")[0].rstrip()
    parts = [head]
    for machine, definition in template.machines().items():
        rows = [
            f"| `{state}` | {' | '.join(outcome(machine, state, kind) for kind in KINDS)} |"
            for state in tasks(definition["States"])
        ]
        title = machine.removeprefix("labswarm-").replace("-", "_")
        header = f"| Task | {' | '.join(KINDS)} |\n|{'---|' * (len(KINDS) + 1)}"
        parts.append("\n".join([f"## {title}", "", header, *rows]))
    return "\n\n".join(parts) + "\n"


def test_the_page_has_no_cell_of_a_state_that_is_no_more() -> None:
    assert said().keys() == {param.values for param in CELLS}


def test_an_error_that_nobody_listed_costs_nothing() -> None:
    undone = {(LAUNCH, state) for state in UNDOING}
    for (machine, state, kind), how in said().items():
        if kind in ("throttled", "unlisted"):
            assert how == ("undone" if (machine, state) in undone else "done"), (state, kind)


def test_no_launch_ends_worse_than_undone() -> None:
    launches = {how for (machine, _, _), how in said().items() if machine == LAUNCH}
    assert launches == {"done", "undone", "last resort"}


if __name__ == "__main__":
    PAGE.write_text(page())
