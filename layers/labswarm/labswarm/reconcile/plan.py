"""Passes: the actions on orphans, how soon, and how many at once.

One look may be wrong: lists are read one after the other, and some lag behind. So a pass marks its
findings, and acts only on those that the last pass marked too, longer ago than a node takes to
start.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labswarm.reconcile.findings import (
    Finding,
    Listings,
    none_is_heard_of,
    orphans,
    reasons_to_distrust,
)
from labswarm.reconcile.passes import Pass

LEAST_CAP = 5
CAP_PERCENT = 10
# A pass longer ago than this says nothing about now: several scheduled ones have not come.
FORGOTTEN_S = 1800
# A state machine's data is limited (256 KiB); the log has the rest.
_TOLD = 100


@dataclass(frozen=True)
class Plan:
    """The decision of one pass.

    `why_not` says why it decides nothing; `decided` is then False. `due` is
    done now. `waiting` is found, and not old enough or not agreed on by two passes. `over_cap`
    would be due, but a pass does at most `cap`, or no worker is heard of. `named` is for a person.
    """

    cluster: str
    why_not: tuple[str, ...] = ()
    cap: int = 0
    due: tuple[Finding, ...] = ()
    waiting: tuple[Finding, ...] = ()
    over_cap: tuple[Finding, ...] = ()
    named: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        return not self.why_not

    def keys(self, what: str) -> list[str]:
        """The due findings of this kind."""
        return [finding.key for finding in self.due if finding.what == what]

    def to_json(self) -> dict[str, Any]:
        """For the machine and a person: all that is due, and the first 100 of each other list."""
        lists = ("waiting", "over_cap", "named")
        return {
            "cluster": self.cluster,
            "decided": self.decided,
            "why_not": list(self.why_not),
            "cap": self.cap,
            "due": [asdict(finding) for finding in self.due],
            **{
                name: [asdict(finding) for finding in getattr(self, name)[:_TOLD]] for name in lists
            },
            "counts": {name: len(getattr(self, name)) for name in ("due", *lists)},
            "swarm_nodes": self.keys("swarm-node"),
            "chef_identities": self.keys("chef-identity"),
            "instances": self.keys("instance"),
            "services": self.keys("service"),
        }


def cap_of(instances: int) -> int:
    """How many may go in one pass: a tenth of the group, and at least 5."""
    return max(LEAST_CAP, instances * CAP_PERCENT // 100)


def decide(
    listings: Listings, last: Pass | None, now: float, start_s: float
) -> tuple[Plan, Pass | None]:
    """The plan of a pass, and the pass to be kept; None when it decides nothing.

    `start_s` is how long a node takes to start (seconds), `now` is in epoch seconds.
    """
    why_not = reasons_to_distrust(listings)
    taken_at = listings.swarm.taken_at
    if not listings.swarm.fresh(now):
        why_not.append(f"the Swarm's snapshot is {now - taken_at:.0f} s old")
    if last and taken_at <= last.snapshot_at:
        why_not.append("the Swarm's snapshot is the one that the last pass saw")
    if why_not:
        return Plan(listings.cluster, tuple(why_not)), None
    counted = last.first_seen if last and now - last.at <= FORGOTTEN_S else {}
    found = orphans(listings)
    marked = {_mark(f): f for f in found if f.remedy != "name"}
    since = {mark: counted.get(mark, now) for mark in marked}
    # A whole class of services may be lost at once, and students wait for the worker among them.
    in_turn = sorted(marked, key=lambda mark: (marked[mark].what == "service", since[mark], mark))
    agreed = [m for m in in_turn if m in counted and now - since[m] >= start_s]
    waiting = [m for m in in_turn if m not in counted or now - since[m] < start_s]
    cap = cap_of(len(listings.group.states))
    held = _held([marked[mark] for mark in agreed], listings)
    due = [mark for mark in agreed if marked[mark] not in held][:cap]
    plan = Plan(
        cluster=listings.cluster,
        cap=cap,
        due=tuple(marked[mark] for mark in due),
        waiting=tuple(marked[mark] for mark in waiting),
        over_cap=tuple(marked[mark] for mark in agreed if mark not in due),
        named=tuple(f for f in found if f.remedy == "name"),
    )
    version = last.version if last else 0
    return plan, Pass(now, taken_at, since, version, at_rest=not found and listings.empty)


def _held(agreed: list[Finding], listings: Listings) -> list[Finding]:
    """The due actions that are held back: if no worker is heard from, all replacements but one.

    If it is the hub that is cut off, those in their place would not reach it either. Whether that
    is so, one of them shows; as long as it is on its way, there is no other.
    """
    if not none_is_heard_of(listings):
        return []
    lost = [finding for finding in agreed if finding.remedy == "replace"]
    coming = {i for i, state in listings.group.states.items() if state.startswith("Pending")}
    return lost if coming - {finding.key for finding in lost} else lost[1:]


def _mark(finding: Finding) -> str:
    return f"{finding.what} {finding.key}"
