"""The functions of reconcile as its machine calls them: AWS's, Swarm's and Chef's twins."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.app_twins import DESCRIPTION, MANAGER, TwinClock
from tests.support.app_twins import event as sample
from tests.support.handlers import Context, load
from tests.support.tables import key_schema
from tests.twins.agent import TwinAgent
from tests.twins.chef import TwinChefServer
from tests.twins.hub import HubTwin
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.ledger import MemoryLedger
from tests.twins.tasks import TwinTasks

from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.cluster import asg_name
from labswarm.commands.steps import Commands
from labswarm.errors import BadInput, Transient
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Phase
from labswarm.seats import Seat
from labswarm_lab.nodes.swarm_twin import TOKEN, EngineTwin, SwarmTwin
from labswarm_node import worker
from labswarm_node.lost_services import remove_lost_services
from labswarm_node.snapshot import HubAnswer, snapshot_of
from labswarm_node.swarm import Server

STALE = "i-00000000000000bad"
STUDENTS = ("ada", "bob")
GROUP = "labswarm-lab-workers"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:labswarm-reconcile"
START_S = 10
# Making clients is slow, and each goes to the account that is mocked when it is used.
loaded = cache(load)


def claim(transition: Transition, lease_until: int = 2_000_000_000) -> Claim:
    """A claim on the instance that is stale elsewhere."""
    return Claim(
        instance_id=STALE,
        transition=transition,
        owner="one",
        lease_until=lease_until,
        tokens={},
        hook=transition,
        asg=GROUP,
        cluster="lab",
        opened_at=0,
        phases=(Phase("claimed", 0),),
    )


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """An account with the app's tables, the cluster, and its group with two instances."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        for name, value in (
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LEDGER_TABLE", "labswarm-ledger"),
            ("SNAPSHOTS_TABLE", "labswarm-snapshots"),
            ("PASSES_TABLE", "labswarm-passes"),
            ("RECONCILE_MACHINE", MACHINE),
        ):
            monkeypatch.setenv(name, value)
        ssm, dynamodb = boto3.client("ssm"), boto3.client("dynamodb")
        describe(ssm, "lab")
        for table, keys in (
            ("labswarm-ledger", ("instance_id", "transition")),
            ("labswarm-snapshots", ("cluster",)),
            ("labswarm-passes", ("cluster",)),
        ):
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
                KeySchema=key_schema(*keys),
            )
        autoscaling = boto3.client("autoscaling")
        autoscaling.create_launch_configuration(
            LaunchConfigurationName="worker", ImageId="ami-12c6146b", InstanceType="t3.medium"
        )
        make_group(GROUP)
        yield


def describe(ssm: Any, name: str) -> None:
    described = {"name": name, "asg": asg_name(name), "node_start_s": START_S}
    ssm.put_parameter(
        Name=f"/labswarm/clusters/{name}",
        Type="String",
        Value=json.dumps({**DESCRIPTION, **described}),
    )


def make_group(asg: str) -> None:
    """A group with two instances."""
    boto3.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=asg,
        LaunchConfigurationName="worker",
        MinSize=0,
        MaxSize=5,
        DesiredCapacity=2,
        AvailabilityZones=["eu-west-1a"],
    )


class HubAgent(TwinAgent):
    """The agent of the hub, where `labswarm-manager` removes nodes and services, over the twins."""

    def __init__(self, swarm: SwarmTwin, hub: HubTwin) -> None:
        super().__init__()
        self.swarm = swarm
        self.hub = hub

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        command_id = super().send(instance_id, document, parameters, label)
        (asked,) = (ids.split(",") for ids in parameters.values())
        if document == "labswarm-manager-remove-lost-services":
            self.ends(command_id, remove_lost_services(self.swarm, self.hub, asked))
        else:
            self.ends(command_id, worker.remove_down_nodes(self.swarm, asked))
        return command_id


