"""Events that never came: `labswarm reconcile` finds and repairs their effects."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.e2e.conftest import COMMAND, LabUnderTest, brought_up
from tests.support.labs import FRESH_S, passes, reconcile

from labswarm.aws.signing import KmsSigner
from labswarm.chef.server import Connection
from labswarm_lab import ground
from labswarm_lab.lab import Lab

pytestmark = pytest.mark.timeout(600)

MENDED_S = 120
GHOSTS = [f"i-{number:017x}" for number in range(100)]


@pytest.fixture(scope="module")
def lab() -> Iterator[LabUnderTest]:
    """A lab of simulated nodes, described as one whose nodes start within a second."""
    for one in brought_up(f"rec{os.getpid()}", "--workers", "2", "--simulated"):
        ssm = one.client("ssm")
        name = f"/labswarm/clusters/{one.name}"
        described = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        described["node_start_s"] = 1
        ssm.put_parameter(Name=name, Value=json.dumps(described), Overwrite=True)
        # Only the test's own requests: no pass between its own, and no change of the group's size.
        events = one.client("events")
        for rule in events.list_rules()["Rules"]:
            if rule.get("ScheduleExpression"):
                events.disable_rule(Name=rule["Name"])
        yield one


def keys(made: dict[str, Any], name: str) -> set[tuple[str, str]]:
    return {(finding["what"], finding["key"]) for finding in made["plan"][name]}


def found_dry(lab: LabUnderTest, expected: set[tuple[str, str]]) -> dict[str, Any]:
    """A dry run that finds these: the first may see a snapshot of before they were there."""
    deadline = time.monotonic() + FRESH_S
    while True:
        made = reconcile(lab, "--dry-run")
        if keys(made, "waiting") >= expected:
            return made
        assert time.monotonic() < deadline, f"no dry run finds {expected}: {made}"
        time.sleep(1)


def chef_admin(lab: LabUnderTest) -> Connection:
    """The lab's Chef Server, asked as its admin."""
    running = Lab.named(lab.name).running
    signer = KmsSigner(lab.client("kms"), ground.CHEF_KEY_ALIAS)
    return Connection(
        running.chef, running.chef_organization, ground.CHEF_ADMIN, signer, running.chef_ca_pem
    )


def plant_client(chef: Connection, name: str, public_key: str) -> None:
    client = {"name": name, "clientname": name, "public_key": public_key, "admin": False}
    chef.request("POST", "/clients", client)


def plant_node(chef: Connection, name: str) -> None:
    empty: dict[str, Any] = {part: {} for part in ("normal", "default", "override", "automatic")}
    kind = {"chef_type": "node", "json_class": "Chef::Node", "chef_environment": "_default"}
    chef.request("POST", "/nodes", {"name": name, "run_list": [], **kind, **empty})


def switch_rules(lab: LabUnderTest, *, on: bool) -> None:
    """Have the events of both hooks come, or not."""
    events = lab.client("events")
    switched = 0
    for rule in events.list_rules()["Rules"]:
        if "Lifecycle Action" in rule.get("EventPattern", ""):
            (events.enable_rule if on else events.disable_rule)(Name=rule["Name"])
            switched += 1
    assert switched == 2


def let_go(lab: LabUnderTest, instance_id: str) -> None:
    """Wait until a killed instance is in its terminate hook, and end that wait by hand."""
    lab.eventually(
        "it is in its terminate hook",
        lambda seen: any(
            (n["instance_id"], n["asg"]) == (instance_id, "Terminating:Wait") for n in seen["nodes"]
        ),
        within_s=30,
    )
    lab.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName=f"labswarm-{lab.name}-workers",
        LifecycleHookName="terminate",
        InstanceId=instance_id,
        LifecycleActionResult="CONTINUE",
    )


