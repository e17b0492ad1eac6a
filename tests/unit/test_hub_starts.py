"""Starts in JupyterHub's Python: a node that cannot start servers, and stale options."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.hub_settings import GROUPS, SETTINGS

CHECKOUT = Path(__file__).parents[2]
CLASS_PYTHON = CHECKOUT / ".class/bin/python"

pytestmark = pytest.mark.skipif(
    not CLASS_PYTHON.exists(), reason="the class environment is not installed"
)

PRELUDE = """
import asyncio, itertools, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.append(sys.argv[1])
from docker.errors import NotFound
from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.handlers.pages import SpawnHandler
from labswarm_hub import spawner as module
from labswarm_hub.refusals import LEFT_OUT_S
from labswarm_hub.settings import HubSettings
from labswarm_hub.start_failed import StartFailed
from labswarm_hub.task_spec import REFUSED_BY_LABEL, SERVICE_LABEL
settings = HubSettings.read(Path(sys.argv[2]))
Spawner = module.LabswarmSpawner
"""

SWARM = """
END = "invalid mount config for type bind: bind source path does not exist"
NETWORK = {"Network": {"Spec": {"Name": settings.network}}, "Addresses": ["10.0.0.7/20"]}
SEAT, OVERHEAD = settings.seat, settings.overhead

class Swarm:
    # A manager with these workers, each with four seats; a task on one in `broken` is rejected.
    def __init__(self, *names):
        self.nodes = [{
            "ID": name, "Spec": {"Role": "worker", "Availability": "active"},
            "Status": {"State": "ready"},
            "Description": {"Hostname": name, "Resources": {
                "MemoryBytes": 4 * SEAT.memory_bytes + OVERHEAD.memory_bytes,
                "NanoCPUs": 4 * SEAT.nano_cpus + OVERHEAD.nano_cpus}},
        } for name in names]
        self.broken, self.services, self.tried, self.labels = set(), {}, [], {}
        self.ids = itertools.count(1)
    async def call(self, method, *args, **asked):
        if method == "nodes":
            return self.nodes
        if method == "tasks":
            return [task for task in self.services.values() if task]
        if method == "remove_service":
            if self.services.pop(args[0], None) is None:
                raise NotFound(args[0])
            return None
        place = asked["task_template"]["Placement"]["Constraints"][1]
        node = place.partition("node.id==")[2]
        self.labels[asked["name"]] = asked["task_template"]["ContainerSpec"]["Labels"]
        service = f"s{next(self.ids)}"
        refused = node in self.broken
        self.services[asked["name"]] = node and {
            "ServiceID": service, "CreatedAt": service, "NodeID": node,
            "DesiredState": "shutdown" if refused else "running",
            "Status": {"State": "rejected", "Err": END} if refused else {"State": "running"},
            "NetworksAttachments": [NETWORK],
            "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: asked["name"]}}},
        }
        if node:
            self.tried.append(node)
        return {"ID": service}

swarm = Swarm("n1", "n2", "n3")

def spawner(student):
    one = Spawner(settings=settings, user=SimpleNamespace(name=student), look_interval=0.001)
    one.docker, one.get_args, one.get_env, one.port = swarm.call, list, dict, 8888
    return one

async def start(student):
    one = spawner(student)
    await one.start()
    return swarm.services[one.object_name]["NodeID"]

async def yes(*_): return True
module.listens = yes
clock = [1000.0]
module.time = SimpleNamespace(monotonic=lambda: clock.__setitem__(0, clock[0] + 0.01) or clock[0])
"""


def run(tmp_path: Path, script: str, **settings: Any) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    places = {
        "homes": str(homes),
        "manager_token_file": str(tmp_path / "manager.token"),
        "seat": {"memory_bytes": 512, "nano_cpus": 1},
    }
    (tmp_path / "hub.json").write_text(json.dumps(SETTINGS | places | settings))
    # Homes belong to the students' user, which takes root.
    owner = "import os\nos.chown = lambda *_: None\n"
    done = subprocess.run(
        [CLASS_PYTHON, "-c", owner + PRELUDE + script, CHECKOUT / "hub", tmp_path / "hub.json"],
        env={"PYTHONPATH": f"{CHECKOUT}/layers/labswarm"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_node_that_rejects_every_server_takes_no_start_from_the_others(tmp_path: Path) -> None:
    run(
        tmp_path,
        SWARM
        + """
