"""Check an account and a cluster before the cluster's labs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from labswarm.chef.certificate import Certificate
from labswarm.cluster import Chef, Cluster, ReadClusters, asg_name
from labswarm.errors import BadInput, LabswarmError
from labswarm.lab_hours.state import LabHoursState, LabHoursStates
from labswarm.planning.answer import Answer
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm.readiness.account import Facts
from labswarm.readiness.account_rules import Finding
from labswarm.readiness.account_rules import diagnose as of_account
from labswarm.readiness.accounts import Accounts
from labswarm.readiness.facts import Readiness
from labswarm.readiness.fit import fit
from labswarm.readiness.planned import distributions, planned_cluster
from labswarm.readiness.rules import diagnose
from labswarm.readiness.surroundings import Surroundings
from labswarm.snapshot import ReadSnapshots

SOON_S = 48 * 3600
"""How far ahead booked labs are looked at (seconds)."""
LOSSES = 0.05
"""The share of spot nodes that EC2 takes back per hour in the plan: the plan's own default."""
SCORED_TYPES = 3
"""The score of fewer instance types is always low, whatever capacity there is:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html"""
T = TypeVar("T")


@dataclass(frozen=True)
class Checked:
    """A cluster's facts and all findings about it and its account."""

    facts: Readiness
    findings: tuple[Finding, ...]


def read_facts(clusters: ReadClusters, accounts: Accounts, name: str) -> Facts:
    """Return the facts of a cluster's account. Raises AWS's errors by kind."""
    cluster: Cluster | None = None
    problem = ""
    try:
        cluster = clusters.read_cluster(name)
    except BadInput as error:
        problem = str(error)
    group = accounts.group(cluster.asg if cluster else asg_name(name))
    alarms = accounts.alarms()
    topics = sorted({topic for alarm in alarms for topic in alarm.topics})
    return Facts(
        name=name,
        cluster=cluster,
        problem=problem,
        group=group,
        limits=accounts.limits(group.name if group else ""),
        agents=accounts.agents(name),
        missing=accounts.missing(cluster) if cluster else [],
        alarms=alarms,
        subscribers=accounts.subscribers(topics),
        rates=accounts.rates(),
    )


class Checks:
    """Checks clusters by the stores of the app and the account of AWS."""

    def __init__(
        self,
        clusters: ReadClusters,
        accounts: Accounts,
        surroundings: Surroundings,
        states: LabHoursStates,
        snapshots: ReadSnapshots,
        certificate: Callable[[Chef], Certificate] | None,
    ) -> None:
        """`certificate` is None where the Chef Server's network is not reached."""
        self._clusters = clusters
        self._accounts = accounts
        self._surroundings = surroundings
        self._states = states
        self._snapshots = snapshots
        self._certificate = certificate

    def check(self, name: str, now: float) -> Checked:
        """Check a cluster at `now` (epoch seconds). A check that cannot be made is named.

        Raises AWS's errors by kind.
        """
        account = read_facts(self._clusters, self._accounts, name)
        findings = of_account(account, fit(account))
        if account.cluster is None or account.group is None:
            return Checked(Readiness(now), tuple(findings))
        facts = self._readiness(account, account.cluster, now)
        return Checked(facts, (*findings, *diagnose(facts)))

    def _readiness(self, account: Facts, cluster: Cluster, now: float) -> Readiness:
        unchecked: list[str] = []

        def checked(what: str, read: Callable[[], T]) -> T | None:
            """The result of a check; None, with its reason noted, where it cannot be made."""
            try:
                return read()
            except LabswarmError as error:
                unchecked.append(f"{what}: {str(error).splitlines()[0]}")
                return None

        state = self._states.read_state(cluster.name)
        answer = checked("labs", lambda: self._answer(account, cluster, state, now))
        nodes = answer.nodes if answer else 1
        types = sorted(kind.name for kind in account.group.kinds) if account.group else []
        score = None
        if len(types) >= SCORED_TYPES:
            score = checked("spot capacity", lambda: self._surroundings.score(types, nodes))
        else:
            unchecked.append(
                f"spot capacity: EC2 scores {SCORED_TYPES} instance types or more, and the group "
                f"has {len(types)}"
            )
        homes = checked("homes", lambda: self._surroundings.homes(cluster.name))
        if homes == {}:
            unchecked.append(f"homes: there is no file system labswarm-{cluster.name}-homes")
        seen: Certificate | None = None
        if read := self._certificate:
            seen = checked("Chef Server's certificate", lambda: read(cluster.chef))
        else:
            unchecked.append("Chef Server's certificate: it is outside of this network")
        snapshot = self._snapshots.read_snapshot(cluster.name)
        return Readiness(
            now=now,
            answer=answer,
            problems=state.all_problems,
            fed=state.read_at if cluster.timetable else None,
            snapshot_at=snapshot.taken_at if snapshot else None,
            images=checked("images", lambda: self._surroundings.images(cluster.asg)) or {},
            homes=homes or {},
            alarms_on=sorted(alarm.name for alarm in account.alarms if alarm.on),
            nodes=nodes,
            score=score,
            certificate=seen,
            unchecked=unchecked,
        )

    def _answer(
        self, account: Facts, cluster: Cluster, state: LabHoursState, now: float
    ) -> Answer | None:
        """The plan of the labs that start soon; None without one."""
        labs = [Lab(lab, lab.seats) for lab in state.labs if now <= lab.starts <= now + SOON_S]
        if not labs or account.group is None:
            return None
        planned = planned_cluster(
            cluster, account.group, account.limits, self._accounts.addresses(cluster.asg), state
        )
        times = distributions(planned, state.starts_s, LOSSES)
        return plan(labs, planned, Arrivals(), times, 1, now)
