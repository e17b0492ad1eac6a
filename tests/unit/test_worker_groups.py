"""A hub with a further group of workers: nothing of one is seen, taken or cleaned up for the other.

Each part is asked about a cluster twice, with the other's things around and without them, and has
to answer the same.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.twins.hub import HubTwin

from labswarm.cluster import INSTANCE_ID, NAME, asg_name, cluster_of, node_name
from labswarm.groups import Group, Roster
from labswarm.lab_hours.demand import Decision, Situation
from labswarm.lab_hours.demand import decide as decide_nodes
from labswarm.reconcile.findings import Listings
from labswarm.reconcile.plan import Plan, decide
from labswarm.reconcile.run_pass import identities_of, own_identities
from labswarm.seats import Seat
from labswarm.snapshot import Snapshot
from labswarm_hub import tasks
from labswarm_hub.seating import Seating
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import CLUSTER_LABEL, SERVICE_LABEL
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.evacuation import MovesFile, step
from labswarm_node.snapshot import snapshot_of
from labswarm_node.swarm import Server, StudentTask, SwarmNode

NOW, START_S = 1_800_000_000.0, 240
MANAGER = "i-0fedcba9876543210"
OWN, GPU = "lab", "lab-gpu"
CLUSTERS = (OWN, GPU)
PLAIN, LARGE, NO_OVERHEAD = Seat(512, 250), Seat(4096, 2000), Seat(0, 0)
SEATS = {OWN: PLAIN, GPU: LARGE}

names = st.from_regex(NAME, fullmatch=True)
instance_ids = st.from_regex(INSTANCE_ID, fullmatch=True)
clusters = st.sampled_from(CLUSTERS)


@dataclass(frozen=True)
class Machine:
    """A worker as every side knows it, or does not: None and False where a side does not."""

    number: int
    cluster: str
    asg: str | None
    swarm: str | None
    client: bool
    chef_node: bool
    online: bool
    availability: str = "active"
    labelled: bool = True
    servers: int = 0
    in_line: int = 0

    @property
    def instance(self) -> str:
        return f"i-{self.number:017x}"

    @property
    def node(self) -> SwarmNode:
        """The hub's own workers may be from before nodes were labelled with their cluster."""
        return SwarmNode(
            node_id=f"n{self.number:024}",
            role="worker",
            state=str(self.swarm),
            availability=self.availability,
            node_label=self.instance,
            engine_label=self.instance,
            memory_bytes=8192,
            nano_cpus=8000,
            created_at="2026-11-24",
            node_cluster=self.cluster if self.labelled else None,
            # One that has only just joined is known by its engine alone.
            engine_cluster=None if self.labelled or self.cluster == OWN else self.cluster,
        )

    @property
    def tasks(self) -> list[StudentTask]:
        """The servers on it, and as many as wait with it for a seat."""
        label = self.cluster if self.labelled or self.cluster != OWN else None
        node_id = self.node.node_id if self.swarm else None
        here = [(node_id, False)] * self.servers + [(None, True)] * self.in_line
        return [
            StudentTask(Server(f"s{self.number}-{n}", "", f"s{self.number}-{n}"), *where, label)
            for n, where in enumerate(here)
        ]


@st.composite
def any_workers(draw: st.DrawFn) -> list[Machine]:
    """Workers of both clusters, with all their possible faults."""
    count = draw(st.integers(0, 8))
    return [
        Machine(
            number=number,
            cluster=draw(clusters),
            asg=draw(st.sampled_from([None, "InService", "Pending:Wait", "Terminating:Wait"])),
            swarm=draw(st.sampled_from([None, "ready", "down"])),
            client=draw(st.booleans()),
            chef_node=draw(st.booleans()),
            online=draw(st.booleans()),
            availability=draw(st.sampled_from(["active", "pause", "drain"])),
            labelled=draw(st.booleans()),
            servers=draw(st.integers(0, 3)),
            in_line=draw(st.integers(0, 2)),
        )
        for number in range(1, count + 1)
    ]


def of(workers: Sequence[Machine], cluster: str) -> list[Machine]:
    return [machine for machine in workers if machine.cluster == cluster]


