"""A server's parts: its name, home, service and profile, and the hub's settings."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.hub_settings import GPU, GROUPS, SETTINGS

from labswarm.errors import BadInput
from labswarm.homes import escaped, home_name
from labswarm.seats import Seat
from labswarm_hub.homes import make_home
from labswarm_hub.names import service_name
from labswarm_hub.profiles import options_form, options_from_form
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import CLUSTER_LABEL, Server, service_spec

TMP = "/tmp"  # noqa: S108  # the container's own


def settings(**changes: Any) -> HubSettings:
    return HubSettings.parse(json.dumps(SETTINGS | changes))


def spec(
    user: str = "ada", server: str = "", node_id: str | None = "node1", profile: str | None = None
) -> dict[str, Any]:
    read = settings(**GROUPS)
    group = read.group_of({"profile": profile} if profile else {})
    environment = {"B": "2", "A": "1"}
    return service_spec(read, group, Server(user, server), node_id, ["run"], environment)


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
            [mount for mount in mounts if not mount.get("ReadOnly") and mount["Type"] == "bind"]
            for mounts in (
                spec("ada", server)["task_template"]["ContainerSpec"]["Mounts"]
                for server in ("", "gpu")
            )
        ]
        assert homes[0] == homes[1]
        assert homes[0] == [{"Type": "bind", "Source": "/homes/ada", "Target": "/home/jovyan"}]

    def test_only_the_home_and_tmp_can_be_written(self) -> None:
        mounts = spec()["task_template"]["ContainerSpec"]["Mounts"]
        assert {m["Target"] for m in mounts if not m.get("ReadOnly")} == {"/home/jovyan", TMP}
        assert {"Type": "bind", "Source": "/usr", "Target": "/usr", "ReadOnly": True} in mounts

    @pytest.mark.parametrize(("profile", "memory"), [(None, 1024), ("cuda", 8192)])
    def test_its_tmp_is_its_own_and_holds_half_of_its_memory(
        self, profile: str | None, memory: int
    ) -> None:
        tmp = {
            server: next(
                mount
                for mount in spec("ada", server, profile=profile)["task_template"]["ContainerSpec"][
                    "Mounts"
                ]
                if mount["Target"] == TMP
            )
            for server in ("", "gpu")
        }
        assert tmp[""]["Source"] != tmp["gpu"]["Source"]
        driver = tmp[""]["VolumeOptions"]["DriverConfig"]
        assert driver["Options"]["type"] == "tmpfs"
        # Packages are built there: programs may run.
        assert driver["Options"]["o"] == f"size={memory // 2},mode=1777,nosuid,nodev"

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


class TestSettings:
    def test_settings_are_read_as_they_are_written(self) -> None:
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
            ("homes", "homes", "homes: is 'homes'; it has to be an absolute path"),
            ("image", "", "image: is ''; it has to be text"),
            ("lab", "yes", "lab: is 'yes'; it has to be true or false"),
            ("command", [], r"command: is \[\]; it has to be a list of texts that is not empty"),
            ("seat", {"memory_bytes": 0, "nano_cpus": 1}, r"seat\.memory_bytes: .* at least 1"),
            ("seat", {"memory_bytes": True, "nano_cpus": 1}, r"seat\.memory_bytes: "),
            (
                "seat",
                {"memory_bytes": 1, "nano_cpus": 1, "gpus": 1},
                r"seat\.gpus: is not known; use one of memory_bytes, nano_cpus",
            ),
            ("limit", {"memory_bytes": 1, "nano_cpus": 999, "pids": 9}, r"limit\.memory_bytes: "),
            ("read_only_mounts", {"/usr": 1}, "read_only_mounts: "),
            ("colour", "red", "colour: is not known; did you mean 'cluster'"),
            ("idle_timeout_s", 0, "idle_timeout_s: is 0; it has to be a whole number, at least 10"),
            ("idle_warning_s", -1, "idle_warning_s: is -1; .* at least 0"),
            ("longest_server_s", 60, "longest_server_s: is 60; .* at least 3600"),
            ("groups", {"GPU": GPU}, "group: 'GPU' would make 'lab-GPU'"),
            ("groups", {"g" * 17: GPU}, "group: "),
            ("groups", {"gpu": {**GPU, "seats": 1}}, r"groups\.gpu\.seats: .* did you mean 'seat'"),
            ("groups", {"gpu": {**GPU, "seat": {}}}, r"groups\.gpu\.seat\.memory_bytes: is miss"),
            (
                "groups",
                {"gpu": {**GPU, "limit": {"memory_bytes": 1, "nano_cpus": 1, "pids": 1}}},
                r"groups\.gpu\.limit\.memory_bytes: is 1; give at least",
            ),
            ("groups", [], r"groups: is \[\]; it has to be an object"),
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
    def test_a_text_that_is_no_json_object_is_refused(self, text: str) -> None:
        with pytest.raises(BadInput, match="hub settings"):
            HubSettings.parse(text)

    def test_nobody_logs_in_unchecked_outside_the_lab(self) -> None:
        with pytest.raises(BadInput, match="dummy is for the lab only"):
            settings(lab=False)

    def test_a_file_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="LABSWARM_HUB_CONFIG"):
            HubSettings.read(tmp_path / "absent.json")
