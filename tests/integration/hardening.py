"""What InSpec would look at on a worker, looked at on a worker of the lab, where there is none.

This is not the profile: it mirrors those of its controls that a namespace can have.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labswarm_lab.nodes import cookbooks
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.settings import NodesSettings


@dataclass(frozen=True)
class Worker:
    """A worker of a lab that runs."""

    settings: NodesSettings
    machines: NamespaceMachines
    instance_id: str

    def run(self, script: str) -> str:
        """What a script prints on the node; a script that fails fails the test."""
        done = self.machines.run(self.instance_id, script, {}, 20)
        assert done.exit_code == 0, f"{script}: {done.stderr}"
        return done.stdout

    def json(self, path: str) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.run(f"cat {path}"))
        return read

    def mode(self, path: str) -> str:
        """A file's owner and mode."""
        return self.run(f"stat --format '%U %a' {path}").strip()

    def rules(self, chain: str) -> list[str]:
        return self.run(f"iptables -w -S {chain}").splitlines()

    def listens(self, port: int) -> bool:
        """Whether something on the node takes connections from others at this port."""
        # /proc/net/tcp and tcp6: the local address, the other's, and 0A where one listens.
        sockets = self.run("cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true")
        return re.search(rf":{port:04X} 0+:0000 0A ", sockets) is not None

    @property
    def daemon(self) -> dict[str, Any]:
        return self.json("/etc/docker/daemon.json")

    @property
    def node(self) -> dict[str, Any]:
        return self.json('"$LABSWARM_NODE_CONFIG"')


@dataclass(frozen=True)
class Fact:
    """One thing that is so, and the InSpec control that says it of a worker on AWS."""

    control: str
    what: str
    is_so: Callable[[Worker], bool]


def _rejects(chain: str, match: str) -> str:
    return f"-A {chain} {match} -j REJECT --reject-with icmp-port-unreachable"


def _network_parameters(worker: Worker) -> bool:
    """Those that this kernel gives each network; at least those of IPv4's interfaces."""
    wanted = {
        name: str(value)
        for name, value in cookbooks.network_parameters().items()
        if worker.run(f"ls /proc/sys/{name.replace('.', '/')} 2>/dev/null || true")
    }
    files = " ".join(f"/proc/sys/{name.replace('.', '/')}" for name in wanted)
    assert len([name for name in wanted if name.startswith("net.ipv4.conf.")]) >= 14
    return worker.run(f"cat {files}").split() == list(wanted.values())


def _files_with_a_join_token(worker: Worker) -> list[str]:
    """Among the nodes' own files; Docker's own folder is the Swarm's state, encrypted."""
    place = worker.settings.place
    return worker.run(
        "grep --recursive --files-with-matches --devices=skip --exclude-dir=docker "
        f"'SWMTKN-1-[0-9a-z]\\{{25\\}}' {place.nodes_dir} {place.run_dir} || true"
    ).splitlines()


FACTS = [
    Fact(
        "labswarm-worker-1",
        "containers cannot begin to talk to the unreachable blocks",
        lambda w: all(
            _rejects("DOCKER-USER", f"-d {block}") in w.rules("DOCKER-USER")
            for block in ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
        ),
    ),
    Fact(
        "labswarm-worker-1",
        "containers cannot begin to talk to their node",
        lambda w: (
            _rejects("LABSWARM-HOST", "-i docker+ -m conntrack --ctstate NEW")
            in w.rules("LABSWARM-HOST")
        ),
    ),
    Fact(
        "labswarm-worker-1",
        "packets pass these rules",
        lambda w: (
            "-A INPUT -j LABSWARM-HOST" in w.rules("INPUT")
            and "-A FORWARD -j DOCKER-USER" in w.rules("FORWARD")
        ),
    ),
    Fact("labswarm-worker-2", "it has its tool", lambda w: bool(w.run("command -v labswarm-node"))),
    Fact(
        "labswarm-worker-2",
        "it is a worker, and no hub",
        lambda w: (w.node["role"], w.node["hub"]) == ("worker", None),
    ),
    Fact("docker-2.x", "icc is off", lambda w: w.daemon["icc"] is False),
    Fact("docker-2.x", "no new privileges", lambda w: w.daemon["no-new-privileges"] is True),
    Fact("docker-2.x", "logs end", lambda w: w.daemon["log-opts"]["max-size"] == "10m"),
    Fact(
        "docker-2.x",
        "no registry without TLS but the lab's own",
        lambda w: w.daemon["insecure-registries"] == [f"{w.settings.gateway}:5000"],
    ),
    Fact(
        "docker-2.x",
        "the Engine has no TCP socket",
        lambda w: (
            "hosts" not in w.daemon and not any(map(w.listens, (2375, 2376))) and w.listens(7946)
        ),
    ),
    Fact("docker-3.x", "/etc/docker is root's", lambda w: w.mode("/etc/docker") == "root 755"),
    Fact(
        "docker-3.x",
        "daemon.json is root's",
        lambda w: w.mode("/etc/docker/daemon.json") == "root 644",
    ),
    Fact(
        "docker-3.x",
        "the socket is root's, and not everybody's",
        lambda w: w.mode(str(w.settings.place.docker_socket(w.instance_id))) == "root 660",
    ),
    Fact(
        "labswarm-node-1",
        "it knows what it is",
        lambda w: (
            w.node["instance_id"] == w.instance_id
            and w.node["chef"]["node_name"] == f"{w.settings.cluster}-{w.instance_id}"
        ),
    ),
    Fact(
        "labswarm-node-1",
        "the Swarm does too",
        lambda w: (
            w.daemon["labels"]
            == [f"labswarm.instance={w.instance_id}", f"labswarm.cluster={w.settings.cluster}"]
        ),
    ),
    Fact(
        "labswarm-node-2", "no join token is on a disk", lambda w: not _files_with_a_join_token(w)
    ),
    Fact(
        "labswarm-node-3",
        "homes are not for everybody's eyes",
        lambda w: (
            w.mode(str(w.settings.place.state_dir / "homes")) == "root 711"
            and w.run(f"find {w.settings.place.state_dir}/homes -mindepth 1 -maxdepth 1") != ""
            and w.run(
                f"find {w.settings.place.state_dir}/homes -mindepth 1 -maxdepth 1 -perm /0077"
            )
            == ""
        ),
    ),
    Fact(
        "labswarm-node-4",
        "the Chef key is the node's own, and root's alone",
        lambda w: w.mode(w.node["chef"]["key_file"]) == "root 600",
    ),
    Fact("labswarm-node-6", "nobody comes in by SSH", lambda w: not w.listens(22)),
    Fact("sysctl: network", "packets that lie are not believed", _network_parameters),
]

_THIS_MACHINES = "these files are this machine's, and a lab changes none of them"

# Of these controls nothing is looked at on a lab's node.
NOT_IN_THE_LAB = {
    "labswarm-worker-3": "homes are a folder of this machine: there is no EFS to be mounted",
    "labswarm-node-5": "there is no metadata service; that none is reached from a student's "
    "container is shown with one in its place (test_student_container.py)",
    "os-01, os-09": _THIS_MACHINES,
    "os-02, os-03": _THIS_MACHINES,
    "os-05": _THIS_MACHINES,
    "os-07": _THIS_MACHINES,
    "os-10": "modules are loaded by this machine's kernel, not by a node's",
    "os-13": _THIS_MACHINES,
    "package-01 to -06": "packages are this machine's; a node runs its Engine and nothing else",
    "package-08": "the kernel audits the machine, not a node",
    "sysctl: kernel": "these parameters are this machine's kernel's",
}
