"""From a lifecycle event or a spot notice to the work on it, or to the reason why there is none."""

from collections.abc import Callable
from dataclasses import replace

from labswarm.clock import Clock
from labswarm.cluster import Clusters, cluster_of
from labswarm.executions import Executions
from labswarm.groups import IN_SERVICE, Groups
from labswarm.lifecycle.empty import hurry
from labswarm.lifecycle.events import LifecycleEvent, Skip, SpotNotice
from labswarm.lifecycle.hook_time import is_kept_up
from labswarm.lifecycle.hooks import Hooks
from labswarm.lifecycle.ledger import LEASE_S, Claim, Ledger, Phase, change, granted
from labswarm.lifecycle.waits import waits_for
from labswarm.lifecycle.work import NOTICE_S, Work
from labswarm.tasks import Tasks


class Claiming:
    """Claims work for executions.

    `groups` finds the group of an instance that the ledger does not know. `too_short` is called
    with a hook (its group, name and heartbeat timeout in seconds) that no heartbeat can keep
    waiting. When EC2 takes a node back, the Task of `tasks` that waits for its students is ended.
    """

    def __init__(
        self,
        clusters: Clusters,
        ledger: Ledger,
        hooks: Hooks,
        groups: Groups,
        executions: Executions,
        clock: Clock,
        too_short: Callable[[str, str, int], None],
        tasks: Tasks,
    ) -> None:
        self._clusters = clusters
        self._ledger = ledger
        self._hooks = hooks
        self._groups = groups
        self._executions = executions
        self._clock = clock
        self._too_short = too_short
        self._tasks = tasks

    def claim(self, event: LifecycleEvent | SpotNotice, owner: str) -> Work | Skip:
        """The work, when it is `owner`'s to do.

        It skips an event that is too old, a notice to an instance that is not ours, and a launch or
        a rebalance whose instance terminates already. It skips an action in which the instance no
        longer waits, and work of another execution, which gets the lifecycle action's token.
        """
        if isinstance(event, SpotNotice):
            return self._claim_notice(event, owner)
        return self._claim_action(event, owner)

    def _claim_action(self, event: LifecycleEvent, owner: str) -> Work | Skip:
        now = self._clock.now()
        cluster = self._clusters.read_cluster(event.cluster)
        timeout_s = self._hooks.timeout_s(event.asg, event.hook)
        if event.at + timeout_s <= now:
            old_s = now - event.at
            return Skip(f"the event is {old_s:.0f} s old, its hook waits {timeout_s} s", "time")
        over = self._over(event)
        if over:
            return over
        if event.ends_the_instance:
            self._ledger.mark_terminating(event.instance_id, int(now))
        elif event.transition == "launch" and self._is_too_late(event, owner):
            return Skip("the instance terminates already")
        work = Work.begun(event, cluster, owner, timeout_s, now)
        tokens = {event.token: event.hook}
        wanted = _claim(event, event.cluster, event.asg, owner, tokens, int(now))
        if is_kept_up(timeout_s):
            wanted = replace(wanted, beats_until=work.deadline)
        else:
            self._too_short(event.asg, event.hook, timeout_s)
        return self._refused(wanted) or work

    def _claim_notice(self, notice: SpotNotice, owner: str) -> Work | Skip:
        now = self._clock.now()
        asg = self._group_of(notice.instance_id)
        name = cluster_of(asg) if asg else None
        if asg is None or name is None:
            why = f"{notice.instance_id} is not ours: its group is {asg}"
            return Skip(why, "detail.instance-id")
        if notice.at + NOTICE_S <= now:
            old_s = now - notice.at
            return Skip(f"the notice is {old_s:.0f} s old, its time is {NOTICE_S} s", "time")
        cluster = self._clusters.read_cluster(name)
        if notice.kind == "interruption":
            self._ledger.mark_terminating(notice.instance_id, int(now))
        elif self._is_too_late(notice, owner):
            return Skip("the instance terminates already")
        # No token yet: the hook's own execution leaves it when the instance is replaced.
        wanted = _claim(notice, name, asg, owner, {}, int(now))
        return self._refused(wanted) or Work.warned(notice, asg, cluster, owner)

    def _is_too_late(self, event: LifecycleEvent | SpotNotice, owner: str) -> bool:
        """Whether a launch or a rebalance may not begin any more, because the instance terminates.

        An execution whose function claimed it and then crashed goes on, because its later steps
        close the claim.
        """
        if not self._ledger.is_terminating(event.instance_id):
            return False
        claim = self._ledger.read_claim(event.instance_id, event.transition)
        return claim is None or claim.closed or claim.owner != owner

    def _over(self, event: LifecycleEvent) -> Skip | None:
        """Why an action that may be over is; None for one that is not.

        An action named by its instance is the one in which it waits now. A launch event that comes
        after its instance was launched without it must not launch a node in service again.
        """
        if not event.by_instance:
            launch = self._ledger.read_claim(event.instance_id, "launch")
            if event.transition != "launch" or launch is None or not launch.closed:
                return None
        member = self._groups.member(event.instance_id)
        state = member.state if member else "gone"
        if event.by_instance and waits_for(state) != event.transition:
            why = f"the instance does not wait for a {event.transition}: it is {state}"
            return Skip(why, "detail.EC2InstanceId")
        return Skip("the instance is in service already") if state == IN_SERVICE else None

    def _group_of(self, instance_id: str) -> str | None:
        launch = self._ledger.read_claim(instance_id, "launch")
        if launch is not None:
            return launch.asg
        member = self._groups.member(instance_id)
        return member.asg if member else None

    def _refused(self, wanted: Claim) -> Skip | None:
        """Ask the ledger for a claim; why it is not granted, or None when it is."""
        held = change(
            self._ledger,
            wanted.instance_id,
            wanted.transition,
            lambda existing: granted(existing, wanted, wanted.opened_at, self._executions.runs),
        )
        if held.closed:
            return Skip(f"it was done before ({held.phase})")
        if held.owner != wanted.owner:
            hurry(held, self._tasks)
            return Skip(f"{held.owner} works on it")
        return None


def _claim(
    event: LifecycleEvent | SpotNotice,
    cluster: str,
    asg: str,
    owner: str,
    tokens: dict[str, str],
    now: int,
) -> Claim:
    return Claim(
        instance_id=event.instance_id,
        transition=event.transition,
        owner=owner,
        lease_until=now + LEASE_S,
        tokens=tokens,
        hook=next(iter(tokens.values()), ""),
        asg=asg,
        cluster=cluster,
        opened_at=now,
        phases=(Phase("claimed", now),),
        urgent=isinstance(event, SpotNotice),
    )
