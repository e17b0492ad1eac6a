"""The hub's configuration as JupyterHub loads it, and the spawners of several groups."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.hub_settings import GROUPS, SETTINGS, laid

CHECKOUT = Path(__file__).parents[2]
CLASS_PYTHON = CHECKOUT / ".class/bin/python"


@pytest.mark.skipif(not CLASS_PYTHON.exists(), reason="the class environment is not installed")
class TestConfiguration:
    """The configuration itself, loaded by the Python that has JupyterHub."""

    LOAD = """
import json, sys
from traitlets.config.loader import PyFileConfigLoader
config = PyFileConfigLoader("jupyterhub_config.py", path=sys.argv[1]).load_config()
hub, spawner = config.JupyterHub, config.LabswarmSpawner
print(json.dumps({
    "cleanup": hub.cleanup_servers, "spawn_limit": hub.concurrent_spawn_limit,
    "start_timeout": spawner.start_timeout, "allow_all": config.Authenticator.allow_all,
    "scopes": hub.load_roles[0]["scopes"], "poll_interval": config.Spawner.poll_interval,
    "object": hub.spawner_class.object_type,
    "culler": hub.services[1]["command"][1:], "activity": hub.last_activity_interval,
}))
"""

    def load(self, folder: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
        file = folder / "hub.json"
        file.write_text(json.dumps(SETTINGS | laid(folder) | changes))
        return subprocess.run(
            [CLASS_PYTHON, "-c", self.LOAD, CHECKOUT / "hub"],
            env={
                "LABSWARM_HUB_CONFIG": str(file),
                "PYTHONPATH": f"{CHECKOUT}/hub:{CHECKOUT}/layers/labswarm",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_start_outlasts_a_nodes_and_servers_outlive_the_hub(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path)
        assert loaded.returncode == 0, loaded.stderr
        assert json.loads(loaded.stdout) == {
            "cleanup": False,
            "spawn_limit": 0,
            "start_timeout": 86_400,
            "allow_all": True,
            "scopes": ["list:users", "servers"],
            "poll_interval": 5,
            "object": "service",
            "culler": ["-m", "labswarm_hub.culler"],
            "activity": 300,
        }

    def test_activity_is_reported_well_before_a_server_counts_as_idle(self, tmp_path: Path) -> None:
        loaded = json.loads(self.load(tmp_path, idle_timeout_s=90).stdout)
        assert loaded["activity"] == 30

    SPAWN = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from types import SimpleNamespace
from docker.errors import NotFound
from labswarm_hub.settings import HubSettings
from labswarm_hub.spawner import LabswarmSpawner
settings = HubSettings.parse(Path(sys.argv[2]).read_text())
spawner = LabswarmSpawner(settings=settings, user=SimpleNamespace(name="ada"))
spawner.user_options = spawner.options_from_form({"profile": ["cuda"]})
spawner._apply_group(spawner.group)
assert "A GPU" in spawner.options_form(spawner)
assert (spawner.group.cluster, spawner.image) == ("lab-gpu", settings.groups["gpu"].image)
assert (spawner.mem_limit, spawner.cpu_limit) == (8192, 4e-6)
waiting = spawner._seating
spawner.user_options = {}
assert spawner.group == settings.own
assert spawner._seating is not waiting

# Who finds a seat when all that is free are two of the hub's own workers': by service, the
# cluster and the place that it was created with.
node = {
    "ID": "node1",
    "Spec": {"Role": "worker", "Availability": "active"},
    "Status": {"State": "ready"},
    "Description": {"Hostname": "w", "Resources": {"MemoryBytes": 1024, "NanoCPUs": 10**9}},
}
created = {}
async def docker(method, *args, **asked):
    if method == "remove_service":
        raise NotFound(args[0])
    if method == "create_service":
        place = asked["task_template"]["Placement"]["Constraints"][1]
        created[asked["name"]] = (asked["labels"]["labswarm.cluster"], place)
        return {"ID": asked["name"]}
    return {"nodes": [node], "tasks": []}[method]
async def progress(name, profile):
    one = LabswarmSpawner(settings=settings, user=SimpleNamespace(name=name), look_interval=0.01)
    one.user_options = {"profile": profile} if profile else {}
    one.docker, one.get_args, one.get_env = docker, list, dict
    if await one._place() is None:
        await one._running_task(None)
    return one._progress[1]
async def arrive():
    return [await progress(*one) for one in
        (("a", "cuda"), ("b", None), ("c", "cuda"), ("d", "plain"), ("e", "plain"))]
lines = [line.partition("about 2 min. ")[2] for line in asyncio.run(arrive())]
waits = "node.labels.labswarm.seat==free"
assert created == {
    "jupyter-a": ("lab-gpu", waits), "jupyter-b": ("lab", "node.id==node1"),
    "jupyter-c": ("lab-gpu", waits), "jupyter-d": ("lab", "node.id==node1"),
    "jupyter-e": ("lab", waits),
}, created
assert lines == [
    "You are next.", "", "1 student before you.", "", "You are next.",
], lines
"""

    def test_the_spawner_is_of_the_group_that_its_student_chose(self, tmp_path: Path) -> None:
        file = tmp_path / "hub.json"
        file.write_text(json.dumps(SETTINGS | GROUPS))
        done = subprocess.run(
            [CLASS_PYTHON, "-c", self.SPAWN, CHECKOUT / "hub", file],
            env={"PYTHONPATH": f"{CHECKOUT}/layers/labswarm"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def test_an_admins_own_files_are_read_last(self, tmp_path: Path) -> None:
        (tmp_path / "conf.d").mkdir()
        (tmp_path / "conf.d/poll.py").write_text("c.Spawner.poll_interval = 3\n")
        loaded = self.load(tmp_path)
        assert json.loads(loaded.stdout)["poll_interval"] == 3, loaded.stderr

    def test_it_does_not_load_with_a_dummy_login_outside_the_lab(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, lab=False)
        assert loaded.returncode != 0
        assert "dummy is for the lab only" in loaded.stderr