class Started:
    """The executions that were started, each name once."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def start(self, machine: str, name: str, given: Any) -> bool:
        assert machine == MACHINE
        new = name not in self.given
        self.given.setdefault(name, given)
        return new


class Cluster:
    """A cluster in order, with its sides' twins; `make_pass` does what the machine does."""

    def __init__(self) -> None:
        self.clock = TwinClock()
        self.swarm = SwarmTwin(down_after_s=0, now=self.clock.now)
        self.hub = HubTwin(
            frozenset(STUDENTS),
            spawn=lambda user, _: self.swarm.line_up(Server(user, "", f"jupyter-{user}")),
            end=lambda user, _: self.swarm.end(Server(user, "", f"jupyter-{user}")),
        )
        self.swarm.found(MANAGER, 2**31, 10**9)
        self.chef = TwinChefServer({"chef-validator", "chef-webui", f"lab-{MANAGER}"})
        self.engines: dict[str, EngineTwin] = {}
        self.agent = HubAgent(self.swarm, self.hub)
        self.groups = [GROUP]
        self.started = Started()
        self.bring_in("lab")

    def add_group(self, name: str) -> None:
        """The hub has a further group of workers, which is a cluster of its own, in order."""
        describe(boto3.client("ssm"), name)
        make_group(asg_name(name))
        self.groups.append(asg_name(name))
        self.bring_in(name)

    def bring_in(self, name: str) -> None:
        for instance in self.members(asg_name(name)):
            self.join(instance, name)
            self.chef.clients[f"{name}-{instance}"] = ""
            self.chef.nodes.add(f"{name}-{instance}")

    def join(self, instance: str, name: str = "lab") -> str:
        """A machine of this instance becomes a node; its node id."""
        self.engines[instance] = self.swarm.start(instance, 2**31, 10**9, name)
        self.engines[instance].join(TOKEN, self.swarm.manager, "10.98.0.11", "active")
        return self.engines[instance].membership().node_id

    def members(self, asg: str = GROUP) -> list[str]:
        (group,) = boto3.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[asg]
        )["AutoScalingGroups"]
        return [instance["InstanceId"] for instance in group["Instances"]]

    def node_ids(self) -> set[str]:
        return {node.node_id for node in self.swarm.nodes()}

    def app(self, name: str, **replaced: object) -> Any:
        app = loaded(name)
        for attribute, twin in replaced.items():
            setattr(app, attribute, twin)
        return app

    def call(self, name: str, payload: Mapping[str, Any], **replaced: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.app(name, **replaced).handler(dict(payload), Context())
        return answer

    def make_pass(
        self, name: str = "lab", *, after_s: float = 300, dry_run: bool = False
    ) -> dict[str, Any]:
        """One pass over a cluster, `after_s` after the one before; answers the plan."""
        self.clock.sleep(after_s)
        swarm, seat = self.swarm, Seat(2**28, 1)
        snapshot = snapshot_of(
            name,
            self.clock.now(),
            swarm.nodes(),
            swarm.tasks(),
            seat,
            Seat(0, 0),
            HubAnswer(swarm.services(), self.hub.servers()),
            own=name == "lab",
        )
        DynamoSnapshots(boto3.client("dynamodb"), "labswarm-snapshots").write_snapshot(snapshot)
        try:
            chef = self.call("chef", {"do": "list", "cluster": name}, ChefServer=self.chef.at)
        except Transient as error:
            chef = {"Error": "Transient", "Cause": str(error)}
        compare = self.app("compare_sides")
        compare.COMPARING._clock = self.clock
        compare.COMPARING._agents = self
        asked = {"cluster": name, "chef": chef, "dry_run": dry_run}
        plan: dict[str, Any] = compare.handler(asked, Context())
        if plan["due"] and not dry_run:
            of = {"cluster": name}
            if plan["swarm_nodes"]:
                self.remove("down-nodes", {"Nodes": plan["swarm_nodes"]}, of)
            chef_due = {**of, "do": "remove_orphans", "instances": plan["chef_identities"]}
            self.call("chef", chef_due, ChefServer=self.chef.at)
            self.call("replace_instances", {"instances": plan["instances"]})
            if plan["services"]:
                self.remove("lost-services", {"Services": plan["services"]}, of)
        return plan

    def remove(
        self, what: str, parameters: Mapping[str, object], of: Mapping[str, str]
    ) -> dict[str, Any]:
        """Have the hub remove something: the answer of its command, which has ended by then."""
        app = self.app("command")
        slots = MemoryHubSlots()
        app.COMMANDS = Commands(self.agent, MemoryLedger(), slots, TwinTasks(), self.clock)
        asked = {
            **of,
            "execution": f"{MACHINE.replace('stateMachine', 'execution')}:{what}",
            "document": f"labswarm-manager-remove-{what}",
            "parameters": parameters,
        }
        answer: dict[str, Any] = app.handler(asked, Context())
        assert answer.pop("urgent") is False
        return answer

    def all_online(self) -> frozenset[str]:
        return frozenset(instance for asg in self.groups for instance in self.members(asg))


@pytest.fixture
def cluster(account: None) -> Cluster:
    return Cluster()


def began(cluster: Cluster, **event: Any) -> dict[str, Any]:
    """The result of a scheduled event now."""
    twins = {"CLOCK": cluster.clock, "EXECUTIONS": cluster.started}
    return cluster.call("begin_passes", sample("five_minutes") | event, **twins)


def test_a_cluster_in_order_is_left_as_it_is(cluster: Cluster) -> None:
    before = (cluster.members(), cluster.node_ids(), set(cluster.chef.clients))
    for _ in range(3):
        plan = cluster.make_pass()
        assert (plan["decided"], plan["counts"]) == (True, dict.fromkeys(plan["counts"], 0))
    assert (cluster.members(), cluster.node_ids(), set(cluster.chef.clients)) == before


def test_a_planted_ghost_is_removed_by_the_second_pass(cluster: Cluster) -> None:
    ghost = cluster.join(STALE)
    cluster.engines[STALE].kill()

    cluster.make_pass()
    assert ghost in cluster.node_ids()
    assert cluster.make_pass()["swarm_nodes"] == [ghost]
    assert ghost not in cluster.node_ids()
    assert [sent.document for sent in cluster.agent.sent] == ["labswarm-manager-remove-down-nodes"]
    assert cluster.make_pass()["counts"]["due"] == 0


def test_a_planted_client_and_node_are_deleted_by_the_second_pass(cluster: Cluster) -> None:
    others = {f"other-{STALE}", f"lab-{STALE}-old", "lab-i-nothing"}
    cluster.chef.clients |= dict.fromkeys({f"lab-{STALE}", *others}, "")
    cluster.chef.nodes |= {"lab-i-00000000", *others}

    cluster.make_pass()
    assert cluster.make_pass()["chef_identities"] == ["i-00000000", STALE]
    assert not {f"lab-{STALE}", "lab-i-00000000"} & (
        cluster.chef.clients.keys() | cluster.chef.nodes
    )
    assert others <= cluster.chef.clients.keys() & cluster.chef.nodes


def test_an_instance_that_never_joined_is_replaced_by_the_second_pass(cluster: Cluster) -> None:
    boto3.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
    (silent,) = set(cluster.members()) - cluster.engines.keys()

    cluster.make_pass()
    assert silent in cluster.members()
    assert cluster.make_pass()["instances"] == [silent]
    assert silent not in cluster.members()
    assert len(cluster.members()) == 3, "the group keeps its size"


def lost_service(cluster: Cluster) -> str:
    """The service of Ada's server, which the hub has lost; Bob's it knows."""
    for student in STUDENTS:
        cluster.hub.start(student, "")
    cluster.hub.lose("ada", "")
    (lost,) = (s.service_id for s in cluster.swarm.services() if s.server.user == "ada")
    return lost


def users(cluster: Cluster) -> list[str]:
    return [service.server.user for service in cluster.swarm.services()]


def test_a_service_that_the_hub_has_lost_is_removed_by_the_second_pass_that_finds_it(
    cluster: Cluster,
) -> None:
    lost = lost_service(cluster)

    assert cluster.make_pass()["counts"]["waiting"] == 0, "a start may take ten minutes"
    assert [f["key"] for f in cluster.make_pass()["waiting"]] == [lost]
    assert users(cluster) == list(STUDENTS)
    assert cluster.make_pass()["services"] == [lost]
    assert users(cluster) == ["bob"]
    assert [sent.document for sent in cluster.agent.sent] == [
        "labswarm-manager-remove-lost-services"
    ]
    assert cluster.make_pass()["counts"] == dict.fromkeys(
        ("due", "waiting", "over_cap", "named"), 0
    )


def test_a_dry_run_says_which_service_would_be_removed_and_why_and_names_no_student(
    cluster: Cluster,
) -> None:
    lost = lost_service(cluster)
    for _ in range(2):
        cluster.make_pass()

    (due,) = cluster.make_pass(dry_run=True)["due"]

    assert (due["what"], due["key"], due["remedy"]) == ("service", lost, "remove")
    assert due["reason"].endswith("and the hub does not know it")
    assert "ada" not in json.dumps(due)
    assert users(cluster) == list(STUDENTS)


def test_a_service_that_the_hub_knows_when_it_is_to_go_is_kept(cluster: Cluster) -> None:
    lost = lost_service(cluster)
    (known,) = (s.service_id for s in cluster.swarm.services() if s.service_id != lost)

    answer = cluster.remove("lost-services", {"Services": [known, lost]}, {"cluster": "lab"})

    assert answer == {"removed": [lost], "kept": [known]}
    assert users(cluster) == ["bob"]


def test_two_clusters_on_one_hub_leave_each_other_as_they_are(cluster: Cluster) -> None:
    cluster.add_group("lab-gpu")
    before = (cluster.node_ids(), set(cluster.chef.clients), cluster.all_online())
    for _ in range(3):
        for name in ("lab", "lab-gpu"):
            plan = cluster.make_pass(name)
            assert (plan["decided"], plan["counts"]) == (True, dict.fromkeys(plan["counts"], 0))
    assert (cluster.node_ids(), set(cluster.chef.clients), cluster.all_online()) == before


@pytest.mark.parametrize(("ill", "well"), [("lab", "lab-gpu"), ("lab-gpu", "lab")])
def test_leftovers_of_a_cluster_are_cleaned_up_by_its_own_passes_only(
    cluster: Cluster, ill: str, well: str
) -> None:
    cluster.add_group("lab-gpu")
    ghost = cluster.join(STALE, ill)
    cluster.engines[STALE].kill()
    cluster.chef.clients[f"{ill}-{STALE}"] = ""
    boto3.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=asg_name(ill), DesiredCapacity=3
    )
    (silent,) = set(cluster.members(asg_name(ill))) - cluster.engines.keys()

    for _ in range(3):
        plan = cluster.make_pass(well)
        assert plan["counts"] == dict.fromkeys(plan["counts"], 0)
    assert ghost in cluster.node_ids()
    cluster.make_pass(ill)
    plan = cluster.make_pass(ill)

    found = ([ghost], [STALE], [silent])
    assert (plan["swarm_nodes"], plan["chef_identities"], plan["instances"]) == found
    assert ghost not in cluster.node_ids()
    assert f"{ill}-{STALE}" not in cluster.chef.clients
    assert silent not in cluster.members(asg_name(ill))
    assert len(cluster.members(asg_name(well))) == 2


