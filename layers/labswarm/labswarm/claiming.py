"""From a lifecycle event to the work on it, or to the reason why there is none."""

from collections.abc import Callable
from typing import Protocol

from labswarm.clock import Clock
from labswarm.cluster import Cluster
from labswarm.events import LifecycleEvent, Skip
from labswarm.ledger import LEASE_S, Claim, Ledger, Phase, change, granted
from labswarm.lifecycle import Hooks
from labswarm.work import Work


class Clusters(Protocol):
    """Where clusters are described."""

    def read(self, name: str) -> Cluster:
        """The cluster of this name. Raises BadInput when there is none."""


class Claiming:
    """Claims lifecycle actions for executions; `runs` says whether an execution still does."""

    def __init__(
        self,
        clusters: Clusters,
        ledger: Ledger,
        hooks: Hooks,
        runs: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._clusters = clusters
        self._ledger = ledger
        self._hooks = hooks
        self._runs = runs
        self._clock = clock

    def claim(self, event: LifecycleEvent, owner: str) -> Work | Skip:
        """The work, when it is `owner`'s to do.

        Skipped are: an event older than its hook's time, a launch whose instance terminates
        already, and an action that another execution works on (its token is left with that one).
        """
        now = self._clock.now()
        cluster = self._clusters.read(event.cluster)
        heartbeat_s = self._hooks.heartbeat_s(event.asg, event.hook)
        if event.at + heartbeat_s <= now:
            return Skip(f"the event is {now - event.at:.0f} s old, its hook waits {heartbeat_s} s")
        if event.ends_the_instance:
            self._ledger.bury(event.instance_id, int(now))
        elif event.transition == "launch" and self._ledger.is_buried(event.instance_id):
            return Skip("the instance terminates already")
        wanted = _claim(event, owner, int(now))
        held = change(
            self._ledger,
            event.instance_id,
            event.transition,
            lambda existing: granted(existing, wanted, int(now), self._runs),
        )
        if held.closed:
            return Skip(f"it was done before ({held.phase})")
        if held.owner != owner:
            return Skip(f"{held.owner} works on it")
        return Work.begun(event, cluster, owner, heartbeat_s, now)


def _claim(event: LifecycleEvent, owner: str, now: int) -> Claim:
    return Claim(
        instance_id=event.instance_id,
        transition=event.transition,
        owner=owner,
        lease_until=now + LEASE_S,
        tokens={event.token: event.hook},
        hook=event.hook,
        asg=event.asg,
        cluster=event.cluster,
        opened_at=now,
        phases=(Phase("claimed", now),),
    )
