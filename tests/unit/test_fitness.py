"""A worker reports when its homes cannot be used, by a label of its own Engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.hub_settings import SETTINGS

from labswarm import labels
from labswarm.errors import Transient
from labswarm.homes import MARKER
from labswarm.seats import Seat
from labswarm.snapshot import Snapshot
from labswarm_hub.homes import mark_homes
from labswarm_hub.settings import HubSettings
from labswarm_hub.tasks import seated_of
from labswarm_node import fitness
from labswarm_node.docker_swarm import _node
from labswarm_node.fitness import LABEL, EngineLabels, Fitness, Homes, labelled
from labswarm_node.snapshot import snapshot_of

NODE_JSON = json.dumps(
    {
        "cluster": "lab",
        "instance_id": "i-0123456789abcdef0",
        "role": "worker",
        "region": "eu-west-1",
        "docker_host": "unix:///var/run/docker.sock",
        "advertise_address": "10.0.0.11",
        "join_secret": "labswarm/lab/swarm-join",
        "images": [],
        "chef": {
            "url": "https://chef.example",
            "node_name": "lab-i-0123456789abcdef0",
            "key_file": "/etc/chef/client.pem",
            "client": "chef-client",
        },
    }
)


class TwinEngine:
    """`Labelled` in memory."""

    def __init__(self) -> None:
        self.unfit = False
        self.changes: list[bool] = []

    def is_unfit(self) -> bool:
        return self.unfit

    def set_unfit(self, unfit: bool) -> None:
        self.unfit = unfit
        self.changes.append(unfit)


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    folder = tmp_path / "homes"
    folder.mkdir()
    mark_homes(folder)
    return folder


def test_homes_that_the_hub_has_marked_can_be_used(homes: Path) -> None:
    assert Homes(homes).problem() is None
    mark_homes(homes)
    assert (homes / MARKER).stat().st_mode & 0o777 == 0o700


def test_another_folder_in_place_of_the_homes_is_a_problem(tmp_path: Path) -> None:
    """As when the mount is lost: the folder below it is there, and it is empty."""
    problem = Homes(tmp_path).problem()

    assert problem
    assert str(tmp_path / MARKER) in problem
    mark_homes(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_homes_that_do_not_answer_are_a_problem_and_hold_one_process_at_most(
    homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    stat = tmp_path / "bin/stat"
    stat.parent.mkdir()
    os.mkfifo(tmp_path / "answers")
    stat.write_text(f"#!/bin/sh\necho x >>{started}\nexec cat <{tmp_path}/answers\n")
    stat.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stat.parent}:{os.environ['PATH']}")
    looked = Homes(homes, within_s=0.05)

    assert "does not answer within 0.05 s" in (looked.problem() or "")
    assert "does not answer" in (looked.problem() or "")
    (tmp_path / "answers").write_text("")
    patient = Homes(homes, within_s=30)
    patient._looking = looked._looking
    assert patient.problem() is None
    assert started.read_text() == "x\n"


def test_one_failed_look_changes_nothing_two_do_and_one_good_look_takes_it_back(
    homes: Path,
) -> None:
    engine = TwinEngine()
    looks = Fitness(Homes(homes), engine)

    (homes / MARKER).rmdir()
    looks.look()
    assert engine.changes == []
    looks.look()
    looks.look()
    assert engine.changes == [True]
    mark_homes(homes)
    looks.look()
    looks.look()
    assert engine.changes == [True, False]
    # An Engine that is started again has lost nothing: the label is in its settings. One whose
    # settings were written again has lost it, and gets it again.
    (homes / MARKER).rmdir()
    looks.look()
    looks.look()
    engine.unfit = False
    looks.look()
    assert engine.changes == [True, False, True, True]


def test_the_label_is_added_to_the_engines_own_and_taken_away_from_them() -> None:
    settings = {"icc": False, "labels": ["labswarm.instance=i-1"]}

    unfit = labelled(settings, unfit=True)
    assert unfit == {"icc": False, "labels": ["labswarm.instance=i-1", LABEL]}
    assert labelled(unfit, unfit=True) == unfit
    assert labelled(unfit, unfit=False) == settings


def test_the_engine_reads_its_settings_again_after_they_are_written(tmp_path: Path) -> None:
    daemon_json, pid_file = tmp_path / "daemon.json", tmp_path / "docker.pid"
    daemon_json.write_text(json.dumps({"labels": ["a=b"]}))
    prints = (
        "import signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP});"
        "print('ready', flush=True); signal.sigwait({signal.SIGHUP});"
        "print(open(sys.argv[1]).read())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", prints, daemon_json], stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout
        assert daemon.stdout.readline() == "ready\n"
        pid_file.write_text(f"{daemon.pid}\n")
        EngineLabels("unix:///nowhere", daemon_json, pid_file).set_unfit(True)
        assert json.loads(daemon.stdout.read()) == {"labels": ["a=b", LABEL]}
    assert daemon.returncode == 0


def test_an_engine_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    engine = EngineLabels(f"unix://{tmp_path}/no.sock", tmp_path / "d.json", tmp_path / "pid")

    with pytest.raises(Transient, match="does not answer"):
        engine.is_unfit()
    with pytest.raises(Transient, match="labels cannot be changed"):
        engine.set_unfit(True)


class Ended(Exception):
    """Ends the program's loop."""


