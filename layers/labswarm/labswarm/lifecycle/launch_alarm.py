"""The alarm that names the reason when failed launches hold further ones."""

import json
from collections.abc import Callable, Mapping, Sequence

from labswarm.lifecycle.breaker import MOST_FAILED

Tell = Callable[[str, Sequence[str]], None]
"""Sends sentences, one a line, under a subject: `Alarms.tell`."""


def why_of(failure: object) -> str:
    """Return in one line the error that a state machine caught: `{"Error", "Cause"}`.

    The cause of a function's error is JSON with its message and its trace; the trace is left out:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if not isinstance(failure, Mapping):
        return "the execution names no error"
    cause = str(failure.get("Cause", ""))
    try:
        content = json.loads(cause)
    except ValueError:
        content = None
    if isinstance(content, Mapping) and content.get("errorMessage"):
        cause = str(content["errorMessage"])
    return " ".join(f"{failure.get('Error', 'error')}: {cause}".split())


def held(cluster: str, instance_id: str, why: str) -> tuple[str, Sequence[str]]:
    """Return the subject and the sentences of the alarm."""
    return (
        f"labswarm: launches of {cluster} are held",
        (
            f"{MOST_FAILED} launches in a row failed, the last on {instance_id}: {why}.",
            "The app tries one launch every ten minutes until one succeeds.",
            "Students who find no free seat wait until then. Running servers go on.",
            "What to do: docs/how-to/alarms.md, LaunchesHeld.",
        ),
    )
