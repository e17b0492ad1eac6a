"""An admin's options of the spawner: each has its effect, or is refused with a remedy."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES, importable
from tests.support.hub_settings import SETTINGS, laid

from labswarm.errors import BadInput
from labswarm_hub.settings import HubSettings
from labswarm_hub.spawner_options import CLASSES, HONOURED, INSTEAD, refuse

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from labswarm_hub.spawner import LabswarmSpawner

CHECKOUT = Path(__file__).parents[2]


def test_each_option_of_the_classes_is_honoured_or_refused() -> None:
    theirs = {
        name
        for owner in LabswarmSpawner.mro()
        if owner.__name__ in CLASSES
        for name in owner.class_trait_names(config=True)
    }
    assert HONOURED | INSTEAD.keys() == theirs
    assert not HONOURED & INSTEAD.keys()


def test_each_option_is_on_its_page() -> None:
    page = (CHECKOUT / "docs/reference/hub-options.md").read_text()
    assert [name for name in sorted(HONOURED | INSTEAD.keys()) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_an_option_without_an_effect_is_refused_with_its_remedy(name: str) -> None:
    with pytest.raises(BadInput, match=rf"^c\.Spawner\.{name}: it would have no effect: ") as seen:
        refuse({"Spawner": {name: "new"}}, {name: "the hub's own"})
    assert str(seen.value).endswith(INSTEAD[name])


@pytest.mark.parametrize("owner", CLASSES)
@pytest.mark.parametrize("name", sorted(HONOURED))
def test_an_option_with_an_effect_is_taken_from_any_of_its_classes(owner: str, name: str) -> None:
    refuse({owner: {name: "new"}}, {})


def test_the_hubs_own_values_are_no_admins() -> None:
    ours = {"mem_limit": 512, "image": "class"}
    refuse({"LabswarmSpawner": dict(ours)}, ours)
    with pytest.raises(BadInput, match=r"c\.LabswarmSpawner\.mem_limit"):
        refuse({"LabswarmSpawner": ours | {"mem_limit": 1024}}, ours)


def test_an_option_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="there is no such option; did you mean 'default_url'"):
        refuse({"Spawner": {"defaut_url": "/tree"}}, {})


def loaded(folder: Path, admins_file: str) -> "subprocess.CompletedProcess[str]":
    """The hub's configuration with a file of an admin, loaded by the Python that has JupyterHub."""
    (folder / "conf.d").mkdir()
    (folder / "conf.d/admin.py").write_text(admins_file)
    (folder / "hub.json").write_text(json.dumps(SETTINGS | laid(folder)))
    program = (
        "import sys; from traitlets.config.loader import PyFileConfigLoader as Loader; "
        "print(Loader('jupyterhub_config.py', path=sys.argv[1]).load_config().Spawner)"
    )
    return subprocess.run(
        [CHECKOUT / ".class/bin/python", "-c", program, CHECKOUT / "hub"],
        env={
            "LABSWARM_HUB_CONFIG": str(folder / "hub.json"),
            "PYTHONPATH": f"{CHECKOUT}/hub:{CHECKOUT}/layers/labswarm",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_hub_does_not_start_with_one_and_says_so_in_one_line(tmp_path: Path) -> None:
    ended = loaded(tmp_path, "c.DockerSpawner.volumes = {'/data': '/data'}\n")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{tmp_path}/conf.d: c.DockerSpawner.volumes: it would have no effect: mount a folder with "
        "`read_only_mounts`; a student's home is always there\n"
    )


def test_an_admins_file_has_the_last_word(tmp_path: Path) -> None:
    ended = loaded(tmp_path, "c.Spawner.environment.update({'COURSE': 'physics'})\n")
    assert ended.returncode == 0, ended.stderr
    assert "physics" in ended.stdout


def args_of(**options: Any) -> list[str]:
    """The words that start a server in its container."""
    made: dict[str, Any] = {}

    async def docker(method: str, **asked: Any) -> Any:
        assert method == "create_service"
        made.update(asked)
        return {"ID": "made"}

    spawner = LabswarmSpawner(
        settings=HubSettings.parse(json.dumps(SETTINGS)),
        user=SimpleNamespace(name="ada"),
        **options,
    )
    for name, twin in (("docker", docker), ("get_env", dict)):
        setattr(spawner, name, twin)
    created = spawner._create_service("node1")
    with pytest.raises(StopIteration):
        created.send(None)
    container = made["task_template"]["ContainerSpec"]
    assert "Command" not in container, "the image keeps its ENTRYPOINT"
    args: list[str] = container["Args"]
    return args


def test_a_server_is_started_by_the_settings_command_with_an_admins_args() -> None:
    assert args_of() == SETTINGS["command"]
    assert args_of(args=["--one"]) == [*SETTINGS["command"], "--one"]


def test_an_admins_cmd_goes_before_the_settings() -> None:
    assert args_of(cmd=["other"], args=["--one"]) == ["other", "--one"]
