"""Starting a reconcile pass by hand, and saying what it found: the app's own machine does it."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from labswarm_operator.account import asked
from labswarm_operator.refusal import Failure, Refusal

MACHINE = "labswarm-reconcile"
PATIENCE_S = 300
_LOOK_S = 0.5
# What the machine says of what it did.
_SIDES = ("swarm", "chef", "group", "servers")
_LISTS = {
    "due": ("done now", "would be done now"),
    "over_cap": ("left for the next pass: over the cap", "over the cap"),
    "waiting": ("marked; the next pass decides", "found; another pass has to agree"),
    "named": ("for a person: not touched", "for a person: not touched"),
}


def make_pass(
    stepfunctions: Any, cluster: str | None, *, dry_run: bool
) -> Sequence[Mapping[str, Any]]:
    """Run the machine over a cluster, or over all; its answer for each.

    Raises Refusal when the app is not there, does not know the cluster, or AWS cannot be asked,
    Failure when the machine fails or takes too long, and what AWS refuses, by kind.
    """
    with asked():
        passes = _passes(stepfunctions, cluster, dry_run=dry_run)
    for made in passes if cluster else ():
        failure = made.get("failure", {})
        if failure.get("Error") == "BadInput":
            raise Refusal(f"--cluster {cluster!r}: {_message(failure.get('Cause', ''))}")
    return passes


def _message(cause: str) -> str:
    """What an exception in a function said: Lambda's error is JSON, with the traceback."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


def _passes(
    stepfunctions: Any, cluster: str | None, *, dry_run: bool
) -> Sequence[Mapping[str, Any]]:
    execution = stepfunctions.start_execution(
        stateMachineArn=_machine(stepfunctions),
        input=json.dumps({"cluster": cluster, "dry_run": dry_run}),
    )["executionArn"]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        seen = stepfunctions.describe_execution(executionArn=execution)
        if seen["status"] == "SUCCEEDED":
            passes: list[Mapping[str, Any]] = json.loads(seen["output"])
            return passes
        if seen["status"] != "RUNNING":
            raise Failure(f"{execution} {seen['status']}: {seen.get('cause') or 'no cause'}")
        time.sleep(_LOOK_S)
    raise Failure(f"{execution} is still under way after {PATIENCE_S} s")


def print_passes(passes: Sequence[Mapping[str, Any]], *, dry_run: bool) -> None:
    """What each cluster's pass found, and why, as a person reads it."""
    console = Console(highlight=False, soft_wrap=True)
    if not passes:
        console.print("no pass is needed: every cluster is at rest; --cluster NAME makes one")
    for made in passes:
        plan = made.get("plan")
        if plan is None:
            console.print(f"the pass failed: {made['failure']}", markup=False)
            continue
        counts = plan["counts"]
        if plan["decided"]:
            console.print(
                f"{plan['cluster']}: {sum(counts.values()) or 'no'} findings, cap {plan['cap']}"
            )
        for why in plan["why_not"]:
            console.print(f"{plan['cluster']}: nothing is decided: {why}", markup=False)
        for name, titles in _LISTS.items():
            if counts[name]:
                console.print(f"  {titles[dry_run]} ({counts[name]}):")
            for finding in plan[name]:
                line = f"    {finding['remedy']} {finding['what']} {finding['key']}"
                console.print(f"{line}: {finding['reason']}", markup=False)
        for side in _SIDES:
            if side in made:
                console.print(f"  {side}: {json.dumps(made[side])}", markup=False)


def succeeded(passes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every cluster's pass decided something, and nothing of it failed."""
    return all(
        made.get("plan", {}).get("decided")
        and not any("Error" in made.get(side, {}) for side in _SIDES)
        for made in passes
    )


def _machine(stepfunctions: Any) -> str:
    for page in stepfunctions.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"] == MACHINE:
                return str(machine["stateMachineArn"])
    raise Refusal(f"there is no state machine {MACHINE}; deploy the app first (sam deploy)")
