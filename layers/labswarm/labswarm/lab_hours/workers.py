"""The workers of a cluster, sorted by the actions that lab hours may take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from labswarm.groups import Group
from labswarm.lab_hours.refusing import refusing, to_close
from labswarm.snapshot import NodeSeen, Snapshot


@dataclass(frozen=True)
class Workers:
    """The nodes in service and ready in the Swarm, and how many are `starting`.

    `open` take new servers. `paused` keep theirs and take no new ones; of these, `may_open` may be
    opened again. `closing` are open and have to be paused, because servers do not start there.
    `old` come from an older launch template than the newest that has proved good. `new_follow`:
    the group launches instances of the newest.
    """

    open: tuple[NodeSeen, ...]
    paused: tuple[NodeSeen, ...]
    may_open: tuple[NodeSeen, ...]
    closing: tuple[NodeSeen, ...]
    old: frozenset[NodeSeen]
    new_follow: bool
    starting: int

    def for_exam(self, on_demand: frozenset[str]) -> "Workers":
        """Return them as an exam has them: only the instances in `on_demand` take servers, and no
        node counts as old."""
        spot = [n for n in (*self.open, *self.may_open) if n.instance_id not in on_demand]
        return replace(
            self,
            open=tuple(n for n in self.open if n not in spot),
            may_open=tuple(n for n in self.may_open if n not in spot),
            closing=(*self.closing, *(n for n in self.open if n in spot)),
            old=frozenset(),
        )

    @classmethod
    def of(cls, snapshot: Snapshot, group: Group, leaving: frozenset[str]) -> "Workers":
        """Sort the nodes; the instances in `leaving` are paused for good."""
        ready = [
            n for n in snapshot.nodes if n.instance_id in group.in_service and n.state == "ready"
        ]
        closing = to_close(ready)
        paused = [n for n in ready if n.availability == "pause"]
        for_good = leaving | {n.instance_id for n in refusing(ready)}
        # A node missing from the snapshot has only just come; one that never comes is reconcile's
        # task.
        unseen = group.in_service - {n.instance_id for n in snapshot.nodes}
        old = _old(ready, group.versions)
        return cls(
            open=tuple(n for n in ready if n.availability == "active" and n not in closing),
            paused=tuple(paused),
            may_open=tuple(n for n in paused if n.instance_id not in for_good),
            closing=tuple(closing),
            old=old,
            new_follow=_new_follow(ready, old),
            starting=max(0, group.desired - len(group.in_service)) + len(unseen),
        )

    def students_on_old(self, nodes: Iterable[NodeSeen]) -> int:
        """Count the servers on the old ones of these nodes."""
        return sum(n.seats_used for n in nodes if n in self.old)


def _old(ready: Sequence[NodeSeen], versions: Mapping[str, int]) -> frozenset[NodeSeen]:
    """The nodes of an older launch template than the newest that a node has come of: that node
    shows that the template is good."""
    version = {node: versions.get(str(node.instance_id), 0) for node in ready}
    newest = max(version.values(), default=0)
    return frozenset(node for node in ready if version[node] < newest)


def _new_follow(ready: Sequence[NodeSeen], old: frozenset[NodeSeen]) -> bool:
    """Whether what is launched now is new. Where the last node to join is an old one, the group has
    gone back to its template, and more of them would be old too."""
    return bool(old) and max(ready, key=lambda n: (n.created_at, n not in old)) not in old
