"""The spawner's rules: names, the service of a server, whose turn it is, the hub's settings."""

import json
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labswarm.errors import BadInput
from labswarm.seats import Seat, SeatedNode
from labswarm_hub import tasks
from labswarm_hub.homes import make_home
from labswarm_hub.names import escaped, home_name, service_name
from labswarm_hub.profiles import options_form, options_from_form
from labswarm_hub.seating import Seating
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import CLUSTER_LABEL, SERVICE_LABEL, Server, service_spec

CHECKOUT = Path(__file__).parents[2]
CLASS_PYTHON = CHECKOUT / ".class/bin/python"

SETTINGS: dict[str, Any] = {
    "lab": True,
    "cluster": "lab",
    "image": "registry/labswarm/notebook@sha256:" + "0" * 64,
    "command": ["python3", "-m", "jupyterhub.singleuser"],
    "seat": {"memory_bytes": 512, "nano_cpus": 250},
    "overhead": {"memory_bytes": 0, "nano_cpus": 0},
    "limit": {"memory_bytes": 1024, "nano_cpus": 1000, "pids": 100},
    "homes": "/homes",
    "data_dir": "/srv/labswarm",
    "proxy_command": ["configurable-http-proxy"],
    "authenticator": "dummy",
    "manager_token_file": "/srv/labswarm/manager.token",
    "read_only_mounts": {"/usr": "/usr"},
}


GPU: dict[str, Any] = {
    "image": "registry/labswarm/cuda@sha256:" + "1" * 64,
    "seat": {"memory_bytes": 4096, "nano_cpus": 2000},
    "overhead": {"memory_bytes": 1024, "nano_cpus": 0},
    "limit": {"memory_bytes": 8192, "nano_cpus": 4000, "pids": 500},
}
GROUPS: dict[str, Any] = {
    "groups": {"gpu": GPU},
    "profiles": {"plain": {"title": "A notebook"}, "cuda": {"title": "A GPU", "group": "gpu"}},
}


def settings(**changes: Any) -> HubSettings:
    return HubSettings.parse(json.dumps(SETTINGS | changes))


def spec(
    user: str = "ada", server: str = "", node_id: str | None = "node1", profile: str | None = None
) -> dict[str, Any]:
    read = settings(**GROUPS)
    group = read.group_of({"profile": profile} if profile else {})
    told = {"B": "2", "A": "1"}
    return service_spec(read, group, Server(user, server), node_id, ["run"], told)


def task(
    service: str = "jupyter-ada",
    state: str = "running",
    wanted: str = "running",
    node_id: str = "node1",
    **more: Any,
) -> dict[str, Any]:
    return {
        "ServiceID": f"id-of-{service}",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "NodeID": node_id,
        "DesiredState": wanted,
        "Status": {"State": state, "Message": "started"},
        "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: service}}},
    } | more


def node(**changes: Any) -> dict[str, Any]:
    return {
        "ID": "node1",
        "Spec": {"Role": "worker", "Availability": "active"},
        "Status": {"State": "ready"},
        "Description": {"Resources": {"MemoryBytes": 2048, "NanoCPUs": 10**9}},
    } | changes


class TestNames:
    @given(st.text(), st.text())
    def test_no_two_names_escape_alike(self, one: str, other: str) -> None:
        assert (escaped(one) == escaped(other)) == (one == other)

    @given(st.text(min_size=1), st.text(), st.text(min_size=1), st.text())
    def test_no_two_servers_share_a_service(self, a: str, s: str, b: str, t: str) -> None:
        assert (service_name(a, s) == service_name(b, t)) == ((a, s) == (b, t))

    @given(st.text(min_size=1), st.text())
    def test_swarm_takes_every_service_name(self, user: str, server: str) -> None:
        name = service_name(user, server)
        assert len(name) <= 63
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert not name.endswith("-")

    def test_a_server_does_not_pass_for_another_student(self) -> None:
        assert service_name("a", "2db") != service_name("a-b")

    def test_long_names_that_begin_alike_have_homes_of_their_own(self) -> None:
        one, other = home_name("é" * 200 + "a"), home_name("é" * 200 + "b")
        assert one != other
        assert len(one) == len(other) == 255

    @pytest.mark.parametrize("name", ["..", "a/b", "/etc", "a\x00b", "~"])
    def test_no_name_leads_out_of_the_homes(self, name: str) -> None:
        assert not set(home_name(name)) & set("./\x00~")


