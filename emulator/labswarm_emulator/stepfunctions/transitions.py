"""How many state transitions of a Standard execution AWS bills, counted in its history.

"Step Functions counts a state transition each time a step of your workflow is executed": each state
that is entered, in every branch and iteration too; and "each retry will be charged as an additional
state transition". A Map's iterations and a Parallel's branches count by the states in them alone.
https://aws.amazon.com/step-functions/pricing/
"""

from collections.abc import Iterable, Mapping
from typing import Any

ENTERED = "StateEntered"
ATTEMPTS = {
    "TaskScheduled",
    "LambdaFunctionScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
}
"""The first events of each attempt of a Task, a Parallel or a Map."""


def transitions(events: Iterable[Mapping[str, Any]]) -> int:
    """The transitions that the events of GetExecutionHistory, all of them, were billed for."""
    by_id = {event["id"]: event for event in events}
    entered = sum(1 for event in by_id.values() if event["type"].endswith(ENTERED))
    attempted = [_of_state(event, by_id) for event in by_id.values() if event["type"] in ATTEMPTS]
    return entered + len(attempted) - len(set(attempted))


def _of_state(event: Mapping[str, Any], by_id: Mapping[int, Mapping[str, Any]]) -> int:
    """Which entry of a state an attempt belongs to, by the events that led to it.

    The second attempt of a Parallel after another one failed may count for that one. Each had an
    attempt of its own, so the total is the same.
    """
    kind = event["type"].removesuffix("Started").removesuffix("Scheduled")
    own = "TaskStateEntered" if event["type"].endswith("Scheduled") else f"{kind}Entered"
    at = event
    while at["type"] != own and at["previousEventId"] in by_id:
        at = by_id[at["previousEventId"]]
    return int(at["id"])
