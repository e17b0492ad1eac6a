"""A worker of the lab as it is prepared, and the addresses that a student's container on it cannot
reach.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.classroom import (
    CHEF_PORT,
    EMULATOR_PORT,
    MANAGER,
    WORKER,
    Room,
    eventually,
    listening,
    prepared,
)
from tests.support.hardening import FACTS, Fact
from tests.support.lab_worker import Worker
from tests.support.probes import CALLS, LOOK

from labswarm_hub.homes import mark_homes
from labswarm_hub.task_spec import HOME
from labswarm_lab import hub
from labswarm_lab.nodes import cookbooks, network, registry, sweep
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.requirements import missing
from labswarm_node.docker_swarm import DockerSwarm
from labswarm_node.fitness import EngineLabels

pytestmark = pytest.mark.swarm

# By kind, with its protocol, on which machine (see `Room.addresses`), and the port.
REFUSED = {
    "the instance metadata": ("tcp", "metadata", 80),
    **{
        f"the Docker API of {which}, port {port}": ("tcp", which, port)
        for which in ("the manager", "its own node", "its own bridge", "another node")
        for port in (2375, 2376)
    },
    "the Swarm's management": ("tcp", "the manager", 2377),
    **{
        f"the Swarm's {what} of {which}, {protocol}": (protocol, which, port)
        for which in ("the manager", "its own node", "another node")
        for what, protocol, port in (
            ("gossip", "tcp", 7946),
            ("gossip", "udp", 7946),
            ("overlay", "udp", 4789),
        )
    },
    "the Chef Server": ("tcp", "this machine", CHEF_PORT),
    "the emulator": ("tcp", "this machine", EMULATOR_PORT),
    "the registry": ("tcp", "this machine", registry.PORT),
    "the hub's machine": ("tcp", "the manager", hub.API_PORT),
}
HUB = ("tcp", hub.SERVICE, hub.API_PORT)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    lacking = missing()
    if lacking:
        pytest.skip(f"no real nodes here, missing: {'; '.join(map(str, lacking))}")
    root = tmp_path_factory.mktemp("student")
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    place = Place(f"stu{os.getpid() % 10**6}", root)
    with ExitStack() as stack:
        stack.callback(sweep.clear, place)
        yield prepared(stack, place, network.raise_bridge(place))


def load_firewall(worker: Worker) -> None:
    conf = worker.settings.place.node_dir(WORKER) / "student-firewall.conf"
    worker.run(f"sh {cookbooks.STUDENT_FIREWALL} {conf}")


@pytest.fixture(scope="module")
def answers(room: Room) -> dict[str, str]:
    """The result of a connection to each, as a worker is."""
    eventually("the hub is reached", lambda: room.probe({"hub": HUB})["hub"] == "reached")
    with listening(room):
        return room.probe({**REFUSED, "the hub": HUB})


@pytest.fixture(scope="module")
def unshielded(room: Room, answers: dict[str, str]) -> dict[str, str]:
    """The same without the firewall, which is then loaded again."""
    before = [room.worker.rules(chain) for chain in ("DOCKER-USER", "LABSWARM-HOST", "INPUT")]
    room.worker.run("iptables -w -F DOCKER-USER; iptables -w -F LABSWARM-HOST")
    try:
        with listening(room):
            return room.probe(REFUSED)
    finally:
        load_firewall(room.worker)
        after = [room.worker.rules(chain) for chain in ("DOCKER-USER", "LABSWARM-HOST", "INPUT")]
        # Docker's own last line in its chain changes nothing.
        assert [r for rules in after for r in rules] == [
            r for rules in before for r in rules if r != "-A DOCKER-USER -j RETURN"
        ]


@pytest.mark.parametrize("what", REFUSED)
def test_a_students_container_does_not_reach(what: str, answers: dict[str, str]) -> None:
    assert answers[what] in ("ConnectionRefusedError", "TimeoutError")


@pytest.mark.parametrize("what", REFUSED)
def test_without_the_firewall_it_would_reach(what: str, unshielded: dict[str, str]) -> None:
    assert unshielded[what] == "reached"


def test_it_reaches_the_hub_which_its_server_needs(answers: dict[str, str]) -> None:
    assert answers["the hub"] == "reached"


@pytest.fixture(scope="module")
def calls(room: Room) -> dict[str, str]:
    """The error of each call to the kernel, made in the student's container."""
    errors: dict[str, str] = json.loads(room.python(CALLS))
    return errors


@pytest.fixture(scope="module")
def unfiltered(room: Room) -> dict[str, str]:
    """The same in a container like the student's, without a profile of system calls."""
    output = room.container.client.containers.run(
        room.container.attrs["Image"],
        ["-c", CALLS],
        entrypoint="/usr/bin/python3",
        volumes_from=[room.container.id],
        security_opt=["seccomp=unconfined"],
        remove=True,
    )
    errors: dict[str, str] = json.loads(output)
    return errors


