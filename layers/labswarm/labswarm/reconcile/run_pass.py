"""One pass over a cluster: list and compare every side, and store the findings."""

from collections.abc import Mapping, Sequence

from labswarm.clock import Clock
from labswarm.cluster import INSTANCE_ID, Clusters
from labswarm.commands.agent import Agent
from labswarm.errors import BadInput
from labswarm.groups import Groups
from labswarm.lifecycle.ledger import Claim, Ledger
from labswarm.reconcile.findings import Identities, Listings, in_order
from labswarm.reconcile.passes import Passes
from labswarm.reconcile.plan import Plan, decide
from labswarm.snapshot import Snapshots


class Comparing:
    """Makes passes. Every listing that fails raises: half a list decides nothing."""

    def __init__(
        self,
        clusters: Clusters,
        groups: Groups,
        snapshots: Snapshots,
        agents: Agent,
        ledger: Ledger,
        passes: Passes,
        clock: Clock,
    ) -> None:
        self._clusters = clusters
        self._groups = groups
        self._snapshots = snapshots
        self._agents = agents
        self._ledger = ledger
        self._passes = passes
        self._clock = clock

    def run_pass(self, name: str, chef: object, *, dry_run: bool) -> Plan:
        """The plan for a cluster; `chef` is the input of `identities_of`.

        It is kept for the next pass, unless `dry_run`. Raises BadInput for a cluster that is not
        described, Transient and Permanent when a side cannot be listed.
        """
        cluster = self._clusters.read_cluster(name)
        try:
            identities = identities_of(chef)
        except BadInput as error:
            return Plan(name, (f"the Chef Server was not listed: {error}",))
        # The oldest view first: a younger one shows the objects that it misses.
        swarm = self._snapshots.read_snapshot(name)
        if swarm is None:
            return Plan(name, ("the Swarm has no snapshot",))
        last = self._passes.read_pass(name)
        group = self._groups.roster(cluster.asg)
        online = self._agents.all_online()
        seen = {node.instance_id for node in swarm.nodes if node.instance_id}
        seen |= group.states.keys() | identities.clients | identities.nodes
        now = self._clock.now()
        # Most instances are in order, and nobody asks what the ledger says of those.
        claims = self._ledger.about(seen - in_order(group, swarm, identities, online))
        listings = Listings(
            cluster=name,
            manager=cluster.manager,
            group=group,
            swarm=swarm,
            chef=identities,
            online=online,
            working=_spared(claims, now),
            joined=frozenset(c.instance_id for c in claims if c.phase == "joined"),
        )
        plan, made = decide(listings, last, now, cluster.node_start_s)
        if made and not dry_run and not self._passes.write_pass(name, made):
            return Plan(name, ("another pass was made at the same time",))
        return plan


def identities_of(chef: object) -> Identities:
    """Read what `own_identities` wrote. Raises BadInput for anything else, such as a failure."""
    if not isinstance(chef, Mapping) or "clients" not in chef or "nodes" not in chef:
        raise BadInput("chef", f"is {str(chef)[:300]}; it has to have clients and nodes")
    return Identities(frozenset(chef["clients"]), frozenset(chef["nodes"]))


def own_identities(cluster: str, clients: list[str], nodes: list[str]) -> dict[str, list[str]]:
    """The instance ids of a cluster's clients and nodes, from the names of all of them.

    A name of any other form is not ours.
    """
    return {"clients": _own(cluster, clients), "nodes": _own(cluster, nodes)}


def _own(cluster: str, names: list[str]) -> list[str]:
    prefix = f"{cluster}-"
    ids = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
    return [instance_id for instance_id in ids if INSTANCE_ID.fullmatch(instance_id)]


def _spared(claims: Sequence[Claim], now: float) -> frozenset[str]:
    """The instances that an execution works on, and those that rest in a warm pool: these are not
    among the group's, and keep their Chef client."""
    last = {claim.instance_id: claim for claim in claims if claim.transition == "launch"}
    last |= {claim.instance_id: claim for claim in claims if claim.transition == "terminate"}
    resting = {instance_id for instance_id, claim in last.items() if claim.phase == "pooled"}
    worked_on = {c.instance_id for c in claims if not c.closed and c.lease_until > now}
    return frozenset(resting | worked_on)