def seen(workers: Sequence[Machine], cluster: str, at: float = NOW) -> Snapshot:
    """The hub's host's snapshot of a cluster."""
    hub = SwarmNode("hub", "manager", "ready", "active", MANAGER, MANAGER, 1, 1, "2026")
    return snapshot_of(
        cluster,
        at,
        [hub, *(machine.node for machine in workers if machine.swarm)],
        [task for machine in workers for task in machine.tasks],
        SEATS[cluster],
        NO_OVERHEAD,
        own=cluster == OWN,
    )


def plan(workers: Sequence[Machine], cluster: str) -> Plan:
    """The plan of a cluster's second pass over the same workers."""
    ours = of(workers, cluster)
    clients = [node_name(m.cluster, m.instance) for m in workers if m.client]
    nodes = [node_name(m.cluster, m.instance) for m in workers if m.chef_node]
    hub = node_name(OWN, MANAGER)
    last, made = None, None
    for at in (NOW, NOW + 300):
        last = made
        listings = Listings(
            cluster=cluster,
            manager=MANAGER,
            group=Roster(len(ours), {m.instance: m.asg for m in ours if m.asg}),
            swarm=seen(workers, cluster, at),
            chef=identities_of(own_identities(cluster, [*clients, hub], [*nodes, hub])),
            online=frozenset(m.instance for m in workers if m.online),
            working=frozenset(),
            joined=frozenset(m.instance for m in workers if m.chef_node),
        )
        plan, made = decide(listings, last, at, START_S)
    return plan


def wanted(workers: Sequence[Machine], cluster: str) -> Decision:
    """The lab hours' decision for a cluster."""
    ours = of(workers, cluster)
    in_service = frozenset(m.instance for m in ours if m.asg == "InService")
    group = Group(desired=len(ours), least=0, most=20, in_service=in_service)
    return decide_nodes(Situation(cluster, NOW, seen(workers, cluster), group, (), 1, 300))


@given(names, names, instance_ids, instance_ids)
def test_no_two_clusters_share_a_group_or_an_identity(
    one: str, other: str, first: str, second: str
) -> None:
    assert cluster_of(asg_name(one)) == one
    same = (one, first) == (other, second)
    assert (node_name(one, first) == node_name(other, second)) == same
    found = own_identities(one, [node_name(other, second)], [])["clients"]
    assert found == ([second] if one == other else [])


@pytest.mark.parametrize("cluster", ["lab", "lab-gpu", "lab-i-0123456789abcdef0"[:20], "lab-"])
def test_only_a_cluster_s_name_and_an_instance_make_an_identity_of_it(cluster: str) -> None:
    ours = node_name(cluster, MANAGER)
    others = [node_name(f"{cluster}{more}", MANAGER) for more in ("-gpu", "-i", "-", "x")]
    names = [ours, *others, f"{ours}-", f"{ours}\n", f"x{ours}", cluster, MANAGER]
    assert own_identities(cluster, names, names) == {"clients": [MANAGER], "nodes": [MANAGER]}


@given(any_workers())
def test_every_node_and_every_server_is_reported_once(workers: list[Machine]) -> None:
    snapshots = [seen(workers, cluster) for cluster in CLUSTERS]
    plan = Counter(node.node_id for snapshot in snapshots for node in snapshot.nodes)
    assert plan == Counter(machine.node.node_id for machine in workers if machine.swarm)
    assert sum(s.waiting for s in snapshots) == sum(machine.in_line for machine in workers)
    running = sum(machine.servers for machine in workers if machine.swarm != "down")
    assert sum(s.running for s in snapshots) == running


@given(any_workers(), clusters)
def test_a_clusters_snapshot_is_the_same_as_it_would_be_alone(
    workers: list[Machine], name: str
) -> None:
    assert seen(workers, name) == seen(of(workers, name), name)
    assert {node.instance_id for node in seen(workers, name).nodes} <= {
        machine.instance for machine in of(workers, name)
    }


