"""Which clusters need no pass: those in which a pass has just seen that there is nothing.

Each pass is paid for, and most clusters are empty most of the time.
"""

from collections.abc import Sequence

from labswarm.clock import Clock
from labswarm.cluster import asg_name
from labswarm.comparing import Rosters
from labswarm.errors import LabswarmError, Transient
from labswarm.groups import Roster
from labswarm.reconcile import Pass, Passes

# What events leave behind in a cluster at rest is found this much later, at most.
REST_S = 3600


def rested(last: Pass | None, now: float) -> bool:
    """Whether the last complete pass found nothing in the cluster, within the last hour."""
    return last is not None and last.at_rest and 0 <= now - last.at <= REST_S


def vacant(group: Roster) -> bool:
    """Whether the group has no instance, and wants none."""
    return not group.states and not group.desired


def awake(
    names: Sequence[str], passes: Passes, groups: Rosters, clock: Clock
) -> tuple[list[str], list[str]]:
    """Those of these clusters that need a pass; and why some could not be asked about.

    Those need one. After a Transient error no other is asked about: what fails is slow as well, and
    together they would take the function's time.
    """
    found: list[str] = []
    why: list[str] = []
    for index, name in enumerate(names):
        try:
            if rested(passes.read(name), clock.now()) and vacant(groups.roster(asg_name(name))):
                continue
        except LabswarmError as error:
            why.append(f"{name}: {error}")
            if isinstance(error, Transient):
                return [*found, *names[index:]], why
        found.append(name)
    return found, why
