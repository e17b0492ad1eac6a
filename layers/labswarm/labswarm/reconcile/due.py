"""Which clusters want a pass: all but those in which one has just seen that there is nothing.

Each pass is paid for, and most clusters are empty most of the time.
"""

from collections.abc import Sequence

from labswarm.clock import Clock
from labswarm.cluster import asg_name
from labswarm.errors import LabswarmError, Transient
from labswarm.groups import Groups, Roster
from labswarm.reconcile.passes import Pass, Passes

# Orphans in a cluster at rest are found this much later, at most.
REST_S = 3600
# Shorter than two scheduled passes are apart, longer than an event takes to come a second time.
OVERDUE_S = 180


def rested(last: Pass | None, now: float) -> bool:
    """Whether the last complete pass found nothing in the cluster, within this hour.

    Hours begin for all clusters at once: those at rest are looked at in one run.
    """
    return last is not None and last.at_rest and last.at <= now and _hour(last.at) == _hour(now)


def _hour(at: float) -> int:
    return int(at // REST_S)


def vacant(group: Roster) -> bool:
    """Whether the group has no instance, and wants none."""
    return not group.states and not group.desired


def clusters_due(
    names: Sequence[str], passes: Passes, groups: Groups, clock: Clock
) -> tuple[list[str], list[str]]:
    """Those of these clusters that need a pass; and why some could not be asked about.

    Those need one. After a Transient error no other is asked about: failing calls are slow too, and
    together they would use up the function's time.
    """
    found: list[str] = []
    why: list[str] = []
    for index, name in enumerate(names):
        try:
            if rested(passes.read_pass(name), clock.now()) and vacant(
                groups.roster(asg_name(name))
            ):
                continue
        except LabswarmError as error:
            why.append(f"{name}: {error}")
            if isinstance(error, Transient):
                return [*found, *names[index:]], why
        found.append(name)
    return found, why


def clusters_stuck(names: Sequence[str], passes: Passes, clock: Clock) -> list[str]:
    """Want a pass of each of these clusters; a sentence for each that has wanted one for long.

    It reports passes that decide nothing and passes that are not made, for any reason. A
    cluster whose wish cannot be kept has a sentence too. As with `clusters_due`, no other cluster
    is asked about after a Transient error.
    """
    sentences: list[str] = []
    for name in names:
        now = clock.now()
        try:
            wanted_s = now - passes.wanted(name, now)
        except LabswarmError as error:
            sentences.append(f"{name}: {error}")
            if isinstance(error, Transient):
                return sentences
            continue
        if wanted_s >= OVERDUE_S:
            sentences.append(f"{name}: no pass has decided anything for {wanted_s:.0f} s")
    return sentences
