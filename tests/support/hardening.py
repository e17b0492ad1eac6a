"""The facts of the worker's InSpec profile, looked at on a worker of the lab, where no InSpec is.

This is not the profile: each fact is the twin of one `describe` of it, as far as a namespace can
have it, and points without one are in `NOT_IN_THE_LAB`. test_hardening_table.py holds that all have
one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labswarm_lab.nodes import cookbooks
from tests.support.lab_worker import Worker


@dataclass(frozen=True)
class Fact:
    """The required fact, and the control and `describe` that require it."""

    control: str
    describe: str
    check: Callable[[Worker], None]

    def __str__(self) -> str:
        return f"{self.control}: {self.check.__name__}"


FACTS: list[Fact] = []


def twin_of(control: str, *describes: str) -> Callable[[Callable[[Worker], None]], Any]:
    """Keeps a check as the twin of a control's `describe`s, each named by its beginning."""

    def keep(check: Callable[[Worker], None]) -> Callable[[Worker], None]:
        FACTS.extend(Fact(control, describe, check) for describe in describes)
        return check

    return keep


def rejects(chain: str, match: str) -> str:
    return f"-A {chain} {match} -j REJECT --reject-with icmp-port-unreachable"


def read(worker: Worker, path: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(worker.host.file(path).content_string)
    return values


def node_json(worker: Worker) -> dict[str, Any]:
    return read(worker, worker.host.environment()["LABSWARM_NODE_CONFIG"])


def daemon_json(worker: Worker) -> dict[str, Any]:
    return read(worker, "/etc/docker/daemon.json")


def ports(worker: Worker) -> set[int]:
    """Where something on the node takes connections."""
    sockets = worker.host.socket.get_listening_sockets()
    return {int(name.rpartition(":")[2]) for name in sockets if name.startswith("tcp://")}


@twin_of("labswarm-worker-1", "iptables(chain: 'DOCKER-USER')")
def containers_cannot_begin_to_talk_to_the_private_ranges(worker: Worker) -> None:
    rules = worker.rules("DOCKER-USER")
    for block in ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"):
        assert rejects("DOCKER-USER", f"-d {block}") in rules


@twin_of("labswarm-worker-1", "iptables(chain: 'LABSWARM-HOST')")
def containers_cannot_begin_to_talk_to_their_node(worker: Worker) -> None:
    rule = rejects("LABSWARM-HOST", "-i docker+ -m conntrack --ctstate NEW")
    assert rule in worker.rules("LABSWARM-HOST")


@twin_of("labswarm-worker-1", "iptables(chain: 'INPUT')")
def what_asks_the_node_passes_the_rules(worker: Worker) -> None:
    assert "-A INPUT -j LABSWARM-HOST" in worker.rules("INPUT")


@twin_of("labswarm-worker-1", "iptables(chain: 'FORWARD')")
def what_leaves_the_node_passes_the_rules(worker: Worker) -> None:
    assert "-A FORWARD -j DOCKER-USER" in worker.rules("FORWARD")


@twin_of("labswarm-worker-2", "command('labswarm-node')")
def it_has_the_tool_that_the_app_calls(worker: Worker) -> None:
    assert worker.host.exists("labswarm-node")


@twin_of("labswarm-worker-2", "json('/etc/labswarm/node.json')")
def it_is_a_worker_and_no_hub(worker: Worker) -> None:
    node = node_json(worker)
    assert (node["role"], node["hub"]) == ("worker", None)


@twin_of("docker-2.x", "json('/etc/docker/daemon.json')")
def the_engine_is_set_as_the_baseline_has_it(worker: Worker) -> None:
    settings = daemon_json(worker)
    assert settings["icc"] is False
    assert settings["no-new-privileges"] is True
    assert settings["log-opts"]["max-size"]
    assert settings["seccomp-profile"] == "/etc/docker/labswarm-seccomp.json"
    assert "hosts" not in settings
    # Where the lab differs: its own registry has no TLS.
    assert settings["insecure-registries"] == [f"{worker.settings.gateway}:5000"]


@twin_of("docker-2.x", "port(2375)", "port(2376)")
def the_engine_has_no_tcp_socket(worker: Worker) -> None:
    open_ports = ports(worker)
    assert 7946 in open_ports, "a member of a Swarm gossips; without that nothing was looked at"
    assert not open_ports & {2375, 2376}


@twin_of("docker-3.x", "file('/etc/docker')")
def the_engines_folder_is_roots(worker: Worker) -> None:
    folder = worker.host.file("/etc/docker")
    assert (folder.user, folder.mode) == ("root", 0o755)


@twin_of("docker-3.x", "file('/etc/docker/daemon.json')")
def the_engines_settings_are_roots(worker: Worker) -> None:
    settings = worker.host.file("/etc/docker/daemon.json")
    assert (settings.user, settings.mode) == ("root", 0o644)


@twin_of("docker-3.x", "json('/etc/docker/labswarm-seccomp.json')")
def the_engines_profile_allows_what_it_names_and_nothing_else(worker: Worker) -> None:
    profile = read(worker, "/etc/docker/labswarm-seccomp.json")
    assert profile == json.loads(cookbooks.seccomp_profile())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"


@twin_of("docker-3.x", "file('/run/docker.sock')")
def the_engines_socket_is_not_for_everybody(worker: Worker) -> None:
    path = worker.settings.place.docker_socket(worker.instance_id)
    socket = worker.host.file(str(path))
    assert socket.is_socket
    assert (socket.user, socket.mode) == ("root", 0o660)


@twin_of("labswarm-node-1", "node do")
def it_knows_what_it_is(worker: Worker) -> None:
    node = node_json(worker)
    assert node["instance_id"] == worker.instance_id
    assert node["chef"]["node_name"] == f"{node['cluster']}-{node['instance_id']}"


@twin_of("labswarm-node-1", "json('/etc/docker/daemon.json')")
def the_swarm_knows_what_it_is(worker: Worker) -> None:
    node = node_json(worker)
    labels = [
        f"labswarm.instance={node['instance_id']}",
        f"labswarm.cluster={node['cluster']}",
    ]
    # A worker that reports lost homes has one more.
    assert daemon_json(worker)["labels"][:2] == labels


@twin_of("labswarm-node-2", 'command("grep')
def no_join_token_is_on_a_disk(worker: Worker) -> None:
    # Among the nodes' own files; Docker's own folder is the Swarm's state, encrypted.
    place = worker.settings.place
    found = worker.host.run(
        "grep --recursive --files-with-matches --devices=skip --exclude-dir=docker "
        "'SWMTKN-1-[0-9a-z]\\{25\\}' %s %s",
        *(str(place.nodes_dir), str(place.run_dir)),
    )
    assert (found.rc, found.stdout, found.stderr) == (1, "", "")


@twin_of("labswarm-node-3", "directory('/homes')")
def nobody_looks_around_among_the_homes(worker: Worker) -> None:
    homes = worker.host.file(f"{worker.settings.place.state_dir}/homes")
    assert homes.is_directory
    assert homes.mode & 0o006 == 0


@twin_of("labswarm-node-3", "command('find /homes")
def a_home_is_its_owners_alone(worker: Worker) -> None:
    find = f"find {worker.settings.place.state_dir}/homes -mindepth 1 -maxdepth 1"
    assert worker.host.check_output(find) != ""
    assert worker.host.check_output(f"{find} -perm /0077") == ""


@twin_of("labswarm-node-4", "file('/etc/labswarm/chef/client.pem')")
def the_chef_key_is_roots_alone(worker: Worker) -> None:
    key = worker.host.file(node_json(worker)["chef"]["key_file"])
    assert (key.user, key.mode) == ("root", 0o600)


@twin_of("labswarm-node-6", "port(22)")
def nobody_comes_in_by_ssh(worker: Worker) -> None:
    assert 22 not in ports(worker)


@twin_of("sysctl: network", "kernel_parameter(name)")
def packets_that_lie_are_not_believed(worker: Worker) -> None:
    there = {
        name: (file.content_string.strip(), str(value))
        for name, value in cookbooks.network_parameters().items()
        if (file := worker.host.file(f"/proc/sys/{name.replace('.', '/')}")).exists
    }
    # Not every kernel has IPv6, nor gives each network all of the others.
    assert len([name for name in there if name.startswith("net.ipv4.conf.")]) >= 14
    assert {name: is_so for name, (is_so, _) in there.items()} == {
        name: wanted for name, (_, wanted) in there.items()
    }


_NO_SYSTEMD = "a node has no systemd: the lab loads the rules, and then starts the Engine"
_THIS_MACHINES = "these files are this machine's, and a lab changes none of them"

# By a control and the beginning of its `describe`; "" is all of it.
NOT_IN_THE_LAB = {
    ("labswarm-worker-1", "systemd_service("): _NO_SYSTEMD,
    ("labswarm-worker-1", "command('systemctl"): _NO_SYSTEMD,
    ("labswarm-worker-4", "systemd_service("): _NO_SYSTEMD,
    ("labswarm-worker-3", ""): "homes are a folder of this machine: no EFS is mounted",
    ("docker-3.x", "etc_group"): "groups are this machine's, and so is who may command its Engine",
    ("labswarm-node-2", 'command("journalctl'): "a node has no journal; its Engine's log is "
    "among the files that are looked through",
    ("labswarm-node-5", ""): "there is no metadata service; that none is reached from a "
    "student's container is shown with one in its place (test_student_container.py)",
    ("labswarm-node-7", ""): "there is one copy of the cookbooks, this repository's",
    ("labswarm-node-6", "file("): "this machine's packages are not the lab's to update",
    ("os-01, os-09", ""): _THIS_MACHINES,
    ("os-02, os-03", ""): _THIS_MACHINES,
    ("os-05", ""): _THIS_MACHINES,
    ("os-07", ""): _THIS_MACHINES,
    ("os-10", ""): "modules are loaded by this machine's kernel, not by a node's",
    ("os-13", ""): _THIS_MACHINES,
    ("package-01 to -06", ""): "packages are this machine's; a node runs its Engine only",
    ("package-08", ""): "the kernel audits the machine, not a node",
    ("sysctl: kernel", ""): "these parameters are this machine's kernel's",
}