class TestHome:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_a_new_home_is_the_students_alone(self, tmp_path: Path) -> None:
        make_home(tmp_path / "ada")
        made = (tmp_path / "ada").stat()
        assert stat.S_IMODE(made.st_mode) == 0o700
        assert (made.st_uid, made.st_gid) == (1000, 100)

    def test_a_home_that_is_there_is_left_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "ada").mkdir(mode=0o750)
        (tmp_path / "ada/notes").write_text("mine")
        make_home(tmp_path / "ada")
        assert (tmp_path / "ada/notes").read_text() == "mine"
        assert stat.S_IMODE((tmp_path / "ada").stat().st_mode) == 0o750

    def test_no_home_is_made_where_the_homes_are_not_mounted(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            make_home(tmp_path / "unmounted" / "ada")


class TestService:
    def test_it_is_pinned_to_the_node_with_its_seat(self) -> None:
        assert spec(node_id="node7")["task_template"]["Placement"]["Constraints"] == [
            "node.role==worker",
            "node.id==node7",
        ]

    def test_without_a_seat_no_node_is_named_and_none_takes_it(self) -> None:
        constraints = spec(node_id=None)["task_template"]["Placement"]["Constraints"]
        assert constraints == ["node.role==worker", "node.labels.labswarm.seat==free"]

    def test_its_seat_is_reserved_and_its_limits_are_set(self) -> None:
        assert spec()["task_template"]["Resources"] == {
            "Reservations": {"MemoryBytes": 512, "NanoCPUs": 250},
            "Limits": {"MemoryBytes": 1024, "NanoCPUs": 1000, "Pids": 100},
        }

    def test_its_process_is_nobody_special(self) -> None:
        container = spec()["task_template"]["ContainerSpec"]
        assert container["User"] == "1000:100"
        assert container["CapabilityDrop"] == ["ALL"]
        assert container["Privileges"] == {"NoNewPrivileges": True}

    def test_swarm_never_restarts_it_behind_the_hub(self) -> None:
        assert spec()["task_template"]["RestartPolicy"]["Condition"] == "none"

    def test_it_says_whose_it_is(self) -> None:
        labels = spec("ada", "gpu")["labels"]
        assert labels["labswarm.user"] == "ada"
        assert labels["labswarm.server"] == "gpu"

    def test_named_servers_share_the_home_and_see_no_other(self) -> None:
        homes = [
            [mount for mount in mounts if not mount.get("ReadOnly")]
            for mounts in (
                spec("ada", server)["task_template"]["ContainerSpec"]["Mounts"]
                for server in ("", "gpu")
            )
        ]
        assert homes[0] == homes[1]
        assert homes[0] == [{"Type": "bind", "Source": "/homes/ada", "Target": "/home/jovyan"}]

    def test_what_else_is_mounted_cannot_be_written(self) -> None:
        mounts = spec()["task_template"]["ContainerSpec"]["Mounts"]
        assert {"Type": "bind", "Source": "/usr", "Target": "/usr", "ReadOnly": True} in mounts

    def test_it_says_whose_seat_it_takes(self) -> None:
        for profile, cluster in ((None, "lab"), ("plain", "lab"), ("cuda", "lab-gpu")):
            asked = spec(profile=profile)
            assert asked["labels"][CLUSTER_LABEL] == cluster
            container = asked["task_template"]["ContainerSpec"]
            assert container["Labels"][CLUSTER_LABEL] == cluster

    def test_in_a_group_it_has_the_group_s_seat_limit_and_image(self) -> None:
        template = spec(profile="cuda")["task_template"]
        assert template["Resources"] == {
            "Reservations": {"MemoryBytes": 4096, "NanoCPUs": 2000},
            "Limits": {"MemoryBytes": 8192, "NanoCPUs": 4000, "Pids": 500},
        }
        assert template["ContainerSpec"]["Image"] == GPU["image"]


class TestProfiles:
    def test_without_profiles_nothing_is_asked(self) -> None:
        assert options_form(settings().profiles) == ""
        assert settings().group_of({}) == settings().own

    def test_the_form_s_answer_chooses_the_group(self) -> None:
        read = settings(**GROUPS)
        form = options_form(read.profiles)
        assert form.index('value="plain"') < form.index('value="cuda"')
        assert read.group_of(options_from_form({"profile": ["cuda"]})).cluster == "lab-gpu"
        assert read.group_of(options_from_form({"profile": ["plain"]})) == read.own
        assert options_from_form({}) == {}

    def test_titles_are_text_and_no_markup(self) -> None:
        read = settings(profiles={"a": {"title": "<b>2 & 3</b>"}})
        assert "&lt;b&gt;2 &amp; 3&lt;/b&gt;" in options_form(read.profiles)

    @pytest.mark.parametrize("profile", ["none", "", 1, ["cuda"]])
    def test_a_profile_that_there_is_not_moves_nobody_to_other_workers(self, profile: Any) -> None:
        with pytest.raises(BadInput, match="choose plain, cuda"):
            settings(**GROUPS).group_of({"profile": profile})

    def test_a_group_without_an_image_has_the_hub_s(self) -> None:
        group = {name: value for name, value in GPU.items() if name != "image"}
        assert settings(groups={"gpu": group}).groups["gpu"].image == SETTINGS["image"]


class TestTask:
    @pytest.mark.parametrize("state", ["new", "pending", "assigned", "preparing", "running"])
    def test_a_server_that_runs_or_is_to_run_has_not_ended(self, state: str) -> None:
        assert tasks.end_of(task(state=state)) is None

    @pytest.mark.parametrize("state", ["complete", "failed", "shutdown", "rejected", "orphaned"])
    def test_a_server_whose_task_is_over_has_ended_and_says_why(self, state: str) -> None:
        over = task(state=state, wanted="shutdown")
        over["Status"]["Err"] = "task: non-zero exit (137)"
        assert "137" in (tasks.end_of(over) or "")

    def test_the_last_word_of_a_lost_node_is_not_believed(self) -> None:
        assert tasks.end_of(task(state="running", wanted="shutdown")) is not None

    def test_the_newest_task_counts(self) -> None:
        old = task(state="failed", CreatedAt="2026-01-01T00:00:00.1Z", ID="old")
        new = task(state="running", CreatedAt="2026-01-01T00:00:00.2Z", ID="new")
        newest = tasks.newest([old, new, task("jupyter-bob")], "id-of-jupyter-ada")
        assert newest is new

    def test_the_old_server_lingers_until_its_container_is_gone(self) -> None:
        dying = task(state="running", wanted="remove")
        assert tasks.lingering([dying], [node()], "jupyter-ada")
        assert not tasks.lingering([dying], [node()], "jupyter-bob")
        assert not tasks.lingering([task(state="shutdown")], [node()], "jupyter-ada")

    def test_nobody_waits_for_a_task_on_a_node_that_is_down(self) -> None:
        down = node(Status={"State": "down"})
        assert not tasks.lingering([task(wanted="remove")], [down], "jupyter-ada")

    def test_the_address_is_the_one_on_the_hubs_network(self) -> None:
        attached = task(
            NetworksAttachments=[
                {"Network": {"Spec": {"Name": "other"}}, "Addresses": ["10.1.0.2/24"]},
                {"Network": {"Spec": {"Name": "labswarm"}}, "Addresses": ["10.2.0.9/20"]},
            ]
        )
        assert tasks.address(attached, "labswarm") == "10.2.0.9"
        assert tasks.address(task(), "labswarm") is None


class TestNode:
    SEAT, OVERHEAD = Seat(512, 1), Seat(512, 0)

    def seated(self, **changes: Any) -> SeatedNode:
        return tasks.seated(node(**changes), self.SEAT, self.OVERHEAD)

    def test_a_ready_active_worker_is_open(self) -> None:
        assert self.seated() == SeatedNode("node1", seats=3, open=True)

    @pytest.mark.parametrize(
        "changes",
        [
            {"Spec": {"Role": "manager", "Availability": "active"}},
            {"Spec": {"Role": "worker", "Availability": "pause"}},
            {"Spec": {"Role": "worker", "Availability": "drain"}},
            {"Status": {"State": "down"}},
            {"Status": {"State": "unknown"}},
        ],
    )
    def test_any_other_is_not(self, changes: Mapping[str, Any]) -> None:
        assert not self.seated(**changes).open

    def test_a_node_that_has_not_said_its_size_has_no_seat(self) -> None:
        assert self.seated(Description={"Resources": {}}).seats == 0

    def test_a_node_is_of_the_cluster_that_its_labels_say(self) -> None:
        engine = {"Engine": {"Labels": {CLUSTER_LABEL: "lab-gpu"}}}
        labelled = {"Role": "worker", "Availability": "active", "Labels": {CLUSTER_LABEL: "lab-a"}}
        assert tasks.cluster_of(node()) is None
        assert tasks.cluster_of(node(Description=engine)) == "lab-gpu"
        assert tasks.cluster_of(node(Description=engine, Spec=labelled)) == "lab-a"


class TestSeating:
    NODE = SeatedNode("node1", seats=2)

    def test_a_start_in_flight_keeps_its_seat(self) -> None:
        seating = Seating()
        given = [seating.take(name, [self.NODE], []) for name in ("a", "b", "c")]
        assert given == ["node1", "node1", None]

    def test_a_start_is_not_counted_twice_once_it_is_a_task(self) -> None:
        seating = Seating()
        seating.take("a", [self.NODE], [])
        assert seating.take("b", [self.NODE], [task("a")]) == "node1"

    def test_seats_go_to_those_who_came_first(self) -> None:
        seating = Seating()
        for name in ("first", "second", "third"):
            assert seating.take(name, [], []) is None
        one_seat = [SeatedNode("node1", seats=1)]
        assert seating.take("third", one_seat, []) is None
        assert seating.take("second", one_seat, []) is None
        assert seating.take("first", one_seat, []) == "node1"
        assert (seating.waiting, seating.place("second"), seating.place("third")) == (2, 1, 2)

    def test_who_gives_up_frees_the_place_in_line(self) -> None:
        seating = Seating()
        seating.take("first", [], [])
        seating.take("second", [], [])
        seating.settle("first")
        assert seating.take("second", [SeatedNode("node1", seats=1)], []) == "node1"

    def test_who_lost_a_seat_to_no_fault_goes_to_the_front(self) -> None:
        seating = Seating()
        seating.take("unlucky", [SeatedNode("node1", seats=1)], [])
        seating.take("later", [], [])
        seating.take("unlucky", [], [])
        assert seating.place("unlucky") == 1

    def test_an_ended_server_takes_no_seat(self) -> None:
        ended = [task("x", state="failed"), task("y", state="complete")]
        assert Seating().take("a", [self.NODE], ended) == "node1"

    def test_a_server_that_is_still_ending_takes_its_seat(self) -> None:
        ending = [task("x", wanted="remove"), task("y", wanted="remove")]
        assert Seating().take("a", [self.NODE], ending) is None


class TestSettings:
    def test_what_is_written_is_what_is_read(self) -> None:
        read = settings()
        assert read.seat == Seat(512, 250)
        assert read.homes == Path("/homes")
        assert read.network == "labswarm"

    @pytest.mark.parametrize("field", ["image", "seat", "homes", "authenticator", "limit"])
    def test_a_missing_field_is_named(self, field: str) -> None:
        without = {name: value for name, value in SETTINGS.items() if name != field}
        with pytest.raises(BadInput, match=f"^{field}: is missing"):
            HubSettings.parse(json.dumps(without))

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("homes", "homes", "homes: give an absolute path"),
            ("image", "", "image: give a text"),
            ("lab", "yes", "lab: give true or false"),
            ("command", [], "command: give a list"),
            ("seat", {"memory_bytes": 0, "nano_cpus": 1}, r"seat\.memory_bytes: .* from 1"),
            ("seat", {"memory_bytes": True, "nano_cpus": 1}, r"seat\.memory_bytes: "),
            ("seat", {"memory_bytes": 1, "nano_cpus": 1, "gpus": 1}, r"seat\.gpus: remove it"),
            ("limit", {"memory_bytes": 1, "nano_cpus": 999, "pids": 9}, r"limit\.memory_bytes: "),
            ("read_only_mounts", {"/usr": 1}, "read_only_mounts: "),
            ("colour", "red", "colour: remove it"),
            ("idle_timeout_s", 0, "idle_timeout_s: give a whole number from 10"),
            ("groups", {"GPU": GPU}, "group: 'GPU' would make 'lab-GPU'"),
            ("groups", {"g" * 17: GPU}, "group: "),
            ("groups", {"gpu": {**GPU, "seats": 1}}, r"groups\.gpu\.seats: remove it"),
            ("groups", {"gpu": {**GPU, "seat": {}}}, r"groups\.gpu\.seat\.memory_bytes: is miss"),
            (
                "groups",
                {"gpu": {**GPU, "limit": {"memory_bytes": 1, "nano_cpus": 1, "pids": 1}}},
                r"groups\.gpu\.limit\.memory_bytes: give at least",
            ),
            ("groups", [], "groups: give an object"),
            ("profiles", {"a": {"group": "gpu"}}, r"profiles\.a\.title: is missing"),
            (
                "profiles",
                {"a": {"title": "A", "group": "tpu"}},
                r"profiles\.a\.group: 'tpu' is not among",
            ),
        ],
    )
    def test_a_wrong_field_is_named_with_its_remedy(
        self, field: str, value: Any, named: str
    ) -> None:
        with pytest.raises(BadInput, match=f"^{named}"):
            settings(**{field: value})

    @pytest.mark.parametrize("text", ["", "{", "[]", "null"])
    def test_what_is_no_object_is_refused(self, text: str) -> None:
        with pytest.raises(BadInput, match="hub settings"):
            HubSettings.parse(text)

    def test_nobody_logs_in_unchecked_outside_the_lab(self) -> None:
        with pytest.raises(BadInput, match="dummy is for the lab only"):
            settings(lab=False)

    def test_a_file_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="LABSWARM_HUB_CONFIG"):
            HubSettings.read(tmp_path / "absent.json")


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
    "scopes": hub.load_roles[0]["scopes"], "poll_interval": spawner.poll_interval,
    "object": hub.spawner_class.object_type,
    "culler": hub.services[1]["command"][1:], "activity": hub.last_activity_interval,
}))
"""

    def load(self, folder: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
        token = folder / "manager.token"
        token.write_text("secret\n")
        file = folder / "hub.json"
        places = {"manager_token_file": str(token), "conf_dir": str(folder / "conf.d")}
        file.write_text(json.dumps(SETTINGS | places | changes))
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
            "start_timeout": 600,
            "allow_all": True,
            "scopes": ["list:users", "servers"],
            "poll_interval": 5,
            "object": "service",
            "culler": ["-m", "jupyterhub_idle_culler", "--timeout=3600", "--cull-every=360"],
            "activity": 300,
        }

    def test_activity_is_told_well_before_a_server_counts_as_idle(self, tmp_path: Path) -> None:
        loaded = json.loads(self.load(tmp_path, idle_timeout_s=90).stdout)
        assert loaded["culler"][2:] == ["--timeout=90", "--cull-every=9"]
        assert loaded["activity"] == 30

    POLL = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from types import SimpleNamespace
from labswarm_hub.settings import HubSettings
from labswarm_hub.spawner import LabswarmSpawner
settings = HubSettings.parse(Path(sys.argv[2]).read_text())
removed, listed = [], json.loads(sys.argv[3])
async def docker(method, *args, **asked):
    if method == "remove_service":
        removed.extend(args)
    return {"nodes": [], "tasks": listed}.get(method)
spawner = LabswarmSpawner(settings=settings, user=SimpleNamespace(name="ada"))
spawner.object_id = "id-of-jupyter-ada"
spawner.docker = docker
print(json.dumps([asyncio.run(spawner.poll()), removed]))
"""

    @pytest.mark.parametrize(
        ("listed", "said"),
        [
            pytest.param([task()], [None, []], id="it runs"),
            pytest.param([], ["it has no task", ["jupyter-ada"]], id="its service is gone"),
            pytest.param(
                [task(ServiceID="a-later-one")],
                ["it has no task", ["jupyter-ada"]],
                id="another service has its name",
            ),
            pytest.param(
                [task(state="failed", wanted="shutdown")],
                ["failed (wanted: shutdown): started", ["jupyter-ada"]],
                id="its task has ended",
            ),
        ],
    )
    def test_a_poll_finds_that_a_server_has_no_task_and_removes_what_is_left_of_it(
        self, tmp_path: Path, listed: list[Any], said: list[Any]
    ) -> None:
        file = tmp_path / "hub.json"
        file.write_text(json.dumps(SETTINGS))
        polled = subprocess.run(
            [CLASS_PYTHON, "-c", self.POLL, CHECKOUT / "hub", file, json.dumps(listed)],
            env={"PYTHONPATH": f"{CHECKOUT}/layers/labswarm"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert polled.returncode == 0, polled.stderr
        assert json.loads(polled.stdout) == said

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
spawner._be_of(spawner.group)
assert "A GPU" in spawner.options_form
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
async def told(name, profile):
    one = LabswarmSpawner(settings=settings, user=SimpleNamespace(name=name), look_interval=0.01)
    one.user_options = {"profile": profile} if profile else {}
    one.docker, one.get_args, one.get_env = docker, list, dict
    if await one._place() is None:
        await one._running_task(None)
    return one._progress[1]
async def arrive():
    return [await told(*one) for one in
        (("a", "cuda"), ("b", None), ("c", "cuda"), ("d", "plain"), ("e", "plain"))]
lines = [line.partition("becomes free: ")[2] for line in asyncio.run(arrive())]
waits = "node.labels.labswarm.seat==free"
assert created == {
    "jupyter-a": ("lab-gpu", waits), "jupyter-b": ("lab", "node.id==node1"),
    "jupyter-c": ("lab-gpu", waits), "jupyter-d": ("lab", "node.id==node1"),
    "jupyter-e": ("lab", waits),
}, created
assert lines == [
    "1 waiting, you are number 1 in line.", "", "2 waiting, you are number 2 in line.", "",
    "1 waiting, you are number 1 in line.",
], lines
"""

    STOP = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.append(sys.argv[1])
from labswarm_hub import spawner as module
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import SERVICE_LABEL
settings = HubSettings.read(Path(sys.argv[2]))
settings.manager_token_file.write_text("a-token")
network = {"Network": {"Spec": {"Name": "labswarm"}}, "Addresses": ["10.0.0.7/20"]}
state, said, asked = ["running"], [], []
async def docker(method, *args, **how):
    said.append(method)
    if method == "tasks" and state[0] == "unknown":
        raise OSError("the Engine does not answer")
    task = {"ServiceID": "s1", "CreatedAt": "1", "NodeID": "n1", "DesiredState": "running",
        "Status": {"State": state[0]}, "NetworksAttachments": [network],
        "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: "jupyter-ada"}}}}
    return {"nodes": [], "tasks": [task]}.get(method)
async def ended(url, key):
    asked.append(url)
    state[0] = "complete"
    return True
async def stopped(now):
    one = module.LabswarmSpawner(
        settings=settings, user=SimpleNamespace(name="ada"), look_interval=0.01)
    one.docker, one.object_id, one.port = docker, "s1", 8888
    type(one).server = SimpleNamespace(base_url="/user/ada/")
    type(one).clear_state = lambda self: None
    module.LabswarmSpawner._last_listing = None
    said.clear()
    try:
        await one.stop(now)
    except OSError as error:
        return str(error), said[-1]
    return None, said[-1]
module.asked_to_end = ended
async def all_of_it():
    # It ends by itself first.
    assert await stopped(False) == (None, "remove_service")
    assert asked == ["http://10.0.0.7:8888/user/ada/"], asked
    assert said.count("tasks") > 1, said
    # There is no time for that.
    assert await stopped(True) == (None, "remove_service")
    assert said == ["remove_service"], said
    # What hinders it does not keep the service.
    state[0] = "unknown"
    why, last = await stopped(False)
    assert (why, last) == ("the Engine does not answer", "remove_service"), (why, last)
asyncio.run(all_of_it())
"""

    def test_a_stop_removes_the_service_after_the_server_s_own_end_and_whatever_fails(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "hub.json"
        own = {"manager_token_file": str(tmp_path / "manager.token")}
        file.write_text(json.dumps(SETTINGS | own))
        done = subprocess.run(
            [CLASS_PYTHON, "-c", self.STOP, CHECKOUT / "hub", file],
            env={"PYTHONPATH": f"{CHECKOUT}/layers/labswarm"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

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
        (tmp_path / "conf.d/poll.py").write_text("c.LabswarmSpawner.poll_interval = 3\n")
        loaded = self.load(tmp_path)
        assert json.loads(loaded.stdout)["poll_interval"] == 3, loaded.stderr

    def test_it_does_not_load_with_a_dummy_login_outside_the_lab(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, lab=False)
        assert loaded.returncode != 0
        assert "dummy is for the lab only" in loaded.stderr
