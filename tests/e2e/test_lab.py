"""The README's tour, on a real Swarm."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from docker import DockerClient
from tests.e2e.conftest import LabUnderTest
from tests.support.labs import agreed, home_files, open_on_all_sides

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]


def test_status_is_one_object_of_the_promised_shape(lab: LabUnderTest) -> None:
    seen = lab.status()
    assert set(seen["hub"]) == {"url", "healthy"}
    assert seen["hub"]["healthy"] is True
    assert set(seen["executions"]) == {"running", "failed"}
    assert all(set(alarm) == {"name", "since", "reason"} for alarm in seen["alarms"])
    assert (seen["swarm"], seen["chef"], seen["latency"]) == ("real", "stand-in", "fast")
    (worker,) = seen["nodes"]
    assert set(worker) == {
        *(
            "cluster",
            "instance_id",
            "asg",
            "swarm",
            "availability",
            "chef",
            "seats",
            "seats_used",
            "age_s",
        )
    }
    assert open_on_all_sides(worker)


def test_a_lab_that_is_up_is_not_brought_up_again(lab: LabUnderTest) -> None:
    refused = lab.run("up")
    assert refused.returncode == 2
    assert "is up already" in refused.stderr
    assert lab.status()["hub"]["healthy"]


def test_a_class_that_finds_the_hub_restarting_waits_for_it(lab: LabUnderTest) -> None:
    kill = "docker kill $(docker ps --quiet --filter label=labswarm-hub)"
    lab.must("shell", "hub", "--", "sh", "-c", kill)
    said = lab.run("class", "1").stderr
    # How it goes on is not asked: a server that spoke with the old hub just before looks for it.
    assert "ok  waiting for the hub" in said
    assert "student-01  login: done" in said


def test_a_class_comes_and_the_cluster_grows_and_shrinks_around_it(lab: LabUnderTest) -> None:
    # The cluster grows through the launch hooks.
    lab.must("scale", "1")
    lab.must("scale", "3")
    assert agreed(3)(lab.status())
    launches = lab.executions("labswarm-node-launch", "SUCCEEDED")
    assert len(launches) >= 3
    entered = lab.states_entered(launches[0])
    for state in ("Claim", "Bootstrap", "Join", "Pull", "Activate"):
        assert state in entered, entered

    # Six students: servers on workers, cells run, files saved on the shared folder.
    answer = json.loads(lab.must("class", "6", "--json"))
    assert [student["ok"] for student in answer["students"]] == [True] * 6
    saved = home_files(lab)
    assert len({name.split("/")[0] for name in saved}) == 6
    assert sum(node["seats_used"] for node in lab.status()["nodes"]) == 6

    # It shrinks to one; the emptiest went, through the terminate hooks; homes are untouched.
    lab.must("scale", "1")
    assert agreed(1)(lab.status())
    entered = lab.states_entered(lab.executions("labswarm-node-terminate", "SUCCEEDED")[0])
    for state in ("Pause", "Drain", "Leave", "Remove", "RemoveChefIdentity"):
        assert state in entered, entered
    assert home_files(lab) == saved
    assert sum(node["seats_used"] for node in lab.status()["nodes"]) == 6


def test_a_students_container_reaches_neither_the_emulator_nor_other_nodes(
    lab: LabUnderTest,
) -> None:
    lab.must("class", "1")
    emulator = urlsplit(lab.status()["emulator"])
    hub = urlsplit(lab.status()["hub"]["url"])
    (worker,) = (node for node in lab.status()["nodes"] if node["seats_used"])
    engine: Any = DockerClient(
        base_url=f"unix:///run/labswarm/{lab.name}/{worker['instance_id']}/docker.sock"
    )
    (container, *_) = engine.containers.list(filters={"label": "labswarm.user=student-01"})
    look = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    for host, port in (
        (emulator.hostname, emulator.port),
        (emulator.hostname, 4545),
        (hub.hostname, 2377),
    ):
        answer = container.exec_run(["/usr/bin/python3", "-c", look, str(host), str(port)])
        assert answer.exit_code == 1, f"{host}:{port} is reached from a student's container"
        assert b"Error" in answer.output
    # The path to a server's hub is open, on the overlay network.
    answer = container.exec_run(["/usr/bin/python3", "-c", look, "labswarm-hub", "8081"])
    assert answer.exit_code == 0, answer.output


def test_a_shell_is_on_the_node_it_names_and_ends_as_its_command_does(lab: LabUnderTest) -> None:
    nodes = lab.must("shell", "hub", "--", "docker", "node", "ls", "--format", "{{.ManagerStatus}}")
    assert "Leader" in nodes
    worker = lab.status()["nodes"][0]["instance_id"]
    assert lab.must("shell", worker, "--", "hostname").startswith("worker-")
    assert lab.run("shell", worker, "--", "sh", "-c", "exit 7").returncode == 7


def test_a_node_that_is_cut_off_is_down_until_healed_and_leaves_nothing_when_it_ends(
    lab: LabUnderTest,
) -> None:
    lab.must("scale", "1")
    node = lab.status()["nodes"][0]["instance_id"]

    def is_seen_as(state: str, ping: str) -> None:
        lab.eventually(
            f"the Swarm has it {state}", lambda seen: seen["nodes"][0]["swarm"] == state, 30
        )
        agents = lab.client("ssm").describe_instance_information()["InstanceInformationList"]
        assert [a["PingStatus"] for a in agents if a["InstanceId"] == node] == [ping]

    for _ in range(2):
        lab.must("cut", node)
    is_seen_as("down", "ConnectionLost")
    for _ in range(2):
        lab.must("heal", node)
    is_seen_as("ready", "Online")

    lab.must("cut", node)
    lab.must("kill", node)
    lab.eventually(
        "another is open in its place",
        lambda seen: agreed(1)(seen) and seen["nodes"][0]["instance_id"] != node,
        within_s=60,
    )
    assert node not in lab.must("down", "--dry-run")
    assert not (Path("/run/labswarm") / lab.name / node).exists()


def test_students_on_a_node_that_goes_are_moved_and_keep_their_files(lab: LabUnderTest) -> None:
    lab.must("scale", "1")
    lab.must("class", "6")
    saved = home_files(lab)
    lab.must("scale", "2")
    failed_before = lab.status()["executions"]["failed"]
    (full,) = (node for node in lab.status()["nodes"] if node["seats_used"] == 6)

    lab.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=full["instance_id"], ShouldDecrementDesiredCapacity=True
    )

    seen = lab.eventually(
        "the node is gone and its six students are on the other",
        lambda seen: (
            agreed(1)(seen)
            and seen["nodes"][0]["instance_id"] != full["instance_id"]
            and seen["nodes"][0]["seats_used"] == 6
        ),
        within_s=120,
    )
    assert seen["executions"]["failed"] == failed_before
    assert home_files(lab) == saved


def test_a_launch_whose_join_fails_is_abandoned_undone_and_replaced(lab: LabUnderTest) -> None:
    secrets = lab.client("secretsmanager")
    name = f"labswarm/{lab.name}/swarm-join"
    good = secrets.get_secret_value(SecretId=name)["SecretString"]
    failed_before = set(lab.executions("labswarm-node-launch", "FAILED"))
    known_before = {node["instance_id"] for node in lab.status()["nodes"]}
    workers = len(known_before)

    secrets.put_secret_value(
        SecretId=name,
        SecretString=json.dumps({"token": "SWMTKN-1-no-0", "manager": "192.0.2.1:2377"}),
    )
    try:
        lab.must("scale", str(workers + 1), "--no-wait")
        lab.eventually(
            "a launch fails",
            lambda _: bool(set(lab.executions("labswarm-node-launch", "FAILED")) - failed_before),
            within_s=90,
        )
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=good)
    lab.eventually("it is replaced", agreed(workers + 1), within_s=120)

    # Of the failed instances nothing is left on any side, and their ledger items are final.
    stepfunctions = lab.client("stepfunctions")
    living = {node["instance_id"] for node in lab.status()["nodes"]}
    ledger = lab.client("dynamodb")
    for execution in set(lab.executions("labswarm-node-launch", "FAILED")) - failed_before:
        event = json.loads(stepfunctions.describe_execution(executionArn=execution)["input"])
        instance = event["detail"]["EC2InstanceId"]
        assert instance not in living
        online = lab.client("ssm").describe_instance_information(
            Filters=[
                {"Key": "InstanceIds", "Values": [instance]},
                {"Key": "PingStatus", "Values": ["Online"]},
            ]
        )["InstanceInformationList"]
        assert online == []
        item = ledger.get_item(
            TableName="labswarm-ledger",
            Key={"instance_id": {"S": instance}, "transition": {"S": "launch"}},
        )["Item"]
        assert item["phases"]["L"][-1]["M"]["phase"] == {"S": "abandoned"}, item
        assert "N" in item["closed_at"], item
    lab.must("scale", str(workers))
