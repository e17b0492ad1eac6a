"""Simulated machines: the documents' commands over the Swarm's twin."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from labswarm.errors import BadInput, Gone
from labswarm_emulator.emulator import Settings
from labswarm_emulator.machines import Completed, Instance
from labswarm_lab.nodes import cgroups, network, numbers
from labswarm_lab.nodes.emulator_machines import from_settings
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.simulated import SimulatedMachines, commands_of, swarm_seen
from labswarm_lab.nodes.snapshots import SimulatedSwarm
from labswarm_node.config import NodeConfig
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Server, StudentTask

HUB = Instance("i-000000000000000b0", "t3.large", 4 * 1024**3, 2, {"labswarm:role": "hub"})
WORKER = Instance("i-00000000000000001", "t3.medium", 2 * 1024**3, 2, {"labswarm:role": "worker"})


@pytest.fixture
def settings(tmp_path: Path) -> NodesSettings:
    settings = NodesSettings(
        place=Place("t-sim", tmp_path, tmp_path / "run"),
        subnet=7,
        cluster="lab",
        region="eu-west-1",
        aws_url="http://127.0.0.1:9",
        join_secret="labswarm/lab/swarm-join",
        chef_url="https://127.0.0.1:9",
        chef_ca_file=tmp_path / "ca.pem",
        kind="simulated",
        images=("10.98.7.1:5000/class:1",),
    )
    settings.write()
    return settings


@pytest.fixture
def machines(settings: NodesSettings) -> SimulatedMachines:
    machines = SimulatedMachines(settings)
    machines.boot(HUB)
    machines.boot(WORKER)
    return machines


def answer(completed: Completed) -> dict[str, object]:
    answer: dict[str, object] = json.loads(completed.stdout)
    return answer


def test_a_machine_has_the_node_json_of_its_role(
    machines: SimulatedMachines, settings: NodesSettings
) -> None:
    found = {
        i.instance_id: NodeConfig.parse(
            (settings.place.node_dir(i.instance_id) / "node.json").read_text()
        )
        for i in (HUB, WORKER)
    }
    worker, hub = found[WORKER.instance_id], found[HUB.instance_id]
    assert (worker.role, worker.advertise_address, worker.hub) == ("worker", "10.98.7.11", None)
    assert worker.images == settings.images
    assert worker.chef.node_name == f"lab-{WORKER.instance_id}"
    assert (hub.role, hub.advertise_address) == ("hub", "10.98.7.10")
    assert hub.hub is not None
    assert hub.hub.api_url == "http://10.98.7.10:8081/hub/api"


def test_the_documents_commands_run_on_the_twin(
    machines: SimulatedMachines, settings: NodesSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = JoinSecret("SWMTKN-1-twin", f"{settings.manager_address}:2377")
    monkeypatch.setattr("labswarm_lab.nodes.simulated._join_secret", lambda _: secret)
    worker, hub = WORKER.instance_id, HUB.instance_id
    joined = answer(machines.run(worker, "labswarm-node join", {}, 5))
    images = {"SSM_Images": "a:1,b:1"}
    pulled = machines.run(worker, 'labswarm-node pull --images "$SSM_Images"', images, 5)
    assert answer(pulled) == {"images": ["a:1", "b:1"]}
    given = {"SSM_Instance": worker}
    active = machines.run(hub, 'labswarm-manager activate --instance "$SSM_Instance"', given, 5)
    assert answer(active)["node_id"] == joined["node_id"]
    seen = {n.node_id: n for n in swarm_seen(settings).nodes()}[str(joined["node_id"])]
    assert (seen.state, seen.availability, seen.instance_id) == ("ready", "active", worker)


def test_another_process_sees_the_simulated_swarm_and_its_changes(
    machines: SimulatedMachines, settings: NodesSettings
) -> None:
    swarm = SimulatedSwarm(settings)
    assert [node.instance_id for node in swarm.nodes()] == [HUB.instance_id]
    assert not swarm.await_change(time.time() + 60, 0)
    before = time.time() - 60
    server = Server("eve", "", "jupyter-eve")
    machines.swarm.line_up(server)
    machines.boot(replace(WORKER, instance_id="i-00000000000000002"))
    assert swarm.await_change(before, 5)
    assert list(swarm.tasks()) == [StudentTask(server, None, waits=True)]


def test_a_killed_machine_is_seen_to_go_down(
    machines: SimulatedMachines, settings: NodesSettings
) -> None:
    machines.terminate(WORKER.instance_id)
    machines.terminate(WORKER.instance_id)
    with pytest.raises(Gone):
        machines.run(WORKER.instance_id, "labswarm-node leave", {}, 5)
    assert not settings.place.node_dir(WORKER.instance_id).exists()


@pytest.mark.parametrize("script", ["reboot", "", "labswarm-node leave\nreboot", "a && b"])
def test_anything_else_is_not_found(machines: SimulatedMachines, script: str) -> None:
    completed = machines.run(WORKER.instance_id, script, {}, 5)
    assert (completed.exit_code, completed.stdout) == (127, "")


@pytest.mark.parametrize("variable", ["$SSM_X", "${SSM_X}"])
def test_a_value_stays_one_word_whatever_is_in_it(variable: str) -> None:
    value = "a b; $(reboot) && \"'"
    (words,) = commands_of(f'labswarm-node pull --images "{variable}"', {"SSM_X": value})
    assert words == ["labswarm-node", "pull", "--images", value]


def test_of_several_commands_the_first_that_fails_is_the_last(machines: SimulatedMachines) -> None:
    pause, leave = "labswarm-manager pause --instance i-00000000000000009", "labswarm-node leave"
    script = f"{leave} && {pause} && {leave}"
    completed = machines.run(WORKER.instance_id, script, {}, 5)
    left, refused = completed.stdout.splitlines()
    assert (completed.exit_code, json.loads(left)["left"]) == (2, True)
    assert "labswarm-manager runs on the hub" in refused


def test_the_emulator_finds_the_machines_next_to_its_own_state(settings: NodesSettings) -> None:
    found = from_settings(Settings("127.0.0.1", 0, settings.place.state_dir / "emulator"))
    assert isinstance(found, SimulatedMachines)


def test_settings_are_read_as_they_were_written(settings: NodesSettings) -> None:
    assert NodesSettings.read(settings.place) == settings
    later = settings.with_images("a:1")
    later.write()
    assert NodesSettings.read(settings.place).images == ("a:1",)


@pytest.mark.parametrize("name", ["", "Lab", "../lab", "a-name-too-long", "1"])
def test_a_lab_s_name_has_to_fit_an_interface(name: str) -> None:
    with pytest.raises(BadInput, match=r"^name: "):
        Place(name)


def test_numbers_go_round_and_pass_over_those_taken(settings: NodesSettings) -> None:
    place = settings.place
    assert numbers.take(place, "i-00000001", "worker") == 11
    (place.nodes_dir / "last-number").write_text("254")
    assert numbers.take(place, "i-00000002", "worker") == 12
    assert numbers.number_of(place, "i-00000002") == 12
    assert numbers.number_of(place, "i-00000003") is None


def test_without_being_root_a_lab_is_the_user_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("LABSWARM_STATE", raising=False)
    place = Place.of("lab")
    assert place.state_dir == tmp_path / "labswarm" / "lab"
    assert place.run_dir.is_relative_to(tmp_path)
    assert cgroups.folders(place) == []
    assert not network.is_ours_to_change()