@given(any_workers(), clusters)
def test_reconcile_finds_the_same_in_a_cluster_as_it_would_alone(
    workers: list[Machine], name: str
) -> None:
    found = plan(workers, name)
    assert found == plan(of(workers, name), name)
    keys = {f.key for f in (*found.due, *found.waiting, *found.over_cap, *found.named)}
    assert keys <= {key for m in of(workers, name) for key in (m.instance, m.node.node_id)}


@given(any_workers(), clusters)
def test_lab_hours_want_the_same_for_a_cluster_as_they_would_alone(
    workers: list[Machine], name: str
) -> None:
    decision = wanted(workers, name)
    assert decision == wanted(of(workers, name), name)
    acted_on = {*decision.activate, *decision.pause, *decision.terminate}
    assert acted_on <= {machine.instance for machine in of(workers, name)}


def test_a_new_node_of_a_group_that_is_not_labelled_yet_is_no_stranger_to_either() -> None:
    running = [
        Machine(n, name, "InService", "ready", True, True, True)
        for n, name in enumerate(CLUSTERS, 1)
    ]
    # Joined and paused, while its images are pulled.
    new = replace(running[1], number=3, asg="Pending:Wait", availability="pause", labelled=False)
    for name in CLUSTERS:
        found = plan([*running, new], name)
        assert (found.decided, found.due, found.waiting, found.named) == (True, (), (), ())
    assert wanted([*running, new], OWN) == wanted(running, OWN)


# The students on each node.


def settings() -> HubSettings:
    return HubSettings.parse(
        json.dumps(
            {
                "lab": True,
                "cluster": OWN,
                "image": "registry/notebook",
                "command": ["run"],
                "seat": {"memory_bytes": 512, "nano_cpus": 250},
                "overhead": {"memory_bytes": 0, "nano_cpus": 0},
                "limit": {"memory_bytes": 512, "nano_cpus": 250, "pids": 1},
                "homes": "/homes",
                "data_dir": "/srv/labswarm",
                "authenticator": "dummy",
                "manager_token_file": "/srv/labswarm/manager.token",
                "groups": {
                    "gpu": {
                        "seat": {"memory_bytes": 4096, "nano_cpus": 2000},
                        "overhead": {"memory_bytes": 0, "nano_cpus": 0},
                        "limit": {"memory_bytes": 4096, "nano_cpus": 2000, "pids": 1},
                    }
                },
                "profiles": {"cuda": {"title": "A GPU", "group": "gpu"}},
            }
        )
    )


OPTIONS: dict[str, dict[str, Any]] = {OWN: {}, GPU: {"profile": "cuda"}}


def listed(node: SwarmNode) -> dict[str, Any]:
    """A node as the Engine lists it."""
    named = {CLUSTER_LABEL: node.node_cluster} if node.node_cluster else {}
    of_engine = {CLUSTER_LABEL: node.engine_cluster} if node.engine_cluster else {}
    return {
        "ID": node.node_id,
        "Spec": {"Role": node.role, "Availability": node.availability, "Labels": named},
        "Status": {"State": node.state},
        "Description": {
            "Resources": {"MemoryBytes": node.memory_bytes, "NanoCPUs": node.nano_cpus},
            "Engine": {"Labels": of_engine},
        },
    }


def listed_task(task: StudentTask) -> dict[str, Any]:
    return {
        "NodeID": task.node_id or "",
        "Status": {"State": "pending" if task.waits else "running"},
        "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: task.server.service}}},
    }


class Desk:
    """Gives out the seats of a hub's groups, as its spawners do."""

    def __init__(self) -> None:
        self.settings = settings()
        self.seatings: defaultdict[str, Seating] = defaultdict(Seating)

    def ask(
        self,
        service: str,
        cluster: str,
        nodes: Sequence[SwarmNode],
        there: Sequence[StudentTask] = (),
    ) -> str | None:
        group = self.settings.group_of(OPTIONS[cluster])
        seated = tasks.seated_of(map(listed, nodes), group, OWN)
        return self.seatings[group.cluster].take(service, seated, map(listed_task, there))


