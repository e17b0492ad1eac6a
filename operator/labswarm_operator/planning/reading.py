"""Read a cluster to plan for: from an account, or from given sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labswarm.aws.accounts import AwsAccounts
from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.errors import code_of
from labswarm.cluster import Chef, Cluster, Resources, asg_name
from labswarm.errors import LabswarmError
from labswarm.lab_hours.state import LabHoursState
from labswarm.planning.cluster import Kind, PlannedCluster
from labswarm.readiness.account import Kind as InstanceType
from labswarm.readiness.planned import planned_cluster
from labswarm_operator.account import Clients, asked
from labswarm_operator.readiness import accounts_of
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown


@dataclass(frozen=True)
class Account:
    """A cluster as its account knows it; `state` has the bookings and the measured starts."""

    cluster: PlannedCluster
    state: LabHoursState
    region: str


@dataclass(frozen=True)
class Sizes:
    """Sizes that are given in place of a cluster's own; None: its own."""

    instance_type: str | None = None
    node_seats: int | None = None
    vcpus: int | None = None
    max_nodes: int | None = None
    node_start_s: float | None = None
    headroom: int | None = None


def read_account(clients: Clients, name: str, sizes: Sizes) -> Account:
    """Read a cluster, its group and its limits, with some sizes changed.

    Raises Refusal for an unknown cluster or instance type, and AWS's errors by kind.
    """
    with asked():
        names = SsmClusters(clients("ssm")).names()
        if name not in names:
            raise Refusal(f"--cluster: {unknown('cluster', name, names)}")
        described = SsmClusters(clients("ssm")).read_cluster(name)
        accounts = accounts_of(clients)
        group = accounts.group(described.asg)
        if group is None:
            raise Refusal(f"--cluster {name}: There is no group {described.asg}. Apply its stack.")
        if sizes.instance_type:
            group = replace(group, kinds=_kinds(accounts, sizes.instance_type))
        elif not group.kinds:
            raise Refusal(f"The group {group.name} names no instance type. Give --type.")
        state = DynamoLabHoursStates(clients("dynamodb"), TABLE).read_state(name)
        limits = accounts.limits(described.asg)
        addresses = accounts.addresses(described.asg)
        cluster = planned_cluster(described, group, limits, addresses, state)
        return Account(changed(cluster, sizes), state, accounts.region)


def given(sizes: Sizes) -> PlannedCluster:
    """Return a cluster of given sizes, without an account. Raises Refusal for a missing one."""
    if sizes.node_seats is None or sizes.max_nodes is None:
        raise Refusal("Give --cluster, or --node-seats and --max-nodes.")
    described = Cluster(
        name="given",
        asg=asg_name("given"),
        manager="",
        chef=Chef("", None, None, "", ""),
        seat=Resources(0, 0),
        overhead=Resources(0, 0),
        headroom=0,
        images=(),
        empty_deadline_s=0,
        timetable=None,
    )
    kind = Kind(sizes.instance_type or "", sizes.vcpus or 2, sizes.node_seats)
    return changed(PlannedCluster(described, kind, most=sizes.max_nodes), sizes)


def changed(cluster: PlannedCluster, sizes: Sizes) -> PlannedCluster:
    """Return the cluster with the sizes that are given."""
    kind, described = cluster.kind, cluster.description
    if sizes.max_nodes is not None:
        described = replace(described, max_nodes=sizes.max_nodes)
        cluster = replace(cluster, most=max(cluster.most, sizes.max_nodes))
    if sizes.headroom is not None:
        described = replace(described, headroom=sizes.headroom)
    if sizes.node_start_s is not None:
        described = replace(described, node_start_s=max(1, round(sizes.node_start_s)))
    if sizes.node_seats is not None:
        kind = replace(kind, seats=sizes.node_seats)
    if sizes.vcpus is not None:
        kind = replace(kind, vcpus=sizes.vcpus)
    return replace(cluster, kind=kind, description=described)


def _kinds(accounts: AwsAccounts, instance_type: str) -> Sequence[InstanceType]:
    try:
        with asked():
            return accounts.kinds([instance_type])
    except LabswarmError as error:
        if code_of(error) != "InvalidInstanceType":
            raise
        raise Refusal(
            f"--type: There is no instance type {instance_type!r} in this region. Give one like "
            "m7i.large."
        ) from error