class TwoLooks:
    """A clock whose second wait is the last."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == 2:
            raise Ended


def test_the_program_looks_every_ten_seconds_at_the_engine_of_its_node_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[object, ...]] = []
    engine = TwinEngine()

    def engine_of(*given: object) -> TwinEngine:
        made.append(given)
        return engine

    (tmp_path / "node.json").write_text(NODE_JSON)
    monkeypatch.setattr(fitness, "EngineLabels", engine_of)
    clock = TwoLooks()
    with pytest.raises(Ended):
        fitness.serve(
            ["--homes", str(tmp_path)],
            {"LABSWARM_NODE_CONFIG": str(tmp_path / "node.json")},
            clock,
        )

    daemon_json, pid_file = Path("/etc/docker/daemon.json"), Path("/run/docker.pid")
    assert made == [("unix:///var/run/docker.sock", daemon_json, pid_file)]
    assert clock.waits == [10, 10]
    assert engine.changes == [True]


def test_an_engine_that_does_not_answer_ends_the_program_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(TwinEngine):
        def is_unfit(self) -> bool:
            raise Transient("the Docker daemon does not answer")

    (tmp_path / "node.json").write_text(NODE_JSON)
    monkeypatch.setattr(fitness, "EngineLabels", lambda *_: Silent())
    clock = TwoLooks()
    with pytest.raises(Ended):
        fitness.serve(
            ["--homes", str(tmp_path)],
            {"LABSWARM_NODE_CONFIG": str(tmp_path / "node.json")},
            clock,
        )
    assert clock.waits == [10, 10]


# From the label to the hub and to lab hours.


def listed(name: str, *, unfit: bool = False, availability: str = "active") -> dict[str, object]:
    """A node as the Engine API lists it."""
    return {
        "ID": name,
        "CreatedAt": "2026-11-24T08:00:00Z",
        "Spec": {"Role": "worker", "Availability": availability},
        "Status": {"State": "ready"},
        "Description": {
            "Hostname": name,
            "Resources": {"MemoryBytes": 8192, "NanoCPUs": 8 * 10**9},
            "Engine": {"Labels": {labels.UNFIT: "homes"} if unfit else {"other": "x"}},
        },
    }


def seats_on(*nodes: dict[str, object]) -> list[str]:
    own = HubSettings.parse(json.dumps(SETTINGS)).own
    return [node.node_id for node in seated_of(nodes, own, own.cluster) if node.open]


def test_the_hub_seats_nobody_on_an_unfit_node() -> None:
    assert seats_on(listed("n1", unfit=True), listed("n2")) == ["n2"]
    assert seats_on(listed("n1", unfit=True)) == []
    closed = listed("n2", availability="pause")
    assert seats_on(listed("n1", unfit=True), closed) == []


def test_when_all_of_several_nodes_are_unfit_a_start_says_so_instead_of_waiting() -> None:
    assert seats_on(listed("n1", unfit=True), listed("n2", unfit=True)) == ["n1", "n2"]


def test_the_snapshot_names_an_unfit_node_and_one_of_an_older_service_names_none() -> None:
    nodes = [_node(listed("n1", unfit=True)), _node(listed("n2"))]
    seen = snapshot_of("lab", 1.0, nodes, [], Seat(512, 1), Seat(0, 0))

    assert [node.unfit for node in seen.nodes] == [True, False]
    assert Snapshot.parse(seen.to_json()) == seen
    older = seen.to_json().replace(', "unfit": true', "").replace(', "unfit": false', "")
    assert not any(node.unfit for node in Snapshot.parse(older).nodes)