@pytest.mark.parametrize(
    ("launch", "terminate", "spared"),
    [
        (claim("launch"), None, True),
        (claim("launch", lease_until=0), None, False),
        (claim("launch").ended("pooled", "CONTINUE", 1), None, True),
        (claim("launch").ended("joined", "CONTINUE", 1), claim("terminate"), True),
        (claim("launch").ended("joined", "CONTINUE", 1),
         claim("terminate").ended("pooled", "CONTINUE", 2), True),
        (claim("launch").ended("pooled", "CONTINUE", 1),
         claim("terminate").ended("removed", "CONTINUE", 2), False),
    ],
)  # fmt: skip
def test_an_instance_that_is_worked_on_or_rests_in_a_warm_pool_is_spared(
    cluster: Cluster, launch: Claim, terminate: Claim | None, spared: bool
) -> None:
    ledger = DynamoLedger(boto3.client("dynamodb"), "labswarm-ledger")
    for claimed in filter(None, (launch, terminate)):
        assert ledger.write_claim(claimed)
    cluster.chef.clients[f"lab-{STALE}"] = ""

    cluster.make_pass()
    cluster.make_pass()

    assert (f"lab-{STALE}" in cluster.chef.clients) == spared


def test_a_dry_run_says_the_same_and_changes_and_remembers_nothing(cluster: Cluster) -> None:
    cluster.chef.clients[f"lab-{STALE}"] = ""
    for _ in range(3):
        plan = cluster.make_pass(dry_run=True)
        assert [finding["key"] for finding in plan["waiting"]] == [STALE]
    cluster.make_pass()
    assert [f["key"] for f in cluster.make_pass(dry_run=True)["due"]] == [STALE]
    assert f"lab-{STALE}" in cluster.chef.clients


