"""Faults of the past, planted again, to see that the histories or a small suite find each.

`python -m tests.simulation.planted` plants one after the other in a copy of the repository, runs
the histories of one machine on it, and then its suite if they found nothing. It exits with 1 when a
fault is found by neither.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.tree import Tree

HISTORIES = 20
"""So many histories of a machine look for a fault."""
LAYER = "layers/labswarm/labswarm"
CLAIM, LEDGER = f"{LAYER}/lifecycle/claim.py", f"{LAYER}/lifecycle/ledger.py"
HOOKS, EMPTY = f"{LAYER}/lifecycle/hooks.py", f"{LAYER}/lifecycle/empty.py"
UNSTARTED, STEPS = f"{LAYER}/lifecycle/unstarted.py", f"{LAYER}/commands/steps.py"
COMPLETE, BEATS = f"{LAYER}/lifecycle/complete.py", f"{LAYER}/lifecycle/heartbeats.py"
FINDINGS, PLAN = f"{LAYER}/reconcile/findings.py", f"{LAYER}/reconcile/plan.py"
RUN_PASS = f"{LAYER}/reconcile/run_pass.py"
EVACUATION, WORKER = "node/labswarm_node/evacuation.py", "node/labswarm_node/worker.py"
TERMINATE, SPOT = (
    "statemachines/node_terminate.asl.yaml",
    "statemachines/spot_interruption.asl.yaml",
)


@dataclass(frozen=True)
class Planted:
    """A fault: `old` became `new` in a file. `machine` is the one whose histories look for it,
    `suite` the test file (under `tests`) that finds it when they cannot.
    """

    name: str
    path: str
    old: str
    new: str
    machine: str
    suite: str


FAULTS = (
    Planted(
        "a launch goes on though its termination has begun",
        "functions/command/app.py",
        'if (forward or event.get("unless_terminating")) and',
        'if event.get("unless_terminating") and',
        "node-launch",
        "unit/test_app_handlers",
    ),
    Planted(
        "a termination leaves no tombstone",
        CLAIM,
        "        if event.ends_the_instance:\n",
        "        if False:\n",
        "node-launch",
        "unit/test_app_claiming",
    ),
    Planted(
        "a launch begins on an instance that terminates already",
        CLAIM,
        'elif event.transition == "launch" and self._is_too_late(event, owner):',
        'elif event.transition == "rebalance" and self._is_too_late(event, owner):',
        "node-launch",
        "unit/test_app_claiming",
    ),
    Planted(
        "a launch event that comes late launches a node in service again",
        CLAIM,
        'already") if state == IN_SERVICE else None',
        'already") if state == "" else None',
        "node-launch",
        "unit/test_unstarted",
    ),
    Planted(
        "a launch whose claim crashed and whose instance terminates stays open for ever",
        CLAIM,
        "return claim is None or claim.closed or claim.owner != owner",
        "return True",
        "node-launch",
        "unit/test_app_claiming",
    ),
    Planted(
        "a stale event is not refused",
        CLAIM,
        "if event.at + timeout_s <= now:",
        "if event.at + timeout_s <= 0:",
        "node-launch",
        "unit/test_app_claiming",
    ),
    Planted(
        "the wait for students goes on though EC2 takes the node back",
        CLAIM,
        "            hurry(held, self._tasks)\n",
        "",
        "node-terminate",
        "unit/test_emptying",
    ),
    Planted(
        "the token of a second execution is not left with the claim",
        LEDGER,
        "replace(existing.with_tokens(wanted.tokens), urgent",
        "replace(existing, urgent",
        "spot-interruption",
        "unit/test_app_claiming",
    ),
    Planted(
        "a claim stays with a dead owner",
        LEDGER,
        "if existing.lease_until <= now and not runs(existing.owner):",
        "if existing.lease_until <= 0 and not runs(existing.owner):",
        "node-terminate",
        "unit/test_app_claiming",
    ),
    Planted(
        "a claim does not learn of the haste",
        LEDGER,
        "urgent=existing.urgent or wanted.urgent",
        "urgent=existing.urgent",
        "node-terminate",
        "unit/test_emptying",
    ),
    Planted(
        "a claim that others change at the same time overwrites them",
        LEDGER,
        "if changed == existing or ledger.write_claim(changed):",
        "if ledger.write_claim(changed) or True:",
        "node-terminate",
        "unit/test_app_lifecycle",
    ),
    Planted(
        "only the first hook of a claim is completed",
        HOOKS,
        "                completed.add(token)\n",
        "                completed.add(token)\n                break\n",
        "spot-interruption",
        "unit/test_app_completing",
    ),
    Planted(
        "the work of a lost event is not started by the minute",
        UNSTARTED,
        "if transition and (i, transition) not in claimed",
        "if not transition and (i, transition) not in claimed",
        "node-terminate",
        "unit/test_unstarted",
    ),
    Planted(
        "a spot warning that was lost is never noticed",
        UNSTARTED,
        "return [instance_id for instance_id in warned if instance_id not in known]",
        "return []",
        "spot-interruption",
        "unit/test_unstarted",
    ),
    Planted(
        "no heartbeat keeps a hook waiting",
        BEATS,
        "return in_time and not claim.closed and now < claim.lease_until",
        "return in_time and claim.closed and now < claim.lease_until",
        "node-terminate",
        "unit/test_app_heartbeats",
    ),
    Planted(
        "a failed launch that its own termination overtook counts against launches",
        COMPLETE,
        "        if self._ledger.is_terminating(instance_id):\n            return\n",
        "",
        "node-launch",
        "unit/test_app_completing",
    ),
    Planted(
        "a hub keeps a slot for a command that has ended",
        STEPS,
        "        if command.slot is not None:\n",
        "        if command.slot is None:\n",
        "node-terminate",
        "unit/test_commands",
    ),
    Planted(
        "a node with students counts as empty",
        EMPTY,
        'occupied = any(node.state != "down" and node.seats_used for node in there)',
        "occupied = False",
        "node-terminate",
        "unit/test_emptying",
    ),
    Planted(
        "students on a node that goes are not waited for",
        TERMINATE,
        "$.node.servers, NumericEquals: 0, Next: Drain}\n      - {Variable: $.node.urgent",
        "$.node.servers, NumericLessThan: 99, Next: Drain}\n      - {Variable: $.node.urgent",
        "node-terminate",
        "unit/test_app_lifecycle",
    ),
    Planted(
        "a node that cannot be paused loses its students at once",
        TERMINATE,
        "{ErrorEquals: [Permanent, BadInput], ResultPath: $.failure, Next: AwaitTheirTime}",
        "{ErrorEquals: [Permanent, BadInput], ResultPath: $.failure, Next: Evacuate}",
        "node-terminate",
        "unit/test_fault_matrix",
    ),
    Planted(
        "a notice that fails ends the students' time",
        TERMINATE,
        "{ErrorEquals: [States.ALL], ResultPath: $.notice, Next: AwaitStudents}",
        "{ErrorEquals: [States.ALL], ResultPath: $.notice, Next: Evacuate}",
        "node-terminate",
        "unit/test_fault_matrix",
    ),
    Planted(
        "a wait for students that fails ends their time",
        TERMINATE,
        "{ErrorEquals: [States.ALL], ResultPath: $.failure, Next: AwaitTheirTime}\n    Next: Pause",
        "{ErrorEquals: [States.ALL], ResultPath: $.failure, Next: Evacuate}\n    Next: Pause",
        "node-terminate",
        "unit/test_fault_matrix",
    ),
    Planted(
        "a hub that does not answer ends the moves of a terminating node",
        TERMINATE,
        '{ErrorEquals: [States.ALL], ResultPath: $.delay, Next: "TimeForMoves?"}',
        "{ErrorEquals: [States.ALL], ResultPath: $.delay, Next: Drain}",
        "node-terminate",
        "unit/test_statemachines",
    ),
    Planted(
        "a hub that does not answer ends the moves of an interrupted node",
        SPOT,
        '{ErrorEquals: [States.ALL], ResultPath: $.delay, Next: "TimeForMoves?"}',
        "{ErrorEquals: [States.ALL], ResultPath: $.delay, Next: Drain}",
        "spot-interruption",
        "unit/test_hub_away",
    ),
    Planted(
        "lab hours end a node on which somebody works",
        f"{LAYER}/lab_hours/apply.py",
        'return "is not empty" if servers else self._terminate',
        'return "is not empty" if servers is None else self._terminate',
        "lab-hours",
        "unit/test_app_hours",
    ),
    Planted(
        "an evacuation leaves its node open",
        EVACUATION,
        "        pause(swarm, instance_id)\n",
        "        pass\n",
        "node-terminate",
        "unit/test_node_evacuation",
    ),
    Planted(
        "a server whose page saves is stopped",
        EVACUATION,
        "        stopping -= _saving(hub, stopping & seen.alive)\n",
        "        pass\n",
        "node-terminate",
        "unit/test_node_evacuation",
    ),
    Planted(
        "a start that the hub has forgotten is not requested again",
        EVACUATION,
        "absent - moves.again)",
        "absent - moves.again - moves.moved)",
        "spot-interruption",
        "unit/test_node_evacuation",
    ),
    Planted(
        "a server that its student started again is stopped for a dead node's sake",
        EVACUATION,
        "        left -= _elsewhere(swarm, node)\n",
        "        pass\n",
        "node-terminate",
        "unit/test_node_evacuation",
    ),
    Planted(
        "a pass removes what is being worked on",
        RUN_PASS,
        "frozenset(resting | worked_on)",
        "frozenset(resting)",
        "node-launch",
        "unit/test_app_reconcile",
    ),
    Planted(
        "one pass is enough to remove",
        PLAN,
        "if m in counted and now - since[m] >= start_s]",
        "if now - since[m] >= 0]",
        "node-launch",
        "unit/test_reconcile",
    ),
    Planted(
        "a cluster of which no worker is heard loses all of them",
        FINDINGS,
        "return len(known) > 1 and not known & _living(listings.swarm.nodes)",
        "return False",
        "reconcile",
        "unit/test_reconcile",
    ),
    Planted(
        "a machine's earlier nodes stay in the Swarm",
        WORKER,
        '    for node in nodes:\n        if node.state == "down":\n',
        '    for node in nodes[-1:]:\n        if node.state == "down":\n',
        "node-terminate",
        "contract/swarm/test_swarm",
    ),
)


def found_by(tree: Tree, fault: Planted) -> str | None:
    """The seed of a history, or the test, that finds a fault; None when nothing does."""
    text = (tree.root / fault.path).read_text().replace(fault.old, fault.new)

    def histories() -> int:
        from tests.simulation.histories import main

        given = ["--count", str(HISTORIES), "--machine", fault.machine, "--exit-first"]
        return main([*given, "--calm"]) or main(given)

    with tree.changed(fault.path, text):
        code, printed = tree.run(histories)
    if code != 0:
        return "history: " + (printed.strip().splitlines() or ["it hangs"])[0][:150]
    return tree.failing(fault.path, text, [f"tests/{fault.suite}.py"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant each fault, and print what finds it."""
    parser = argparse.ArgumentParser(prog="tests.simulation.planted", description=__doc__)
    parser.add_argument("--only", default="", help="only the faults with these words in the name")
    given = parser.parse_args(arguments)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="labswarm-planted-") as folder:
        tree = Tree(Path(folder))
        for fault in (one for one in FAULTS if given.only in one.name):
            by = found_by(tree, fault)
            missed += by is None
            print(f"{fault.name}: {by or 'NOT FOUND'}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
