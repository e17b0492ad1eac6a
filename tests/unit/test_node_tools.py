"""labswarm-node and labswarm-manager as SSM documents call them: one line of JSON, an exit code."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from tests.twins.hub import HubTwin

from labswarm.errors import BadInput, Transient
from labswarm.notices import Notice
from labswarm_lab.nodes.swarm_twin import TOKEN, EngineTwin, SwarmTwin
from labswarm_node import manager, node
from labswarm_node.chef_run import Ended, run_client
from labswarm_node.hub import HubApi
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Server

WORKER = "i-0123456789abcdef0"
HUB = "i-000000000000000b0"


class Machine:
    """One machine with its tools over the twin, and a chef-client that notes how it was called."""

    def __init__(self, directory: Path, instance_id: str, role: str, engine: EngineTwin) -> None:
        self.directory = directory
        self.engine = engine
        self.secret = JoinSecret(TOKEN, "10.98.0.10:2377")
        self.chef_client = Ended(0, "")
        self.called: list[Sequence[str]] = []
        hub = {"api_url": "http://127.0.0.1:9/hub/api", "token_file": "/nonexistent"}
        (directory / "node.json").write_text(
            json.dumps(
                {
                    "cluster": "lab",
                    "instance_id": instance_id,
                    "role": role,
                    "region": "eu-west-1",
                    "docker_host": "unix:///nonexistent/docker.sock",
                    "advertise_address": "10.98.0.11",
                    "aws_endpoint_url": None,
                    "join_secret": "labswarm/lab/swarm-join",
                    "images": ["registry:5000/class:1"],
                    "chef": {
                        "url": "https://chef.example",
                        "organization": None,
                        "ca_file": "/etc/chef-ca.pem",
                        "node_name": f"lab-{instance_id}",
                        "key_file": str(directory / "chef" / "client.pem"),
                        "client": "labswarm-chef-client",
                    },
                    "hub": hub if role == "hub" else None,
                    "state_dir": str(directory / "moves"),
                }
            )
        )

    @property
    def environment(self) -> Mapping[str, str]:
        return {"LABSWARM_NODE_CONFIG": str(self.directory / "node.json")}

    def node(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        def client(command: Sequence[str], timeout_s: float) -> Ended:
            self.called.append(command)
            return self.chef_client

        around = node.Surroundings(lambda _: self.engine, lambda _: self.secret, client)
        answer = node.answer(arguments, self.environment, around)
        return answer.exit_code, json.loads(answer.line)


@pytest.fixture
def swarm() -> SwarmTwin:
    return SwarmTwin(down_after_s=0)


@pytest.fixture
def worker(tmp_path: Path, swarm: SwarmTwin) -> Machine:
    directory = tmp_path / "worker"
    directory.mkdir()
    return Machine(directory, WORKER, "worker", swarm.start(WORKER, 2**31, 2 * 10**9))


@pytest.fixture
def hub(tmp_path: Path, swarm: SwarmTwin) -> Machine:
    directory = tmp_path / "hub"
    directory.mkdir()
    return Machine(directory, HUB, "hub", swarm.found(HUB, 2**31, 2 * 10**9))


def managed(hub: Machine, swarm: SwarmTwin, *arguments: str) -> tuple[int, dict[str, Any]]:
    around = manager.Surroundings(lambda _: swarm, HubApi)
    answer = manager.answer(arguments, hub.environment, around)
    return answer.exit_code, json.loads(answer.line)


def test_identify_makes_a_key_that_only_its_owner_reads_and_prints_the_public_half(
    worker: Machine,
) -> None:
    code, answer = worker.node("identify")
    assert code == 0
    chef = worker.directory / "chef"
    assert stat.S_IMODE(chef.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in chef.iterdir()} == {
        "client.pem": 0o600,
        "client.rb": 0o600,
    }
    key = load_pem_private_key((chef / "client.pem").read_bytes(), None)
    assert load_pem_public_key(answer["public_key"].encode()) == key.public_key()
    assert (chef / "client.rb").read_text().splitlines() == [
        'chef_server_url "https://chef.example"',
        f'node_name "lab-{WORKER}"',
        f'client_key "{chef / "client.pem"}"',
        f'log_location "{chef / "client.log"}"',
        'ssl_ca_file "/etc/chef-ca.pem"',
        "data_collector.mode :solo",
        "ssl_verify_mode :verify_peer",
        'chef_license "accept-silent"',
    ]


def test_identify_keeps_the_key_that_there_is(worker: Machine) -> None:
    assert worker.node("identify") == worker.node("identify")


def test_bootstrap_runs_the_client_with_the_run_list(worker: Machine) -> None:
    worker.node("identify")
    assert worker.node("bootstrap", "--run-list", "role[worker]") == (
        0,
        {"converged": True, "client": "stand-in"},
    )
    client_rb = str(worker.directory / "chef" / "client.rb")
    assert worker.called == [
        ["labswarm-chef-client", "--once", "--config", client_rb, "--runlist", "role[worker]"]
    ]


def test_bootstrap_by_a_policy_of_the_cluster_gives_no_run_list_besides(worker: Machine) -> None:
    path = worker.directory / "node.json"
    node = json.loads(path.read_text())
    node["chef"] |= {"policy_name": "labswarm-worker", "policy_group": "db"}
    path.write_text(json.dumps(node))
    worker.node("identify")
    client_rb = worker.directory / "chef" / "client.rb"
    assert {'policy_name "labswarm-worker"', 'policy_group "db"'} <= set(
        client_rb.read_text().splitlines()
    )
    assert worker.node("bootstrap", "--run-list", "role[worker]")[0] == 0
    assert worker.called == [["labswarm-chef-client", "--once", "--config", str(client_rb)]]


def test_bootstrap_wants_roles_and_a_key(worker: Machine) -> None:
    code, answer = worker.node("bootstrap", "--run-list", "role[worker]")
    assert (code, answer["error"]["kind"]) == (1, "permanent")
    assert "identify" in answer["error"]["message"]
    code, answer = worker.node("bootstrap", "--run-list", "role[x]; reboot")
    assert (code, answer["error"]["name"]) == (2, "BadInput")
    assert answer["error"]["message"].startswith("--run-list: ")
    assert worker.called == []


def test_a_failed_client_is_retried_and_the_error_names_the_resource_and_the_log(
    worker: Machine,
) -> None:
    worker.node("identify")
    worker.chef_client = Ended(3, "\n".join(f"line {n}" for n in range(20)))
    code, answer = worker.node("bootstrap", "--run-list", "role[worker]")
    assert (code, answer["error"]["kind"]) == (75, "transient")
    log = worker.directory / "chef" / "client.log"
    assert answer["error"]["message"] == (
        "chef-client ended with 3: line 15 / line 16 / line 17 / line 18 / line 19. "
        f"Its log is {log}"
    )


def test_all_that_a_client_writes_is_kept_wherever_it_writes_it() -> None:
    script = "echo FATAL: out; echo WARN: err >&2; exit 1"
    assert run_client(["sh", "-c", script], 10) == Ended(1, "FATAL: out\nWARN: err\n")


def test_a_client_that_hangs_is_ended_and_the_error_has_its_last_lines() -> None:
    with pytest.raises(Transient, match=r"within 0\.5 s: Synchronizing cookbooks"):
        run_client(["sh", "-c", "echo Synchronizing cookbooks; exec sleep 60"], 0.5)


def test_join_says_the_node_id_and_nothing_of_the_token(worker: Machine, swarm: SwarmTwin) -> None:
    code, answer = worker.node("join")
    assert (code, answer) == (0, {"node_id": swarm.nodes()[0].node_id, "already": False})
    assert worker.node("join")[1]["already"] is True
    worker.node("leave")
    worker.secret = JoinSecret("SWMTKN-1-of-another", "10.98.0.10:2377")
    code, answer = worker.node("join")
    assert (code, answer["error"]["kind"]) == (1, "permanent")
    assert "SWMTKN" not in json.dumps(answer)
    assert "SWMTKN" not in repr(worker.secret)


def test_a_token_rotated_since_it_was_read_is_stale_and_the_new_one_works(
    worker: Machine, swarm: SwarmTwin
) -> None:
    new = swarm.rotate_token()
    code, answer = worker.node("join")
    assert (code, answer["error"]["name"]) == (75, "StaleToken")
    assert answer["error"]["kind"] == "transient"
    assert "SWMTKN" not in json.dumps(answer)
    worker.secret = JoinSecret(new, worker.secret.manager)
    assert worker.node("join")[1]["already"] is False


def test_a_secret_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(BadInput) as refused:
        JoinSecret.parse('{"token": "SWMTKN-1-x"')
    assert "SWMTKN" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_pull_takes_the_images_given_or_the_cluster_s(worker: Machine) -> None:
    assert worker.node("pull", "--images", "a:1,b:2") == (0, {"images": ["a:1", "b:2"]})
    assert worker.node("pull", "--images", "") == (0, {"images": ["registry:5000/class:1"]})
    assert all(worker.engine.has_image(image) for image in ("a:1", "b:2", "registry:5000/class:1"))
    code, answer = worker.node("pull", "--images", "a:1,--all-tags")
    assert (code, answer["error"]["name"]) == (2, "BadInput")


def test_the_manager_removes_down_nodes_by_their_ids(
    hub: Machine, worker: Machine, swarm: SwarmTwin
) -> None:
    node_id = worker.node("join")[1]["node_id"]
    asked = ("remove-down-nodes", "--nodes", f"{node_id},{'z' * 25}")
    assert managed(hub, swarm, *asked) == (0, {"removed": ["z" * 25], "kept": [node_id]})
    worker.engine.kill()
    assert managed(hub, swarm, *asked) == (0, {"removed": [node_id, "z" * 25], "kept": []})


@pytest.mark.parametrize("ids", ["", "short", f"{'a' * 25},", "A" * 25, f"{'a' * 24};"])
@pytest.mark.parametrize(
    ("command", "option"),
    [("remove-down-nodes", "--nodes"), ("remove-lost-services", "--services")],
)
def test_a_list_of_other_ids_than_swarm_s_is_refused(
    hub: Machine, swarm: SwarmTwin, command: str, option: str, ids: str
) -> None:
    code, answer = managed(hub, swarm, command, option, ids)
    assert (code, answer["error"]["name"]) == (2, "BadInput")
    assert answer["error"]["message"].startswith(f"{option}: ")


def test_the_manager_removes_services_that_the_hub_has_lost(hub: Machine, swarm: SwarmTwin) -> None:
    swarm.line_up(Server("ada", "", "jupyter-ada"))
    (lost,) = (service.service_id for service in swarm.services())
    asked = ("remove-lost-services", "--services", lost)
    assert managed(hub, swarm, *asked)[0] == 75, "the hub does not answer"
    around = manager.Surroundings(lambda _: swarm, lambda _: HubTwin(frozenset({"ada"})))
    answered = manager.answer(asked, hub.environment, around)
    assert (answered.exit_code, json.loads(answered.line)) == (0, {"removed": [lost], "kept": []})
    assert list(swarm.services()) == []


def test_the_manager_handles_a_worker_by_its_instance_id(
    hub: Machine, worker: Machine, swarm: SwarmTwin
) -> None:
    worker.node("join")
    code, answer = managed(hub, swarm, "activate", "--instance", WORKER)
    assert (code, answer["availability"], answer["servers"]) == (0, "active", [])
    assert managed(hub, swarm, "remove", "--instance", WORKER)[0] == 75
    worker.node("leave")
    for _ in range(2):
        assert managed(hub, swarm, "remove", "--instance", WORKER) == (0, {"removed": True})
    code, answer = managed(hub, swarm, "pause", "--instance", WORKER)
    assert (code, answer["error"]["kind"]) == (69, "gone")


def test_a_worker_is_opened_as_the_cluster_s_that_the_machine_names(
    hub: Machine, worker: Machine, swarm: SwarmTwin
) -> None:
    worker.node("join")
    # Empty is how a document says that it was not given.
    for cluster, label in (("lab-gpu", "lab-gpu"), ("", "lab-gpu")):
        asked = ("activate", "--instance", WORKER, "--cluster", cluster)
        assert managed(hub, swarm, *asked)[0] == 0
        (node,) = (node for node in swarm.nodes() if node.role == "worker")
        assert (node.node_cluster, node.availability) == (label, "active")


@pytest.mark.parametrize("cluster", ["Lab", "l" * 21, "a b", "-lab"])
def test_a_text_that_is_no_clusters_name_is_refused(
    hub: Machine, swarm: SwarmTwin, cluster: str
) -> None:
    asked = ("activate", "--instance", WORKER, f"--cluster={cluster}")
    code, answer = managed(hub, swarm, *asked)
    assert (code, answer["error"]["message"][:11]) == (2, "--cluster: ")


def test_nothing_to_evacuate_needs_no_hub(hub: Machine, worker: Machine, swarm: SwarmTwin) -> None:
    worker.node("join")
    assert managed(hub, swarm, "evacuate", "--instance", WORKER) == (
        0,
        {"servers": [], "moved": [], "moving": [], "refused": []},
    )


SOON = ("--kind", "interruption", "--deadline", "2026-01-31T12:00:00Z")


def test_a_node_without_students_is_notified_without_a_hub(
    hub: Machine, worker: Machine, swarm: SwarmTwin
) -> None:
    worker.node("join")
    asked = ("notify", "--instance", WORKER, *SOON)
    assert managed(hub, swarm, *asked) == (0, {"notified": [], "failed": {}})


def test_a_notice_goes_to_the_hub_with_its_kind_and_deadline(
    hub: Machine, worker: Machine, swarm: SwarmTwin
) -> None:
    worker.node("join")
    managed(hub, swarm, "activate", "--instance", WORKER)
    (node,) = (node for node in swarm.nodes() if node.role == "worker")
    swarm.place(Server("ada", "", "jupyter-ada"), node.node_id)
    students = HubTwin(frozenset({"ada"}))
    students.start("ada", "")
    around = manager.Surroundings(lambda _: swarm, lambda _: students)
    asked = ("notify", "--instance", WORKER, *SOON)
    for _ in range(2):
        answer = manager.answer(asked, hub.environment, around)
        assert json.loads(answer.line) == {"notified": ["jupyter-ada"], "failed": {}}
    assert students.notices == {("ada", ""): Notice("interruption", 1769860800)}


def test_all_students_read_that_the_hub_goes_down(hub: Machine, swarm: SwarmTwin) -> None:
    students = HubTwin(frozenset({"ada", "bob", "eve"}))
    for name in ("ada", "bob"):
        students.start(name, "")
    students.without_notices = {"bob"}
    around = manager.Surroundings(lambda _: swarm, lambda _: students)
    asked = ("announce-hub", "--deadline", "2026-01-31T12:00:00Z")
    answer = manager.answer(asked, hub.environment, around)
    assert json.loads(answer.line) == {"notified": 1, "failed": {"gone": 1}}
    assert students.notices == {("ada", ""): Notice("hub", 1769860800)}
    refused = manager.answer(("announce-hub", "--deadline", "soon"), hub.environment, around)
    assert (refused.exit_code, "--deadline" in refused.line) == (2, True)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"--kind": "party"}, "--kind"),
        ({"--kind": "Your machine burns; call 555"}, "--kind"),
        ({"--deadline": "soon"}, "--deadline"),
        ({"--deadline": "1769860800"}, "--deadline"),
        ({"--deadline": "2026-01-31T12:00:00+01:00"}, "--deadline"),
        ({"--deadline": "2026-02-31T12:00:00Z"}, "--deadline"),
    ],
)
def test_a_wrong_notice_is_refused_by_its_field(
    hub: Machine, swarm: SwarmTwin, given: dict[str, str], field: str
) -> None:
    options = dict(zip(SOON[::2], SOON[1::2], strict=True)) | given
    asked = [word for option in options.items() for word in option]
    code, answer = managed(hub, swarm, "notify", "--instance", WORKER, *asked)
    assert (code, answer["error"]["message"].partition(":")[0]) == (2, field)


def test_a_worker_has_no_manager_commands(worker: Machine, swarm: SwarmTwin) -> None:
    code, answer = managed(worker, swarm, "pause", "--instance", WORKER)
    assert (code, answer["error"]["name"]) == (2, "BadInput")


@pytest.mark.parametrize(
    "arguments", [[], ["nothing"], ["pause"], ["pause", "--instance", "i-xyz"], ["pause", "x"]]
)
def test_wrong_usage_is_an_answer_too(hub: Machine, swarm: SwarmTwin, arguments: list[str]) -> None:
    code, answer = managed(hub, swarm, *arguments)
    assert (code, answer["error"]["name"]) == (2, "BadInput")


@pytest.mark.parametrize("tool", ["node", "manager"])
def test_as_a_process_a_tool_prints_one_line_and_exits_with_its_code(
    tool: str, hub: Machine
) -> None:
    arguments = ["leave"] if tool == "node" else ["pause", "--instance", WORKER]
    done = subprocess.run(
        [sys.executable, "-m", f"labswarm_node.{tool}", *arguments],
        env={**os.environ, **hub.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 75, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["error"]["kind"] == "transient"


def test_the_tools_start_without_the_libraries_of_a_single_command() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, labswarm_node.node, labswarm_node.manager;"
            "print({'boto3', 'botocore', 'cryptography', 'docker'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
