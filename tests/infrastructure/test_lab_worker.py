"""The lab's workers are prepared as the worker's cookbook and its image say.

Each thing that a worker's run list or its image's build does is in one table of
docs/reference/lab.md: as in the cookbook, which a test here holds, or not in the lab, and why.
"""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.recipes import declared, run_list, scripts

from labswarm_lab.hub import HubGround, lay_homes, settings_of
from labswarm_lab.nodes import cookbooks, fitness, machine, start_report
from labswarm_lab.nodes.node_config import node_json
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings

REPOSITORY = Path(__file__).resolve().parents[2]
COOKBOOKS = REPOSITORY / "cookbooks"
WORKER = COOKBOOKS / "labswarm_worker"
BASE = COOKBOOKS / "labswarm_base"
ID = "i-0123456789abcdef0"
SETTINGS = NodesSettings(
    place=Place("t-worker", Path("/nowhere")),
    subnet=3,
    cluster="db",
    region="eu-west-1",
    aws_url="http://10.98.3.1:5060",
    join_secret="labswarm/db/swarm-join",
    chef_url="https://10.98.3.1:4545",
    chef_ca_file=None,
)

# Which test holds that it is as the cookbook, or the image, has it.
HELD = {
    "labswarm_student_firewall": "test_the_firewall_is_the_cookbooks",
    "labswarm_engine": "test_the_engine_has_the_cookbooks_settings_and_labels",
    "file[/etc/sysctl.d/99-labswarm.conf]": "test_a_network_has_the_cookbooks_parameters",
    "directory[/etc/labswarm/class]": "test_a_server_is_given_the_cookbooks_files",
    "cookbook_file[/etc/labswarm/class/jupyter_server_config.json]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "cookbook_file[/etc/labswarm/class/ipython_config.py]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "cookbook_file[/etc/labswarm/class/jupyter_server_path.py]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "cookbook_file[/etc/labswarm/class/labswarm_notice.py]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "cookbook_file[/etc/labswarm/class/labswarm_limits.py]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "cookbook_file[/etc/labswarm/class/overrides.json]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "remote_directory[/etc/labswarm/class/jupyterlab-labswarm]": (
        "test_a_server_is_given_the_cookbooks_files"
    ),
    "directory[homes]": "test_the_homes_have_the_cookbooks_mode",
    "labswarm_node_config": "test_node_json_has_the_cookbooks_fields",
    "systemd_unit[labswarm-fitness.service]": "test_a_worker_reports_on_its_homes",
    "docker.sh": "test_the_engine_is_of_the_images_package",
    "node-tools.sh": "test_the_tools_are_the_images",
}


def table() -> dict[str, str]:
    """The page's words for each resource and script."""
    page = (REPOSITORY / "docs/reference/lab.md").read_text()
    section = page.partition("\n## As the cookbooks have it\n")[2].partition("\n## ")[0]
    rows = [
        (re.findall(r"`(.+?)`", cells), said)
        for cells, said in re.findall(r"^\| (`.+?`) \| (.+) \|$", section, re.MULTILINE)
    ]
    named = [name for names, _ in rows for name in names]
    assert len(named) == len(set(named))
    return {name: said for names, said in rows for name in names}


def test_recipes_are_read_as_chef_reads_them() -> None:
    ruby = """
        ground = Ground.read(node['x'])
        %w(/a /b).each do |name|
          file name do
            mode '0600'
          end
        end
        if ground
          labswarm_homes node['labswarm_base']['homes'] do
            if ground['a']
              hub 'x' => 1
            end
          end
        else
          directory node['labswarm_base']['homes'] do
            mode '0711'
          end
        end
        package 'jq'
        template '/etc/x' do
        end
    """
    assert declared(ruby) == [
        *("file[/a]", "file[/b]", "labswarm_homes", "directory[homes]"),
        *("package[jq]", "template[/etc/x]"),
    ]


def test_each_resource_and_script_is_said_to_be_in_the_lab_or_not_and_nothing_else_is() -> None:
    assert len(scripts()) >= 9
    assert len(run_list()) >= 30
    assert set(table()) == {*run_list(), *scripts()}


def test_a_fact_has_a_test_in_the_lab_or_a_reason_why_not() -> None:
    for name, said in table().items():
        assert re.match(r"as in the (cookbook|image)|not in the lab: \w", said), name
    as_there = {name for name, said in table().items() if said.startswith("as in")}
    assert as_there == set(HELD)
    for test in HELD.values():
        assert callable(globals()[test])


