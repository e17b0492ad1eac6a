"""The hub's document on a real Swarm: a change counts, and a server that runs is not touched."""

import json
import subprocess
from typing import Any

import pytest
from docker import DockerClient
from tests.e2e.conftest import COMMAND, LabUnderTest

from labswarm_lab.nodes.place import Place

pytestmark = [pytest.mark.deep, pytest.mark.swarm, pytest.mark.timeout(600)]

FOLDERS = "[{name: data, mountPath: /srv/data, readOnly: true}, {name: ex, mountPath: /srv/ex}]"


def hub(lab: LabUnderTest, *words: str, fails: int = 0) -> str:
    """Run `labswarm hub` on the lab; return what it prints."""
    command = [str(COMMAND), "hub", words[0], "--name", lab.name, *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == fails, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def containers(lab: LabUnderTest) -> dict[str, Any]:
    """The students' containers on the lab's worker, by their service."""
    (worker,) = [node["instance_id"] for node in lab.status()["nodes"]]
    engine = DockerClient(base_url=f"unix://{Place.of(lab.name).docker_socket(worker)}")
    return {one.labels["com.docker.swarm.service.name"]: one for one in engine.containers.list()}


def test_a_change_of_the_document_counts_for_new_servers_and_touches_none_that_runs(
    lab: LabUnderTest,
) -> None:
    lab.must("class", "1")
    before = containers(lab)["jupyter-student-2d01"]

    assert "cull" in hub(lab, "set", "cull.timeout", "7200")
    hub(lab, "set", "singleuser.storage.extraVolumeMounts", FOLDERS)

    assert json.loads(hub(lab, "show", "--json"))["applied"] == 2
    after = containers(lab)["jupyter-student-2d01"]
    assert (after.id, after.status) == (before.id, "running")
    assert after.exec_run("ls /srv/data").exit_code != 0

    answer = json.loads(lab.must("class", "2", "--json"))
    assert [student["ok"] for student in answer["students"]] == [True] * 2
    new = containers(lab)["jupyter-student-2d02"]
    assert new.exec_run("ls /srv/data").exit_code == 0
    assert new.exec_run("touch /srv/data/x").exit_code != 0
    assert new.exec_run("touch /srv/ex/x").exit_code == 0
    environment = new.exec_run("env").output.decode()
    assert "LABSWARM_IDLE_TIMEOUT_S=7200" in environment


def test_a_document_with_which_the_hub_does_not_start_is_taken_back(lab: LabUnderTest) -> None:
    runs = json.loads(hub(lab, "show", "--json"))["applied"]
    before = {name: one.id for name, one in containers(lab).items()}

    said = hub(lab, "set", "hub.extraConfig.broken", "raise RuntimeError('of an admin')", fails=1)

    assert f"The hub runs version {runs} again" in said
    state = json.loads(hub(lab, "show", "--json"))
    assert (state["applied"], state["version"]) == (runs, runs + 1)
    assert {name: one.id for name, one in containers(lab).items()} == before
    # Of the hub itself Swarm has only the log of the task that runs.
    assert "JupyterHub is now running" in hub(lab, "logs", "--since", "5m")
    assert f"DocumentRefused: version {runs + 1}" in hub(lab, "logs", "document", "--since", "5m")
    hub(lab, "undo")
    assert json.loads(hub(lab, "show", "--json"))["applied"] == runs + 2
