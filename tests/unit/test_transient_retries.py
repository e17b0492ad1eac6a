"""A failure of our own that may pass is tried again in every machine."""

from typing import Any

import pytest
from tests.support.machines import MACHINES, all_states, load

TASKS = [
    pytest.param(state, id=f"{machine.stem}-{name}")
    for machine in MACHINES
    for name, state in all_states(load(machine)["States"])
    if state["Type"] == "Task"
]


def attempts_of(state: dict[str, Any], error: str) -> int:
    """How often a state is tried again after this error: its first retrier that names it counts.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    for retrier in state.get("Retry", ()):
        if {error, "States.ALL"} & set(retrier["ErrorEquals"]):
            attempts: int = retrier.get("MaxAttempts", 3)
            return attempts
    return 0


@pytest.mark.parametrize("state", TASKS)
def test_a_transient_failure_of_a_task_is_tried_again(state: dict[str, Any]) -> None:
    assert attempts_of(state, "Transient") >= 1


@pytest.mark.parametrize("state", TASKS)
def test_an_error_that_nobody_names_is_tried_again_at_least_as_often(
    state: dict[str, Any],
) -> None:
    """A throttle is such an error: it comes several times in a row."""
    assert attempts_of(state, "Lambda.TooManyRequestsException") >= attempts_of(state, "Transient")