def programs(folder: Path) -> dict[str, str]:
    """Programs in place of iptables that keep what they are called with and given."""
    (folder / "calls").mkdir()
    for name in ("iptables", "ip6tables", "iptables-restore", "ip6tables-restore"):
        keep = f'echo "$0 $*" | sed "s:.*/::" >>{folder}/calls/all'
        keep += f"; cat >{folder}/calls/{name}" if name.endswith("restore") else ""
        # As without the jump: it is looked for, and then made.
        (folder / name).write_text(f'#!/bin/sh\n{keep}\n[ "$2" != -C ]\n')
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def rules(folder: Path, conf: str) -> list[str]:
    """The IPv4 rules that the firewall's program loads."""
    (folder / "conf").write_text(conf)
    subprocess.run(
        ["sh", cookbooks.STUDENT_FIREWALL, folder / "conf"], env=programs(folder), check=True
    )
    return (folder / "calls/iptables-restore").read_text().splitlines()


def test_the_firewall_is_the_cookbooks(tmp_path: Path) -> None:
    resource = (WORKER / "resources/student_firewall.rb").read_text()
    attributes = (WORKER / "attributes/default.rb").read_text()
    assert f"/{cookbooks.STUDENT_FIREWALL.name}'" in resource
    assert "['unreachable'] =\n  JSON.parse(::File.read(" in attributes
    assert "files/default/unreachable.json" in attributes
    given = set(re.findall(r"(?:\"|\\n)(\w+)='#\{", resource))
    conf = cookbooks.student_firewall_conf()
    assert set(re.findall(r"^(\w+)=", conf, re.MULTILINE)) == given - {"reachable", "dns_server"}

    blocks = json.loads((WORKER / "files/default/unreachable.json").read_text())
    assert rules(tmp_path, conf) == [
        "*filter",
        ":DOCKER-USER - [0:0]",
        "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        *(f"-A DOCKER-USER -d {block} -j REJECT" for block in blocks),
        ":LABSWARM-HOST - [0:0]",
        "-A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT",
        "COMMIT",
    ]


def test_the_firewall_has_its_exceptions_first_and_is_jumped_to(tmp_path: Path) -> None:
    conf = "unreachable='10.0.0.0/8'\nreachable='10.9.0.0/24'\ndns_server='169.254.169.253'\n"
    loaded = rules(tmp_path, conf)
    assert loaded[3:7] == [
        "-A DOCKER-USER -d 169.254.169.253 -p udp --dport 53 -j RETURN",
        "-A DOCKER-USER -d 169.254.169.253 -p tcp --dport 53 -j RETURN",
        "-A DOCKER-USER -d 10.9.0.0/24 -j RETURN",
        "-A DOCKER-USER -d 10.0.0.0/8 -j REJECT",
    ]
    called = (tmp_path / "calls/all").read_text().splitlines()
    assert called[:3] == [
        "iptables-restore --wait --noflush",
        "iptables -w -C INPUT -j LABSWARM-HOST",
        "iptables -w -I INPUT -j LABSWARM-HOST",
    ]
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("this kernel has no IPv6: the firewall's IPv6 half is not looked at")
    assert called[3:] == [
        "ip6tables-restore --wait --noflush",
        "ip6tables -w -C INPUT -j LABSWARM-HOST",
        "ip6tables -w -I INPUT -j LABSWARM-HOST",
        "ip6tables -w -C FORWARD -j LABSWARM-HOST",
        "ip6tables -w -I FORWARD -j LABSWARM-HOST",
    ]


