"""The cluster as its admins see it: alarms, decisions with their reasons, timelines of nodes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from labswarm.aws.accounts import described_alarms
from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.dynamodb.timelines import DynamoTimelines
from labswarm.aws.groups import AutoScalingGroups
from labswarm.errors import LabswarmError
from labswarm.lab_hours.state import Reasons
from labswarm.lifecycle.timelines import Timeline
from labswarm.names import app_name
from labswarm_operator.account import Clients

T = TypeVar("T")
SNAPSHOTS = app_name("snapshots")


@dataclass(frozen=True)
class Alarm:
    """An alarm that is on since `since` (epoch seconds). Its text names the page of what to do."""

    name: str
    text: str
    since: float


@dataclass(frozen=True)
class Step:
    """A phase of a node's launch or end, `took_s` seconds until the next; None: it goes on."""

    phase: str
    at: int
    took_s: int | None


@dataclass(frozen=True)
class Operations:
    """All parts; `unread` has a sentence for each that AWS did not give."""

    alarms: tuple[Alarm, ...]
    decisions: tuple[Reasons, ...]
    timelines: tuple[Timeline, ...]
    unread: tuple[str, ...]


def steps(timeline: Timeline) -> Iterator[Step]:
    """Yield the phases of a timeline with their lengths; the last one of a finished launch or end
    took no time."""
    ends = [phase.at for phase in timeline.phases[1:]]
    last = None if timeline.result is None else timeline.phases[-1].at
    for phase, end in zip(timeline.phases, [*ends, last], strict=True):
        yield Step(phase.phase, phase.at, None if end is None else end - phase.at)


def read_operations(clients: Clients, cluster: str) -> Operations:
    """Return what AWS knows of a cluster. A part that cannot be read leaves the others as they
    are."""
    unread: list[str] = []

    def read(what: str, part: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        try:
            return tuple(part())
        except LabswarmError as error:
            unread.append(f"{what}: {error}")
            return ()

    return Operations(
        alarms=read("Alarms", lambda: _alarms(clients)),
        decisions=read("Decisions", lambda: _decisions(clients, cluster)),
        timelines=read("Machines", lambda: _timelines(clients, cluster)),
        unread=tuple(unread),
    )


def _alarms(clients: Clients) -> list[Alarm]:
    found = [
        Alarm(
            str(one["AlarmName"]),
            str(one.get("AlarmDescription", "")),
            one["StateUpdatedTimestamp"].timestamp(),
        )
        for one in described_alarms(clients("cloudwatch"))
        if one["StateValue"] == "ALARM"
    ]
    return sorted(found, key=lambda alarm: (alarm.since, alarm.name))


def _decisions(clients: Clients, cluster: str) -> list[Reasons]:
    state = DynamoLabHoursStates(clients("dynamodb"), TABLE).read_state(cluster)
    return [*reversed(state.decisions)]


def _timelines(clients: Clients, cluster: str) -> list[Timeline]:
    described = SsmClusters(clients("ssm")).read_cluster(cluster)
    members = AutoScalingGroups(clients("autoscaling")).roster(described.asg).states
    snapshot = DynamoSnapshots(clients("dynamodb"), SNAPSHOTS).read_snapshot(cluster)
    seen = {node.instance_id for node in (snapshot.nodes if snapshot else ())}
    instances = {*members, *(one for one in seen if one is not None)}
    return DynamoTimelines(clients("dynamodb")).read_timelines(cluster, instances)