REFUSED_CALLS = [
    *("unshare", "setns", "keyctl", "add_key", "request_key", "bpf", "perf_event_open"),
    *("userfaultfd", "io_uring_setup"),
    *(f"a socket of {family}" for family in ("AF_ALG", "AF_VSOCK", "AF_RXRPC", "NETLINK_XFRM")),
]


@pytest.mark.parametrize("call", REFUSED_CALLS)
def test_a_students_container_may_not_make_this_call(call: str, calls: dict[str, str]) -> None:
    assert calls[call] == "EPERM"


@pytest.mark.parametrize(
    "call",
    # The others may be closed to everybody by the machine's own settings.
    [*("unshare", "setns", "keyctl", "add_key"), "a socket of AF_ALG", "a socket of NETLINK_XFRM"],
)
def test_without_the_profile_the_kernel_would_look_at_this_call(
    call: str, unfiltered: dict[str, str]
) -> None:
    assert unfiltered[call] != "EPERM"


def test_it_reads_routes_as_name_resolution_does(calls: dict[str, str]) -> None:
    assert calls["a socket of NETLINK_ROUTE"] == "done"


def test_it_sees_its_own_home_and_nobody_elses(room: Room) -> None:
    assert room.python(LOOK, "ann.txt").split() == [f"{HOME}/ann.txt"]
    for other in ("bob", "cem"):
        assert room.python(LOOK, f"{other}.txt") == ""
        home = room.worker.settings.place.state_dir / "homes" / other / f"{other}.txt"
        assert home.read_text() == other
        assert room.python("import os, sys; print(os.path.exists(sys.argv[1]))", str(home)) == (
            "False\n"
        )


def test_its_tmp_is_full_before_the_nodes_disk_is(room: Room) -> None:
    fill = """
import os, subprocess
left = os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize
try:
    with open("/tmp/full", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, left + 1)
except OSError as error:
    print(error.strerror)
os.unlink("/tmp/full")
with open("/tmp/program", "w") as file:
    file.write("#!/bin/sh\\necho it runs\\n")
os.chmod("/tmp/program", 0o755)
print(subprocess.run(["/tmp/program"], capture_output=True, text=True).stdout.strip(), left)
"""
    limit = room.container.attrs["HostConfig"]["Memory"]
    assert room.python(fill).splitlines() == [
        "No space left on device",
        f"it runs {limit // 2}",
    ]


def test_it_has_no_docker_socket(room: Room) -> None:
    assert room.python(LOOK, "docker.sock") == ""
    own = room.worker.settings.place.docker_socket(WORKER)
    assert room.worker.run(f"test -S {own} && echo there") == "there"
    there = "import os, sys; print([p for p in sys.argv[1:] if os.path.lexists(p)])"
    paths = [str(own), "/var/run/docker.sock", "/run/docker.sock", "/run/docker"]
    assert room.python(there, *paths, HOME) == f"[{HOME!r}]\n"


@pytest.mark.parametrize("fact", FACTS, ids=str)
def test_a_worker_is_hardened(fact: Fact, room: Room) -> None:
    fact.check(room.worker)


def test_the_look_for_a_join_token_finds_one(room: Room) -> None:
    (fact,) = (fact for fact in FACTS if fact.control == "labswarm-node-2")
    fact.check(room.worker)
    leaked = room.worker.settings.place.node_dir(WORKER) / "leaked"
    leaked.write_text(f"SWMTKN-1-{'0' * 49}-{'1' * 25}")
    try:
        with pytest.raises(AssertionError):
            fact.check(room.worker)
    finally:
        leaked.unlink()


def test_the_look_at_the_firewall_sees_when_it_is_gone(room: Room) -> None:
    facts = [fact for fact in FACTS if fact.control == "labswarm-worker-1"]
    room.worker.run(
        "iptables -w -F DOCKER-USER; iptables -w -F LABSWARM-HOST; iptables -w -F INPUT; "
        "iptables -w -D FORWARD -j DOCKER-USER"
    )
    try:
        for fact in facts:
            with pytest.raises(AssertionError):
                fact.check(room.worker)
    finally:
        # This jump is Docker's own.
        room.worker.run("iptables -w -I FORWARD -j DOCKER-USER")
        load_firewall(room.worker)
    for fact in facts:
        fact.check(room.worker)


def test_a_worker_that_does_not_find_the_homes_is_unfit_for_the_manager(room: Room) -> None:
    """There is no JupyterHub in this room, so nothing has marked the homes yet."""
    place = room.worker.settings.place
    swarm = DockerSwarm(f"unix://{place.docker_socket(MANAGER)}")
    eventually(
        "both workers are unfit",
        lambda: [node.unfit for node in swarm.nodes() if node.role == "worker"] == [True, True],
    )
    mark_homes(place.homes)
    own = EngineLabels(f"unix://{place.docker_socket(WORKER)}", Path("/nowhere"), Path("/nowhere"))
    eventually("the worker is fit again", lambda: not own.is_unfit())
    room.container.reload()
    assert room.container.status == "running"