def test_of_a_hundred_planted_five_go_and_the_rest_raises_the_alarm(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = {f"lab-i-{number:017x}" for number in range(100)}
    cluster.chef.clients |= dict.fromkeys(planted, "")

    cluster.make_pass()
    plan = cluster.make_pass()

    assert len(plan["chef_identities"]) == 5
    assert len(planted & cluster.chef.clients.keys()) == 95
    assert metrics(capsys) == [
        {"Orphans": 100.0, "service": "reconcile"},
        {"Orphans": 100.0, "OverCap": 95.0, "service": "reconcile"},
    ]


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The metrics logged, as CloudWatch reads them (embedded metric format)."""
    answers = []
    for line in capsys.readouterr().out.splitlines():
        logged = json.loads(line)
        if "_aws" in logged:
            (spec,) = logged["_aws"]["CloudWatchMetrics"]
            assert (spec["Namespace"], spec["Dimensions"]) == ("labswarm", [["service"]])
            values = {m["Name"]: logged[m["Name"]][0] for m in spec["Metrics"]}
            answers.append({**values, "service": logged["service"]})
    return answers


def test_when_the_chef_server_cannot_be_listed_nothing_is_decided_and_the_reason_is_reported(
    cluster: Cluster,
) -> None:
    ghost = cluster.join(STALE)
    cluster.engines[STALE].kill()
    cluster.make_pass()
    cluster.chef.down = True
    began(cluster)

    plan = cluster.make_pass()

    assert (plan["decided"], plan["due"]) == (False, [])
    assert "the Chef Server was not listed" in plan["why_not"][0]
    assert "the Chef Server does not answer" in plan["why_not"][0]
    assert ghost in cluster.node_ids()
    with pytest.raises(Transient, match=r"^lab: no pass has decided anything for \d+ s$"):
        began(cluster)
    cluster.chef.down = False
    assert cluster.make_pass()["swarm_nodes"] == [ghost]
    began(cluster)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_pass_that_cannot_be_made_fails_and_is_overdue(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    def throttled(*_: object, **__: object) -> None:
        raise Transient("autoscaling: Throttling")

    compare = cluster.app("compare_sides")
    began(cluster)
    monkeypatch.setattr(compare.COMPARING, "run_pass", throttled)
    with pytest.raises(Transient, match="Throttling"):
        compare.handler({"cluster": "lab", "chef": {}, "dry_run": dry_run}, Context())

    cluster.clock.sleep(300)
    with pytest.raises(Transient, match="no pass has decided anything for 300 s"):
        began(cluster)


def test_a_dry_run_is_not_the_pass_that_is_wanted(cluster: Cluster) -> None:
    began(cluster)
    cluster.make_pass(dry_run=True)
    cluster.clock.sleep(300)

    with pytest.raises(Transient, match="lab: no pass has decided anything"):
        began(cluster)


def test_without_a_snapshot_nothing_is_decided(cluster: Cluster) -> None:
    compare = cluster.app("compare_sides")
    compare.COMPARING._agents = cluster
    asked = {"cluster": "lab", "chef": {"clients": [], "nodes": []}, "dry_run": False}

    plan = compare.handler(asked, Context())

    assert (plan["decided"], plan["why_not"]) == (False, ["the Swarm has no snapshot"])


def test_of_two_passes_at_the_same_time_one_decides(cluster: Cluster) -> None:
    cluster.chef.clients[f"lab-{STALE}"] = ""
    cluster.make_pass()
    compare = cluster.app("compare_sides")
    passes = compare.COMPARING._passes
    earlier = passes.read_pass("lab")
    cluster.make_pass(after_s=1)
    cluster.clock.sleep(1)

    assert not passes.write_pass("lab", earlier)


def test_all_clusters_are_named_or_the_one_that_is_asked_for(cluster: Cluster) -> None:
    for number in range(12):
        boto3.client("ssm").put_parameter(
            Name=f"/labswarm/clusters/b{number:02}", Type="String", Value="{}"
        )
    every = [*(f"b{number:02}" for number in range(12)), "lab"]
    for asked in ({"dry_run": False}, {"dry_run": True}, {}):
        everything = cluster.call("list_clusters", {"cluster": None, **asked})
        assert everything == {"clusters": every}
        lab = cluster.call("list_clusters", {"cluster": "lab", **asked})
        assert lab == {"clusters": ["lab"]}
        with pytest.raises(BadInput) as refused:
            cluster.call("list_clusters", {"cluster": "nolab", **asked})
        assert refused.value.field == "cluster"


def emptied(cluster: Cluster) -> None:
    """Every worker goes, and is forgotten on all sides."""
    for instance in cluster.members():
        boto3.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=instance, ShouldDecrementDesiredCapacity=True
        )
        node_id = cluster.engines[instance].membership().node_id
        cluster.engines[instance].kill()
        worker.remove_down_nodes(cluster.swarm, [node_id])
        del cluster.chef.clients[f"lab-{instance}"]
        cluster.chef.nodes.discard(f"lab-{instance}")


def looked_at(cluster: Cluster, name: str | None = None, *, dry_run: bool = False) -> list[str]:
    """The clusters that a run begun now makes passes of."""
    asked = {"cluster": name, "dry_run": dry_run}
    clusters: list[str] = cluster.call("list_clusters", asked, CLOCK=cluster.clock)["clusters"]
    return clusters


def test_an_empty_cluster_is_left_out_until_an_hour_is_over(cluster: Cluster) -> None:
    cluster.make_pass()
    assert looked_at(cluster) == ["lab"]
    emptied(cluster)
    assert looked_at(cluster) == ["lab"], "no pass has seen it empty"
    cluster.make_pass(dry_run=True)
    assert looked_at(cluster) == ["lab"], "a dry run is no pass"
    cluster.make_pass()

    assert looked_at(cluster) == []
    assert looked_at(cluster, "lab") == ["lab"]
    assert looked_at(cluster, dry_run=True) == ["lab"]
    before_the_deploy = cluster.call("list_clusters", {"cluster": None}, CLOCK=cluster.clock)
    assert before_the_deploy == {"clusters": ["lab"]}, "it may be a dry run"
    cluster.clock.sleep(3600)
    assert looked_at(cluster) == ["lab"]


def test_a_cluster_at_rest_that_grows_is_looked_at_at_once(cluster: Cluster) -> None:
    emptied(cluster)
    cluster.make_pass()
    assert looked_at(cluster) == []

    boto3.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=1)

    assert looked_at(cluster) == ["lab"]


def test_a_hubs_empty_cluster_rests_next_to_its_further_group(cluster: Cluster) -> None:
    cluster.add_group("lab-gpu")
    emptied(cluster)
    for name in ("lab", "lab-gpu"):
        cluster.make_pass(name)

    assert looked_at(cluster) == ["lab-gpu"]
    assert began(cluster) == {"clusters": ["lab-gpu"], "begun": True}


def test_a_cluster_at_rest_whose_group_is_gone_is_looked_at(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    emptied(cluster)
    cluster.make_pass()
    boto3.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=GROUP)

    assert looked_at(cluster) == ["lab"]
    assert began(cluster) == {"clusters": ["lab"], "begun": True}
    said = [getattr(record, "why", None) for record in caplog.records]
    assert said.count(f"lab: there is no group {GROUP}; apply the cluster's stack") == 2


@pytest.mark.parametrize("dry_run", [True, False])
def test_where_there_is_no_cluster_there_is_nothing_to_decide(
    cluster: Cluster, dry_run: bool
) -> None:
    boto3.client("ssm").delete_parameter(Name="/labswarm/clusters/lab")

    assert looked_at(cluster, dry_run=dry_run) == []
    assert began(cluster) == {"clusters": [], "begun": False}


def test_passes_are_begun_by_name_and_the_event_that_comes_twice_begins_none(
    cluster: Cluster,
) -> None:
    first = began(cluster, time="2026-11-24T08:05:00Z")
    again = began(cluster, time="2026-11-24T08:05:00Z", id="another")
    next_one = began(cluster, time="2026-11-24T08:10:00Z")

    assert [answer["begun"] for answer in (first, again, next_one)] == [True, False, True]
    all_of_them = {"cluster": None, "clusters": ["lab"], "dry_run": False}
    assert cluster.started.given == {
        "scheduled-2026-11-24T080500Z": all_of_them,
        "scheduled-2026-11-24T081000Z": all_of_them,
    }


def test_a_cluster_that_comes_to_rest_when_its_pass_is_begun_has_it_all_the_same(
    cluster: Cluster,
) -> None:
    emptied(cluster)
    assert began(cluster) == {"clusters": ["lab"], "begun": True}
    (asked,) = cluster.started.given.values()
    cluster.make_pass()
    assert looked_at(cluster) == []

    assert cluster.call("list_clusters", asked, CLOCK=cluster.clock) == {"clusters": ["lab"]}


def test_while_all_is_at_rest_no_execution_is_started_but_each_hour(cluster: Cluster) -> None:
    emptied(cluster)
    cluster.make_pass()

    looks = []
    for minute in range(0, 120, 5):
        looks.append(began(cluster, time=f"at {minute}")["clusters"])
        if looks[-1]:
            cluster.make_pass(after_s=1)
            cluster.clock.sleep(-1 + 300)
        else:
            cluster.clock.sleep(300)
    assert [look for look in looks if look] == [["lab"]] * 2
    assert len(cluster.started.given) == 2


def test_passes_begin_although_overdue_ones_cannot_be_noted(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: object) -> None:
        raise Transient("dynamodb: ThrottlingException")

    monkeypatch.setattr(cluster.app("begin_passes").PASSES, "wanted", throttled)
    with pytest.raises(Transient, match="lab: dynamodb: ThrottlingException"):
        began(cluster)
    assert len(cluster.started.given) == 1


@pytest.mark.parametrize("time", [None, "", 7])
def test_an_event_without_a_time_begins_nothing(cluster: Cluster, time: object) -> None:
    with pytest.raises(BadInput, match=r"time: is .* it has to be like 2026-11-24T08:05:00Z"):
        began(cluster, time=time)
    assert cluster.started.given == {}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("chef", "instances", ["lab-client"]),
        ("chef", "instances", [7]),
        ("chef", "instances", None),
        ("replace_instances", "instances", ["i-0123456789abcdef0; reboot"]),
    ],
)
def test_a_field_that_names_no_orphan_is_refused(
    cluster: Cluster, name: str, field: str, value: object
) -> None:
    with pytest.raises(BadInput) as refused:
        cluster.call(name, {"do": "remove_orphans", "cluster": "lab", field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("value", [None, 7, [], [7], [""]])
def test_a_command_whose_parameter_is_no_list_of_texts_is_refused(
    cluster: Cluster, value: object
) -> None:
    with pytest.raises(BadInput) as refused:
        cluster.remove("down-nodes", {"Nodes": value}, {"cluster": "lab"})
    assert refused.value.field == "parameters.Nodes"
    assert cluster.agent.sent == []