async def all_of_it():
    # One student is on each; n1 is the fullest, so that it would take all.
    assert await start("first") == "n1"
    swarm.broken = {"n1"}
    served = [await start(student) for student in ("ada", "bob", "eve", "kim")]
    assert set(served) <= {"n2", "n3"}, served
    # Two students tried it, the others are not sent there.
    assert swarm.tried.count("n1") == 3, swarm.tried
    # labswarm-snapshot reads from the servers' tasks on which node they did not start.
    assert [swarm.labels[f"jupyter-{s}"].get(REFUSED_BY_LABEL) for s in ("ada", "bob", "eve")] == [
        "n1", "n1", None
    ], swarm.labels
    # After a while it is tried again, and is used again once it works.
    swarm.broken = set()
    clock[0] += 4 * LEFT_OUT_S
    assert await start("zoe") in ("n1", "n2", "n3")
    clock[0] += 4 * LEFT_OUT_S
    assert not Spawner._refusals.left_out("x", clock[0])
asyncio.run(all_of_it())
""",
    )


def test_a_server_that_no_node_starts_fails_with_a_sentence_for_student_and_operator(
    tmp_path: Path,
) -> None:
    run(
        tmp_path,
        SWARM
        + """
async def all_of_it():
    swarm.broken = {"n1", "n2", "n3"}
    async def pass_time():
        while True:
            clock[0] += 0.2
            await asyncio.sleep(0.001)
    passing = asyncio.create_task(pass_time())
    try:
        await start("ada")
    except StartFailed as failed:
        message, log = failed.jupyterhub_message, str(failed)
    passing.cancel()
    assert message.startswith("None of the machines that were tried could start"), message
    assert "rejected" not in message and not message.endswith(": ")
    assert "ended before it ran, on n" in log and END in log, log
    assert len(swarm.tried) == 4 and set(swarm.tried) == {"n1", "n2", "n3"}, swarm.tried
    assert not swarm.services
asyncio.run(all_of_it())
""",
    )


STALE = """
def kept(handler):
    one = Spawner(settings=settings, user=SimpleNamespace(name="ada"))
    one.orm_spawner = SimpleNamespace(server=None, name="", user_options={"profile": "gpu"})
    one.user_options, one.handler = {"profile": "gpu"}, handler.__new__(handler)
    return one

async def applied(one):
    # As JupyterHub does before each start.
    try:
        await one._run_apply_user_options(one.user_options)
    except StartFailed as failed:
        return failed.jupyterhub_message
    return one.user_options, one.orm_spawner.user_options, one.group.cluster
"""


def test_a_profile_that_is_gone_is_dropped_when_its_student_starts_by_hand(tmp_path: Path) -> None:
    run(
        tmp_path,
        STALE
        + """
assert asyncio.run(applied(kept(SpawnHandler))) == ({}, {}, settings.cluster)
""",
    )


def test_a_server_whose_profile_is_gone_is_moved_to_no_other_workers(tmp_path: Path) -> None:
    run(
        tmp_path,
        STALE
        + """
said = asyncio.run(applied(kept(UserServerAPIHandler)))
assert said == "The profile 'gpu' is no longer offered.", said
""",
    )


def test_a_student_whose_profile_is_gone_reads_what_there_is_to_choose(tmp_path: Path) -> None:
    run(
        tmp_path,
        STALE
        + """
said = asyncio.run(applied(kept(UserServerAPIHandler)))
choices = " or ".join(profile.title for profile in settings.profiles.values())
assert said == (
    "The profile 'gpu' is no longer offered. Start your server again and choose " + choices + "."
), said
one = kept(SpawnHandler)
one.user_options = {"profile": next(iter(settings.profiles))}
assert asyncio.run(applied(one))[0] == one.user_options
""",
        **GROUPS,
    )
