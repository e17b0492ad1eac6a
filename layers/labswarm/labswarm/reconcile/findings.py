"""Compare the full listings of a cluster's sides, and find the objects that one of them lacks.

The sides are the Auto Scaling group, the Swarm, the Chef Server, the hub, the SSM agents and the
ledger.
Events are best effort, so each of them can keep what the others have forgotten.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from labswarm.groups import IN_SERVICE, Roster
from labswarm.seats import START_WITHIN_S
from labswarm.snapshot import NodeSeen, Snapshot

What = Literal["swarm-node", "chef-identity", "instance", "service"]
Remedy = Literal["remove", "replace", "name"]

# An instance in another state is on its way, and its hook sees to it.
_STAYING = frozenset({IN_SERVICE, "Pending:Wait"})


@dataclass(frozen=True)
class Identities:
    """The Chef Server's clients and nodes that are named as the cluster's, by instance id."""

    clients: frozenset[str]
    nodes: frozenset[str]


@dataclass(frozen=True)
class Listings:
    """Every side of one cluster, each in full.

    `manager` is the hub's instance, which is in no group. `online` are the instances whose agents
    answer. From the ledger: `working`, the instances that an execution launches or terminates or
    that rest in a warm pool, and `joined`, those whose launch has ended well.
    """

    cluster: str
    manager: str
    group: Roster
    swarm: Snapshot
    chef: Identities
    online: frozenset[str]
    working: frozenset[str]
    joined: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether no side knows anything of the cluster but its hub, nor is to have any."""
        known = self.group.states.keys() | self.chef.clients | self.chef.nodes | self.working
        swarm = self.swarm
        unknown = swarm.hub is not None and swarm.hub.unknown
        # If the hub did not answer, only these show its possible losses.
        servers = swarm.running or swarm.waiting or unknown
        return not (self.group.desired or swarm.nodes or servers or known - {self.manager})


def in_order(
    group: Roster, swarm: Snapshot, chef: Identities, online: frozenset[str]
) -> frozenset[str]:
    """The instances that every side knows as one in service."""
    ready = {node.instance_id for node in swarm.nodes if node.state == "ready"}
    return frozenset(
        instance_id
        for instance_id, state in group.states.items()
        if state == IN_SERVICE and instance_id in ready & chef.clients & chef.nodes & online
    )


@dataclass(frozen=True)
class Finding:
    """One thing that the sides disagree on.

    `key` is a Swarm node id, a Swarm service id or an instance id. The remedy `name` only informs a
    person: the object may still be in use.
    """

    what: What
    key: str
    remedy: Remedy
    reason: str


def reasons_to_distrust(listings: Listings) -> list[str]:
    """The reasons not to believe these listings, though none has failed: sides that are empty and
    cannot be."""
    found = []
    members = listings.group.states
    ready = [node for node in listings.swarm.nodes if node.state == "ready"]
    if not members and (listings.group.desired or ready):
        found.append(
            f"the group lists no instance, but wants {listings.group.desired} and the Swarm has "
            f"{len(ready)} ready workers"
        )
    in_service = {i for i, state in members.items() if state == IN_SERVICE}
    settled = (in_service & listings.joined) - listings.working
    if settled and not listings.swarm.nodes:
        found.append(f"the Swarm lists no worker, but {len(settled)} in service have joined it")
    for kind, listed in (("client", listings.chef.clients), ("node", listings.chef.nodes)):
        if settled and not listed:
            found.append(
                f"the Chef Server lists no {kind} of {listings.cluster}, "
                f"but {len(settled)} in service were registered there"
            )
    return found


def none_is_heard_of(listings: Listings) -> bool:
    """Whether all of several workers in service are down: rather than they, the hub may be lost."""
    members = listings.group.states
    known = {n.instance_id for n in listings.swarm.nodes if members.get(n.instance_id or "")}
    return len(known) > 1 and not known & _living(listings.swarm.nodes)


