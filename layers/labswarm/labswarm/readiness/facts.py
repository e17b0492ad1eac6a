"""The facts of a cluster that the checks before a lab need besides the doctor's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labswarm.chef.certificate import Certificate
from labswarm.planning.answer import Answer


@dataclass(frozen=True)
class Readiness:
    """The facts at `now` (epoch seconds).

    `answer` is the plan for the booked labs that start soon; None without one. `problems` are those
    of the timetable and of bookings. `fed` is when the timetable was last read, None without one.
    `snapshot_at` is the time of the newest snapshot, None where there is none. `images` are the
    images of the group's template, each with its state, empty for one that is gone. `homes` are the
    file system and its mount targets by id, each with its state. `alarms_on` are the app's alarms
    that are on. `score` is EC2's placement score for `nodes` spot instances, from 1 to 10.
    `unchecked` are sentences about the checks that could not be made.
    """

    now: float
    answer: Answer | None = None
    problems: Sequence[str] = ()
    fed: float | None = None
    snapshot_at: float | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    alarms_on: Sequence[str] = ()
    nodes: int = 0
    score: int | None = None
    certificate: Certificate | None = None
    unchecked: Sequence[str] = ()
