"""The messages about launches that failed, with the reason."""

from collections.abc import Callable, Sequence

from labswarm.errors import BadInput
from labswarm.lifecycle.breaker import MOST_FAILED

SendAlarm = Callable[[str, Sequence[str]], None]
"""Sends sentences, one a line, under a subject: `Alarms.send`."""


def held(cluster: str, instance_id: str, why: str) -> tuple[str, Sequence[str]]:
    """The message when failed launches hold further ones: its subject and its sentences."""
    return (
        f"labswarm: launches of {cluster} are held",
        (
            f"{MOST_FAILED} launches in a row failed, the last on {instance_id}: {why}.",
            "The app tries one launch every ten minutes until one succeeds.",
            "Students who find no free seat wait until then. Running servers go on.",
            "What to do: docs/how-to/alarms.md, LaunchesHeld.",
        ),
    )


def malformed(cluster: str, error: BadInput, done: str) -> tuple[str, Sequence[str]]:
    """The message about a lifecycle event of ours that cannot be read; `done` is its end."""
    return (
        f"labswarm: a lifecycle event of {cluster} is malformed",
        (
            f"The app does not understand one of its fields. {error}.",
            f"So the app did not act on the event. The end of it: {done}.",
            "Students may wait longer for a seat. Running servers go on.",
            "What to do: docs/how-to/alarms.md, LastResorts.",
        ),
    )