def orphans(listings: Listings) -> list[Finding]:
    """Everything on which the sides disagree, but for instances that are being worked on."""
    spared = listings.working | {listings.manager}
    return [
        *_in_swarm(listings, spared),
        *_of_students(listings.swarm),
        *_in_chef(listings, spared),
        *_in_group(listings, spared),
    ]


def _in_swarm(listings: Listings, spared: frozenset[str]) -> Iterator[Finding]:
    members = listings.group.states
    ready = _ready(listings.swarm.nodes)
    for node in listings.swarm.nodes:
        instance = node.instance_id
        if instance in spared:
            continue
        if instance is None or instance not in members:
            who = f"its instance {instance} is not in the group" if instance else "has no instance"
            if node.state == "down":
                yield Finding("swarm-node", node.node_id, "remove", f"down, and {who}")
            elif node.state == "ready":
                reason = f"ready, but {who}; its {node.seats_used} servers run on"
                yield Finding("swarm-node", node.node_id, "name", reason)
        elif node.state == "down" and instance in ready:
            reason = f"a ghost: its instance {instance} goes on as node {ready[instance]}"
            yield Finding("swarm-node", node.node_id, "remove", reason)


def _of_students(swarm: Snapshot) -> Iterator[Finding]:
    """Services of students that the hub has lost: no way leads to them, and their files are on the
    homes."""
    if swarm.hub is None:
        return
    # One that knows none at all is new, or does not report its servers.
    knows_none = swarm.hub.servers == 0 and len(swarm.hub.unknown) > 1
    for service in swarm.hub.unknown:
        # The hub knows a start that is under way; this is for one that was restarted meanwhile.
        if swarm.taken_at - service.created_at < START_WITHIN_S:
            continue
        made = datetime.fromtimestamp(service.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reason = f"a student's, made at {made}, and the hub does not know it"
        if knows_none:
            reason += f", nor any of {len(swarm.hub.unknown)}"
        yield Finding("service", service.service_id, "name" if knows_none else "remove", reason)


def _in_chef(listings: Listings, spared: frozenset[str]) -> Iterator[Finding]:
    known = spared | listings.group.states.keys()
    # A ready node without its instance is named as that; both sides know it, so it is not cut off.
    known |= _ready(listings.swarm.nodes).keys()
    for instance in sorted((listings.chef.clients | listings.chef.nodes) - known):
        sides = (("client", listings.chef.clients), ("node", listings.chef.nodes))
        has = " and a ".join(kind for kind, listed in sides if instance in listed)
        if instance in listings.online:
            reason = f"a {has} whose instance is not in the group, but its agent is online"
            yield Finding("chef-identity", instance, "name", reason)
        else:
            reason = f"a {has} whose instance is not in the group"
            yield Finding("chef-identity", instance, "remove", reason)


def _in_group(listings: Listings, spared: frozenset[str]) -> Iterator[Finding]:
    in_swarm = {node.instance_id for node in listings.swarm.nodes}
    living = _living(listings.swarm.nodes)
    for instance, state in sorted(listings.group.states.items()):
        if state not in _STAYING or instance in spared:
            continue
        if instance not in living:
            where = "down in the Swarm" if instance in in_swarm else "not in the Swarm"
            yield Finding("instance", instance, "replace", f"{state}, but {where}")
            continue
        lacks = [
            lack
            for lack, here in (
                ("has no online agent", instance in listings.online),
                ("has no Chef client", instance in listings.chef.clients),
                ("has no Chef node", instance in listings.chef.nodes),
            )
            if not here
        ]
        if lacks and state == IN_SERVICE:
            reason = f"in service and in the Swarm, but {', '.join(lacks)}"
            yield Finding("instance", instance, "name", reason)


def _living(nodes: Iterable[NodeSeen]) -> frozenset[str | None]:
    """The instances with a node that is not down; `unknown` counts as not down."""
    return frozenset(node.instance_id for node in nodes if node.state != "down")


def _ready(nodes: Iterable[NodeSeen]) -> dict[str, str]:
    """The id of the ready node of each instance that has one."""
    return {n.instance_id: n.node_id for n in nodes if n.instance_id and n.state == "ready"}
