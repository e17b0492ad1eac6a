"""`labswarm reconcile`: start a pass of the app's own state machine, and print its findings."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from labswarm.aws.cluster import SsmClusters
from labswarm.names import app_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.refusal import Failure, Refusal
from labswarm_operator.suggestions import unknown

MACHINE = app_name("reconcile")
PATIENCE_S = 300
_LOOK_S = 0.5
# The machine's results, a field per side.
_SIDES = ("swarm", "chef", "group", "servers")
_LISTS = {
    "due": ("cleaned up", "would be cleaned up"),
    "over_cap": ("over the cap, left for the next pass", "over the cap"),
    "waiting": ("marked, the next pass decides", "found, a second pass must agree"),
    "named": ("not touched, for you to decide", "not touched, for you to decide"),
}


def run_pass(
    clients: Clients, cluster: str | None, *, dry_run: bool
) -> Sequence[Mapping[str, Any]]:
    """Run the state machine over a cluster, or over all; return its result for each.

    Raises Refusal if the app is not deployed, the cluster is unknown, or AWS cannot be reached;
    Failure if the machine fails or takes too long; and AWS's errors by kind.
    """
    with asked():
        if cluster is not None:
            _check_cluster(SsmClusters(clients("ssm")).names(), cluster)
        passes = _passes(clients("stepfunctions"), cluster, dry_run=dry_run)
    for made in passes if cluster else ():
        failure = made.get("failure", {})
        if failure.get("Error") == "BadInput":
            raise Refusal(f"--cluster {cluster!r}: {_message(failure.get('Cause', ''))}")
    return passes


def _check_cluster(known: Sequence[str], cluster: str) -> None:
    if cluster not in known:
        raise Refusal(f"--cluster: {unknown('cluster', cluster, known)}")


def _message(cause: str) -> str:
    """The message of an exception in a function: Lambda's error is JSON, with the traceback."""
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
            cause = _message(seen.get("cause") or "no cause")
            raise Failure(f"The execution {execution} ended as {seen['status']}: {cause}")
        time.sleep(_LOOK_S)
    raise Failure(f"The execution {execution} still runs after {PATIENCE_S} s.")


def print_passes(passes: Sequence[Mapping[str, Any]], *, dry_run: bool) -> None:
    """Print each cluster's findings with their reasons."""
    console = Console(highlight=False, soft_wrap=True)
    if not passes:
        console.print("No pass is needed: every cluster is at rest. Add --cluster NAME to run one.")
    for made in passes:
        plan = made.get("plan")
        if plan is None:
            console.print(f"The pass failed: {made['failure']}", markup=False)
            continue
        counts = plan["counts"]
        if plan["decided"]:
            console.print(
                f"{plan['cluster']}: {sum(counts.values()) or 'no'} findings, cap {plan['cap']}"
            )
        for why in plan["why_not"]:
            console.print(f"{plan['cluster']}: no decision: {why}", markup=False)
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
    """Return whether every cluster's pass came to a decision, and none of its steps failed."""
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
    raise Refusal(f"There is no state machine {MACHINE}. Deploy the app first: `sam deploy`.")