def test_a_firewall_that_would_refuse_nothing_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("reachable='10.9.0.0/24'\n")
    done = subprocess.run(
        ["sh", cookbooks.STUDENT_FIREWALL, tmp_path / "conf"],
        env=programs(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"unreachable: is not in {tmp_path}/conf" in done.stderr
    assert list((tmp_path / "calls").iterdir()) == []


def test_the_engine_has_the_cookbooks_settings_and_labels() -> None:
    attributes = (BASE / "attributes/default.rb").read_text()
    assert "['engine'] = data.call('engine.json')" in attributes
    settings = json.loads((BASE / "files/default/engine.json").read_text())
    lab = machine.daemon_json(SETTINGS, ID)
    assert {name: lab[name] for name in settings} == settings
    # The lab's additions, each named on the page; and the one setting that the recipe adds.
    assert set(lab) - set(settings) == {
        *("labels", "exec-opts", "cgroup-parent", "insecure-registries")
    }
    recipe = (WORKER / "recipes/engine.rb").read_text()
    assert re.findall(r"merge\('(\w+)'", recipe) == ["dns"]

    resource = (BASE / "resources/engine.rb").read_text()
    given = re.findall(r'"([\w.]+=)#\{', resource)
    assert lab["labels"] == [f"{given[0]}{ID}", f"{given[1]}db"]


def test_a_network_has_the_cookbooks_parameters() -> None:
    attributes = (BASE / "attributes/default.rb").read_text()
    assert "['sysctl'] = data.call('sysctl.json')" in attributes
    parameters = json.loads((BASE / "files/default/sysctl.json").read_text())
    others = set(parameters) - set(cookbooks.network_parameters())
    assert {name.partition(".")[0] for name in others} == {"fs", "kernel"}
    for name, value in cookbooks.network_parameters().items():
        assert parameters[name] == value


def test_the_hubs_network_has_the_cookbooks_parameters() -> None:
    attributes = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    assert "files/default/sysctl.json" in attributes
    recipe = (COOKBOOKS / "labswarm_hub/recipes/jupyterhub.rb").read_text()
    assert "  sysctl hub['sysctl'].to_h\n" in recipe
    # Of its own network alone: a container cannot have others.
    assert {name.partition(".")[0] for name in cookbooks.hub_network_parameters()} == {"net"}


def test_a_server_is_given_the_cookbooks_files() -> None:
    recipe = (WORKER / "recipes/class.rb").read_text()
    laid = re.findall(r"^(?:cookbook_file|remote_directory) '(.+)'", recipe, re.MULTILINE)
    attributes = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    mounts = attributes.partition("['read_only_mounts'] = {")[2].partition("}")[0]
    there = dict(re.findall(r"'(/\S+)' => '(/\S+)'", mounts))
    assert set(there) == set(laid)

    room = {"memory_bytes": 1, "nano_cpus": 1}
    ground = HubGround(
        *("db", REPOSITORY, Path("/class"), Path("/state"), Path("/homes"), Path("/sock")),
        *("10.98.3.10", "hub", "notebook", room, room),
    )
    settings = settings_of(ground)
    in_the_lab = settings["read_only_mounts"]
    for source, target in there.items():
        assert in_the_lab[str(WORKER / "files/default" / Path(source).name)] == target
    assert len(in_the_lab) == len(there) + len({"/usr", "/class"})
    environment = attributes.partition("['environment'] = {")[2].partition("}")[0]
    given = dict(re.findall(r"'(\w+)' => '(\S+)'", environment))
    assert given
    assert given.items() <= settings["environment"].items()


def test_the_homes_have_the_cookbooks_mode(tmp_path: Path) -> None:
    recipe = (WORKER / "recipes/homes.rb").read_text()
    (mode,) = re.findall(r"mode '(\d+)'", recipe)
    for _ in range(2):
        lay_homes(tmp_path / "homes")
        assert (tmp_path / "homes").stat().st_mode & 0o7777 == int(mode, 8)
        (tmp_path / "homes").chmod(0o755)


def test_node_json_has_the_cookbooks_fields() -> None:
    resource = (BASE / "resources/node_config.rb").read_text().partition("def node_json")[2]
    written = re.findall(r"^( +)'(\w+)' =>", resource, re.MULTILINE)
    outer = {name for indent, name in written if len(indent) == 6}
    chef = {name for indent, name in written if len(indent) == 8}
    settings = replace(SETTINGS, chef_organization="labswarm")
    lab = json.loads(node_json(settings, ID, "worker", settings.address(11)))
    assert set(lab) == outer | {"aws_endpoint_url", "state_dir"}
    assert set(lab["chef"]) == chef
    assert lab["chef"]["node_name"] == f"db-{ID}"


def test_a_worker_reports_its_start_by_the_units_command(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []
    monkeypatch.setattr(
        machine, "start_beside", lambda _settings, _id, command, _log: started.append(command)
    )
    start_report.start(SETTINGS, ID)

    unit = (BASE / "files/default/labswarm-report-start.service").read_text()
    (command,) = re.findall(r"^ExecStart=/usr/local/bin/(.+)$", unit, re.MULTILINE)
    assert [list(one) for one in started] == [command.split()]


def test_a_worker_reports_on_its_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []
    monkeypatch.setattr(
        machine, "start_beside", lambda _settings, _id, command, _log: started.append(command)
    )
    fitness.start(SETTINGS, ID)

    recipe = (WORKER / "recipes/fitness.rb").read_text()
    (program,) = re.findall(r"/usr/local/bin/(\S+) --homes", recipe)
    (command,) = started
    own = command[command.index(program) :]
    assert list(own[:3]) == [program, "--homes", str(SETTINGS.place.homes)]
    # The Engine writes its process id there.
    dockerd = machine._dockerd(SETTINGS.place, ID)
    assert own[own.index("--pid-file") + 1] == dockerd[dockerd.index("--pidfile") + 1]


def test_the_engine_is_of_the_images_package() -> None:
    (packages,) = re.findall(
        r"apt-get .*--no-install-recommends (.+)",
        (REPOSITORY / "packer/scripts/docker.sh").read_text(),
    )
    setup = (REPOSITORY / "lab/setup.sh").read_text()
    for package in packages.split():
        assert re.search(rf"={re.escape(package)}\b", setup), package


def test_the_tools_are_the_images() -> None:
    script = (REPOSITORY / "packer/scripts/node-tools.sh").read_text()
    (tools,) = re.findall(r"for tool in (.+); do", script)
    project = (REPOSITORY / "pyproject.toml").read_text()
    for tool in tools.split():
        assert re.search(rf'^{tool} = "labswarm_(node|labs)\.', project, re.MULTILINE)
        assert (SETTINGS.bin_dir / tool).exists()
