"""A lab's machines on this one: their properties, and that nothing of them stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from labswarm.errors import BadInput, Gone, Permanent
from labswarm_emulator.emulator import Settings
from labswarm_emulator.machines import Instance
from labswarm_lab.images.skeleton import skeleton
from labswarm_lab.nodes import network, registry, sweep
from labswarm_lab.nodes.emulator_machines import from_settings
from labswarm_lab.nodes.founding import found_swarm
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.requirements import missing
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_node.engine_api import EngineApi

pytestmark = pytest.mark.swarm

HUB = Instance("i-000000000000000b0", "t3.large", 4 * 1024**3, 2, {"labswarm:role": "hub"})
WORKER = Instance("i-00000000000000001", "t3.medium", 2 * 1024**3, 1)
NEXT = Instance("i-00000000000000002", "t3.medium", 2 * 1024**3, 1)


def laid(place: Place) -> NodesSettings:
    """A lab's settings and its bridge."""
    settings = NodesSettings(
        place=place,
        subnet=network.raise_bridge(place),
        cluster="lab",
        region="eu-west-1",
        aws_url="http://127.0.0.1:9",
        join_secret="labswarm/lab/swarm-join",
        chef_url="https://127.0.0.1:9",
        chef_ca_file=None,
    )
    settings.write()
    return settings


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[Callable[[str], NodesSettings]]:
    """Lays labs of this test's own, and clears what it leaves of them."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no real nodes here, missing: {'; '.join(map(str, lacking))}")
    places: list[Place] = []

    def new(suffix: str) -> NodesSettings:
        places.append(Place(f"t-{os.getpid()}{suffix}", tmp_path))
        return laid(places[-1])

    yield new
    for place in places:
        sweep.clear(place)


@pytest.fixture
def lab(new_lab: Callable[[str], NodesSettings]) -> NodesSettings:
    return new_lab("")


def traces(settings: NodesSettings) -> list[str]:
    """A lab's parts in the kernel and on disk, found by other means than the sweep's."""
    place = settings.place
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    processes = [
        folder.name
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and os.fsencode(place.nodes_dir) in _cmdline(folder)
    ]
    return [
        *(f"process {pid}" for pid in processes),
        *(f"link {link.name}" for link in Path("/sys/class/net").glob(f"ls{settings.subnet}n*")),
        *(f"link {link.name}" for link in Path("/sys/class/net").glob(place.bridge)),
        *(f"rule {line}" for line in rules.splitlines() if place.bridge in line.split()),
        *(f"mount {m}" for m in Path("/proc/mounts").read_text().splitlines() if place.lab in m),
        *(f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{place.cgroup}")),
        *(f"folder {path}" for path in place.run_dir.glob("*")),
        *(f"folder {path}" for path in place.nodes_dir.glob("i-*")),
        *(f"netns {path}" for path in Path("/run/netns").glob(f"*{place.lab}*")),
    ]


def _cmdline(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def eventually(condition: Callable[[], object], what: str, within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.05)


def test_a_machine_is_of_its_instance_s_size_and_is_itself(lab: NodesSettings) -> None:
    machines = NamespaceMachines(lab)
    for instance in (WORKER, NEXT):
        machines.boot(instance)
    apis = [EngineApi(f"unix://{lab.place.docker_socket(i.instance_id)}") for i in (WORKER, NEXT)]
    infos = [api.call("GET", "/info") for api in apis]
    assert [(info["MemTotal"], info["NCPU"]) for info in infos] == [(2 * 1024**3, 1)] * 2
    assert [info["Name"] for info in infos] == ["worker-11", "worker-12"]
    assert infos[0]["ID"] != infos[1]["ID"]
    assert set(infos[0]["Labels"]) == {
        f"labswarm.instance={WORKER.instance_id}",
        f"labswarm.cluster={lab.cluster}",
    }
    assert infos[0]["CgroupDriver"] == "cgroupfs"
    knock = """bash -c 'exec 3<>"/dev/tcp/$PEER/22"'"""
    ping = machines.run(NEXT.instance_id, knock, {"PEER": "10.255.0.1"}, 5)
    assert "Network is unreachable" in ping.stderr, "there is no way out of the lab"


def test_a_script_runs_on_the_machine_with_its_environment_and_the_tools(
    lab: NodesSettings,
) -> None:
    machines = NamespaceMachines(lab)
    machines.boot(WORKER)
    completed = machines.run(
        WORKER.instance_id,
        'hostname; echo "$SSM_X"; labswarm-node leave; echo no >&2; exit 7',
        {"SSM_X": "$(reboot) 'x'"},
        20,
    )
    assert completed.stdout.splitlines() == [
        "worker-11",
        "$(reboot) 'x'",
        '{"left": true, "already": true}',
    ]
    assert (completed.exit_code, completed.stderr, completed.timed_out) == (7, "no\n", False)


def test_a_script_that_takes_too_long_is_killed_with_all_it_started(lab: NodesSettings) -> None:
    machines = NamespaceMachines(lab)
    machines.boot(WORKER)
    completed = machines.run(WORKER.instance_id, "echo begun; sleep 4321 & sleep 4321", {}, 2)
    assert (completed.timed_out, completed.stdout) == (True, "begun\n")
    left = machines.run(WORKER.instance_id, "cat /proc/[0-9]*/cmdline", {}, 5)
    assert "sleep\0004321" not in left.stdout


def test_a_killed_machine_leaves_nothing_of_its_own(lab: NodesSettings) -> None:
    machines = NamespaceMachines(lab)
    before = traces(lab)
    machines.boot(WORKER)
    assert traces(lab) != before
    for _ in range(2):
        machines.terminate(WORKER.instance_id)
    assert traces(lab) == before
    with pytest.raises(Gone):
        machines.run(WORKER.instance_id, "true", {}, 5)


def test_machines_that_end_do_not_change_how_the_others_reach_this_one(lab: NodesSettings) -> None:
    bridge = Path(f"/sys/class/net/{lab.place.bridge}/address")
    address = bridge.read_text()
    machines = NamespaceMachines(lab)
    for instance in (WORKER, NEXT):
        machines.boot(instance)
        assert bridge.read_text() == address
    for instance in (WORKER, NEXT):
        machines.terminate(instance.instance_id)
        assert bridge.read_text() == address


def test_an_address_is_not_given_again_at_once(lab: NodesSettings) -> None:
    machines = NamespaceMachines(lab)
    machines.boot(WORKER)
    machines.terminate(WORKER.instance_id)
    machines.boot(NEXT)
    completed = machines.run(NEXT.instance_id, "hostname", {}, 5)
    assert completed.stdout == "worker-12\n"


def test_a_boot_that_fails_leaves_nothing(lab: NodesSettings) -> None:
    network.lower_bridge(lab.place)
    before = traces(lab)
    with pytest.raises(Permanent):
        NamespaceMachines(lab).boot(WORKER)
    assert traces(lab) == before
    assert sweep.processes(lab.place) == []


def test_another_process_goes_on_with_the_machines(lab: NodesSettings, tmp_path: Path) -> None:
    NamespaceMachines(lab).boot(WORKER)
    later = from_settings(Settings("127.0.0.1", 0, lab.place.state_dir / "emulator"))
    assert later.run(WORKER.instance_id, "hostname", {}, 5).stdout == "worker-11\n"
    later.terminate(WORKER.instance_id)
    assert not [
        trace for trace in traces(lab) if trace.startswith(("process", f"link ls{lab.subnet}n"))
    ]


CRASHES = """
import sys, time
from pathlib import Path
from typing import Any
from labswarm_lab.nodes import registry
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_emulator.machines import Instance
settings = NodesSettings.read(Place(sys.argv[1], Path(sys.argv[2])))
registry.start(settings)
NamespaceMachines(settings).boot(Instance(sys.argv[3], "t3.medium", 2**31, 1))
print("up", flush=True)
time.sleep(600)
"""


def test_the_sweep_ends_the_leftovers_of_a_killed_process(
    lab: NodesSettings, tmp_path: Path
) -> None:
    words = [sys.executable, "-c", CRASHES, lab.place.lab, str(tmp_path), WORKER.instance_id]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGKILL)
    (lab.place.node_dir(WORKER.instance_id) / "pid").unlink()  # its memory is gone, too
    found = sweep.leftovers(lab.place)
    kinds = {line.split()[0] for line in found}
    assert kinds == {"process", "link", "bridge", "iptables", "folder"}, found
    for _ in range(2):
        sweep.clear(lab.place)
        assert sweep.leftovers(lab.place) == []
    assert traces(lab) == []


def test_the_sweep_takes_containers_with_it_and_leaves_another_lab_alone(
    new_lab: Callable[[str], NodesSettings],
) -> None:
    # One name begins with the other.
    gone, stays = new_lab(""), new_lab("b")
    machines = {settings.subnet: NamespaceMachines(settings) for settings in (gone, stays)}
    machines[gone.subnet].boot(HUB)
    machines[stays.subnet].boot(WORKER)
    found_swarm(gone, HUB.instance_id)
    api = EngineApi(f"unix://{gone.place.docker_socket(HUB.instance_id)}")
    container = _run_container(gone, api)
    assert api.call("GET", f"/containers/{container}/json")["State"]["Running"]
    assert [line for line in sweep.leftovers(gone.place) if line.startswith("cgroup")]
    before = traces(stays)
    sweep.clear(gone.place)
    assert traces(gone) == []
    assert traces(stays) == before
    completed = machines[stays.subnet].run(WORKER.instance_id, "hostname", {}, 5)
    assert completed.stdout == "worker-11\n"


def _run_container(settings: NodesSettings, api: EngineApi) -> str:
    """A container of nothing but this machine's /usr, that sleeps."""
    socket = settings.place.docker_socket(HUB.instance_id)
    engine: Any = DockerClient(base_url=f"unix://{socket}")
    engine.api.import_image_from_data(skeleton({}), repository="empty", tag="1")
    made = api.call(
        "POST",
        "/containers/create",
        body={
            "Image": "empty:1",
            "Cmd": ["/usr/bin/sleep", "600"],
            "HostConfig": {"Binds": ["/usr:/usr:ro"]},
        },
    )
    api.call("POST", f"/containers/{made['Id']}/start", timeout_s=20)
    return str(made["Id"])