@given(any_workers())
def test_the_hub_and_its_host_see_the_same_seats(workers: list[Machine]) -> None:
    nodes = [machine.node for machine in workers if machine.swarm]
    there = [listed_task(task) for machine in workers for task in machine.tasks]
    for name in CLUSTERS:
        group = settings().group_of(OPTIONS[name])
        seated = tasks.seated_of(map(listed, nodes), group, OWN, there)
        assert {node.node_id: node.seats for node in seen(workers, name).nodes} == {
            node.node_id: node.seats for node in seated
        }


@given(any_workers(), st.lists(clusters, max_size=40))
def test_students_of_one_group_never_take_another_s_seats_nor_its_places_in_line(
    workers: list[Machine], arrivals: list[str]
) -> None:
    nodes = [machine.node for machine in workers if machine.swarm]
    both, given_out = Desk(), {}
    for number, name in enumerate(arrivals):
        given_out[f"s{number}"] = both.ask(f"s{number}", name, nodes)
    for name in CLUSTERS:
        alone = Desk()
        students = [f"s{number}" for number, chosen in enumerate(arrivals) if chosen == name]
        ours = {machine.node.node_id for machine in of(workers, name)}
        for student in students:
            # Each on a worker of its own group or in its own line, as if the others were not there.
            assert given_out[student] == alone.ask(
                student, name, [m.node for m in of(workers, name) if m.swarm]
            )
            assert given_out[student] is None or given_out[student] in ours
        in_line = [student for student in students if given_out[student] is None]
        assert [both.seatings[name].place(s) for s in in_line] == [*range(1, len(in_line) + 1)]
        assert both.seatings[name].waiting == len(in_line)


class Class:
    """A worker of the group with a student, one of the hub's own with room, and their hub."""

    ADA = Server("ada", "", "jupyter-ada")

    def __init__(self, directory: Path) -> None:
        self.swarm, self.desk = SwarmTwin(down_after_s=0), Desk()
        self.node_of: dict[str, str] = {}
        self.hub = HubTwin(frozenset({"ada"}), self._spawn, lambda *_: self.swarm.end(self.ADA))
        self.file = MovesFile(directory, self.join(1, GPU))
        self.hub.start("ada", "")
        self.join(2, OWN)

    def join(self, number: int, cluster: str) -> str:
        instance = f"i-{number:017x}"
        engine = self.swarm.start(instance, 8192, 8000, cluster)
        engine.join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
        self.node_of[instance] = engine.membership().node_id
        return instance

    def leave(self) -> None:
        """The first worker is evacuated."""
        instance = f"i-{1:017x}"
        self.swarm.update(self.node_of[instance], "pause", instance)
        while (plan := step(self.swarm, self.hub, self.file, instance, 0.0))["moving"]:
            assert not plan["refused"]

    def _spawn(self, user: str, name: str) -> None:
        """As the spawner does with the options that the hub has kept."""
        self.desk.seatings[GPU].settle(self.ADA.service)
        nodes, there = self.swarm.nodes(), self.swarm.tasks()
        node_id = self.desk.ask(self.ADA.service, GPU, nodes, there)
        if node_id is None:
            self.swarm.line_up(self.ADA, GPU)
        else:
            self.swarm.place(self.ADA, node_id, GPU)


def test_a_student_is_moved_within_the_group(tmp_path: Path) -> None:
    room = Class(tmp_path)
    other = room.node_of[room.join(3, GPU)]
    room.leave()
    assert room.swarm.tasks() == [StudentTask(room.ADA, other, waits=False, cluster=GPU)]


def test_a_student_without_a_seat_in_the_group_waits_for_one_of_the_group(
    tmp_path: Path,
) -> None:
    room = Class(tmp_path)
    room.leave()
    assert room.swarm.tasks() == [StudentTask(room.ADA, None, waits=True, cluster=GPU)]
    snapshots = {
        name: snapshot_of(
            name, NOW, room.swarm.nodes(), room.swarm.tasks(), SEATS[name], NO_OVERHEAD,
            own=name == OWN,
        )
        for name in CLUSTERS
    }  # fmt: skip
    assert {name: snapshot.waiting for name, snapshot in snapshots.items()} == {OWN: 0, GPU: 1}