def test_orphans_of_two_lost_hook_events_are_repaired_over_two_passes(lab: LabUnderTest) -> None:
    lost = lab.status()["nodes"][0]["instance_id"]
    switch_rules(lab, on=False)
    lab.must("kill", lost)
    let_go(lab, lost)
    seen = lab.eventually(
        "the node is down, and its replacement waits for its launch",
        lambda seen: (
            {n["swarm"] for n in seen["nodes"] if n["instance_id"] == lost} == {"down"}
            and any(n["asg"] == "Pending:Wait" for n in seen["nodes"])
        ),
        within_s=60,
    )
    switch_rules(lab, on=True)
    (waiting,) = (n["instance_id"] for n in seen["nodes"] if n["asg"] == "Pending:Wait")

    planted = {("chef-identity", lost), ("instance", waiting)}
    dry = found_dry(lab, planted)
    first = reconcile(lab)

    for made in (dry, first):
        assert keys(made, "waiting") >= planted
        assert {what for what, _ in keys(made, "waiting") - planted} == {"swarm-node"}
        assert keys(made, "due") == set()
    time.sleep(1)
    second = reconcile(lab)
    assert keys(second, "due") == keys(first, "waiting")
    assert second["chef"] == {"removed": [f"{lab.name}-{lost}"]}
    assert second["group"] == {"replaced": [waiting]}
    assert len(second["swarm"]["removed"]) == 1
    seen = lab.eventually(
        "two workers that all sides know, and nothing else",
        lambda seen: (
            [(n["asg"], n["swarm"], n["chef"]) for n in seen["nodes"]]
            == [("InService", "ready", "known")] * 2
        ),
        within_s=MENDED_S,
    )
    assert not {lost, waiting} & {n["instance_id"] for n in seen["nodes"]}


def test_a_cluster_in_which_there_is_nothing_is_left_out_until_it_grows_or_is_asked_for(
    lab: LabUnderTest,
) -> None:
    lab.must("scale", "0")
    lab.eventually("no worker", lambda seen: seen["nodes"] == [], within_s=MENDED_S)

    reconcile(lab, "--cluster", lab.name)
    deadline = time.monotonic() + FRESH_S
    while passes(lab) != []:
        # The snapshot that it saw was of before the last worker was forgotten.
        assert time.monotonic() < deadline
        time.sleep(1)

    for asked in (("--dry-run",), ("--cluster", lab.name)):
        assert set(reconcile(lab, *asked)["plan"]["counts"].values()) == {0}
    assert passes(lab) == []
    lab.must("scale", "1")
    assert reconcile(lab)["plan"]["cluster"] == lab.name


@pytest.mark.deep
def test_of_a_hundred_planted_only_so_many_go_in_a_pass(lab: LabUnderTest) -> None:
    chef = chef_admin(lab)
    key = rsa.generate_private_key(65537, 2048).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for number, instance in enumerate(GHOSTS):
        if number % 2:
            plant_node(chef, f"{lab.name}-{instance}")
        else:
            plant_client(chef, f"{lab.name}-{instance}", pem)
    foreign = f"other-{GHOSTS[0]}"
    plant_client(chef, foreign, pem)

    first = reconcile(lab)
    assert first["plan"]["counts"]["waiting"] == len(GHOSTS)
    time.sleep(1)
    second = reconcile(lab)

    assert second["plan"]["counts"] == {"due": 5, "waiting": 0, "over_cap": 95, "named": 0}
    assert second["chef"]["removed"] == [f"{lab.name}-{instance}" for instance in GHOSTS[:5]]
    there = {*chef.request("GET", "/clients").body, *chef.request("GET", "/nodes").body}
    assert {name for name in there if name.startswith(f"{lab.name}-i-0000")} == {
        f"{lab.name}-{instance}" for instance in GHOSTS[5:]
    }
    assert foreign in there


def test_without_the_chef_server_nothing_is_decided_and_it_is_said_why(lab: LabUnderTest) -> None:
    ssm = lab.client("ssm")
    name = f"/labswarm/clusters/{lab.name}"
    well = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    nowhere = json.loads(well)
    nowhere["chef"]["url"] = "https://127.0.0.1:9"
    ssm.put_parameter(Name=name, Value=json.dumps(nowhere), Overwrite=True)
    try:
        said = subprocess.run(
            [str(COMMAND), "reconcile", "--name", lab.name],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        ssm.put_parameter(Name=name, Value=well, Overwrite=True)

    assert said.returncode == 1
    assert "no decision: the Chef Server was not listed" in said.stdout
    assert "does not answer" in said.stdout