def test_a_swarm_is_founded_once(lab: NodesSettings) -> None:
    NamespaceMachines(lab).boot(HUB)
    first = found_swarm(lab, HUB.instance_id)
    assert found_swarm(lab, HUB.instance_id) == first
    assert first.manager == f"{lab.manager_address}:2377"
    api = EngineApi(f"unix://{lab.place.docker_socket(HUB.instance_id)}")
    networks = {net["Name"]: net for net in api.call("GET", "/networks")}
    overlay = networks["labswarm"]
    assert (overlay["Driver"], overlay["Attachable"]) == ("overlay", True)
    assert overlay["IPAM"]["Config"][0]["Subnet"].endswith("/20")


def test_a_lab_has_one_hub(lab: NodesSettings) -> None:
    machines = NamespaceMachines(lab)
    machines.boot(HUB)
    with pytest.raises(Permanent, match="has a hub already"):
        machines.boot(Instance("i-000000000000000b1", "t3.large", 2**31, 1, HUB.tags))
    assert machines.run(HUB.instance_id, "hostname", {}, 5).stdout == "hub-10\n"


def test_the_registry_answers_on_the_bridge_and_is_started_once(lab: NodesSettings) -> None:
    address = registry.start(lab)
    assert address == f"{lab.gateway}:5000"
    before = sweep.processes(lab.place)
    assert registry.start(lab) == address
    assert sweep.processes(lab.place) == before


def test_without_a_lab_there_are_no_settings(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not up"):
        NodesSettings.read(Place("t-none", tmp_path))
