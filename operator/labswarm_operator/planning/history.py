"""A class that was, from the cluster's own history: the records of its days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from labswarm.aws.dynamodb.launches import DynamoLaunches
from labswarm.aws.dynamodb.state import TABLE
from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.lab_hours.demand import MEASURED_ENOUGH, TICK_S
from labswarm.names import app_name
from labswarm.planning.answer import LONGEST_SAMPLE_S, Use
from labswarm.usage.usages import Sample
from labswarm_operator.account import Clients, asked
from labswarm_operator.planning.recording import Recording
from labswarm_operator.refusal import Refusal

HISTORY = "history"
"""The word in place of a file: the records of the cluster itself."""
LEDGER = app_name("ledger")
"""The table's name in the template."""
BEFORE_S = 3600
"""How long before a class its nodes may have been launched (seconds)."""


def read_history(
    clients: Clients, cluster: str, starts: float, lasts_s: float
) -> tuple[Recording, Use, tuple[float, ...]]:
    """Return a class from `starts` (epoch seconds) on: its students' clicks and waits, its use, and
    how long the nodes took to start that were launched for it (seconds; empty: too few to count).

    Raises Refusal where nothing is recorded then, and AWS's errors by kind.
    """
    ends = starts + lasts_s
    with asked():
        usages = DynamoUsages(clients("dynamodb"), TABLE)
        samples = [
            sample
            for day in _days(starts - BEFORE_S, ends)
            for sample in usages.read_day(cluster, day).samples
        ]
        starts_s = DynamoLaunches(clients("dynamodb"), LEDGER).between(
            cluster, starts - BEFORE_S, ends
        )
    recording = recording_of(samples, starts, ends)
    if recording is None:
        raise Refusal(
            f"--replay: No student of {cluster} is recorded from "
            f"{datetime.fromtimestamp(starts):%Y-%m-%d %H:%M} on. Give another --at."
        )
    seen = [(float(sample.at), sample.nodes, sample.running) for sample in samples]
    enough = len(starts_s) >= MEASURED_ENOUGH
    return recording, Use.of(seen, starts, ends), tuple(starts_s) if enough else ()


def recording_of(samples: Sequence[Sample], starts: float, ends: float) -> Recording | None:
    """Return the clicks and waits from `starts` to `ends` (epoch seconds); None without a student.

    The record has a number of students each minute. Those who came or got a server within a minute
    did so evenly, and the first who came was served first: waits are right to half a minute or so.
    Students who were there before the class come at its start.
    """
    last = Sample(int(starts), 0, 0, 0)
    for sample in samples:
        if sample.at <= starts < sample.at + LONGEST_SAMPLE_S:
            last = replace(sample, at=int(starts))
    arrived = [starts] * (last.running + last.waiting)
    served = [starts] * last.running
    for sample in samples:
        if not starts < sample.at < ends:
            continue
        if sample.at - last.at > LONGEST_SAMPLE_S:
            # Nobody was there in a minute without a sample.
            last = Sample(sample.at - TICK_S, 0, 0, 0)
        came = sample.running + sample.waiting - last.running - last.waiting
        arrived += _spread(last.at, sample.at, came)
        served += _spread(last.at, sample.at, sample.running - last.running)
        last = sample
    pairs = [(at, max(0.0, then - at)) for at, then in zip(arrived, served, strict=False)]
    if not pairs:
        return None
    return Recording(tuple(at for at, _ in pairs), tuple(wait for _, wait in pairs))


def _spread(since: float, until: float, count: int) -> list[float]:
    """Spread so many moments evenly over a time."""
    return [since + (until - since) * (number + 0.5) / count for number in range(count)]


def _days(first: float, last: float) -> list[str]:
    begins = datetime.fromtimestamp(first, UTC).date()
    count = (datetime.fromtimestamp(last, UTC).date() - begins).days + 1
    return [str(begins + timedelta(days=number)) for number in range(count)]
