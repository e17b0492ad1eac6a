"""The cookbooks as far as they can be checked without Chef, and by Chef's tools where they are."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from labswarm import labels
from labswarm_hub.settings import HubSettings, Labs
from labswarm_lab import hub
from labswarm_lab.nodes import founding
from labswarm_node.config import NodeConfig
from labswarm_node.snapshot_service import TOKEN

REPOSITORY = Path(__file__).resolve().parents[2]
COOKBOOKS = REPOSITORY / "cookbooks"
NAMES = ["labswarm_base", "labswarm_hub", "labswarm_worker"]
RESOURCES = sorted(COOKBOOKS.glob("*/resources/*.rb"))
PROFILES = sorted(COOKBOOKS.glob("*/compliance/profiles/*"))
CODE = ("attributes", "libraries", "recipes", "resources", "templates")


def without_comments(ruby: str) -> str:
    return re.sub(r"^\s*#.*$", "", ruby, flags=re.MULTILINE)


def code(cookbook: str) -> list[str]:
    """The Ruby that a converge of the cookbook runs, file by file."""
    return [
        without_comments(file.read_text())
        for folder in CODE
        for pattern in ("*.rb", "*.erb")
        for file in sorted((COOKBOOKS / cookbook / folder).rglob(pattern))
    ]


def code_of(cookbook: str) -> str:
    return "\n".join(code(cookbook))


def metadata_of(cookbook: str) -> dict[str, str]:
    """The fields of metadata.rb that stand once; `depends` is the names, separated by spaces."""
    text = (COOKBOOKS / cookbook / "metadata.rb").read_text()
    fields = {m[1]: m[3] for m in re.finditer(r"^(\w+)\s+(['\"])(.*?)\2", text, re.MULTILINE)}
    fields["depends"] = " ".join(re.findall(r"^depends '(\w+)'", text, re.MULTILINE))
    return fields


def defined_attributes(cookbook: str) -> set[tuple[str, ...]]:
    text = (COOKBOOKS / cookbook / "attributes/default.rb").read_text()
    paths = re.findall(rf"^default\['{cookbook}'\]((?:\['\w+'\])+)", text, re.MULTILINE)
    return {tuple(re.findall(r"'(\w+)'", path)) for path in paths}


def read_attributes(cookbook: str) -> set[tuple[str, str]]:
    """The cookbook and name of each attribute that the cookbook's code reads."""
    read: set[tuple[str, str]] = set()
    for text in code(cookbook):
        read |= set(re.findall(r"node\['(labswarm_\w+)'\]\['(\w+)'\]", text))
        # A recipe may hold a cookbook's attributes in a variable.
        for variable, of in re.findall(r"^(\w+) = node\['(labswarm_\w+)'\]$", text, re.MULTILINE):
            read |= {(of, name) for name in re.findall(rf"\b{variable}\['(\w+)'\]", text)}
    return read


def recipes() -> set[str]:
    found = {f"{f.parts[-3]}::{f.stem}" for f in COOKBOOKS.glob("*/recipes/*.rb")}
    return found | {name.removesuffix("::default") for name in found if name.endswith("::default")}


def depends_on(cookbook: str) -> set[str]:
    return {cookbook, *metadata_of(cookbook)["depends"].split()}


@pytest.mark.parametrize("cookbook", NAMES)
def test_the_metadata_has_each_field_that_a_supermarket_asks_for(cookbook: str) -> None:
    metadata = metadata_of(cookbook)
    assert metadata["name"] == cookbook
    assert metadata["license"] == "BSD-3-Clause"
    assert metadata["chef_version"] == ">= 18.0"
    assert re.fullmatch(r"\d+\.\d+\.\d+", metadata["version"])
    assert metadata["description"]


@pytest.mark.parametrize("cookbook", NAMES)
def test_cookbooks_depend_on_nothing_that_would_have_to_be_fetched(cookbook: str) -> None:
    assert depends_on(cookbook) <= set(NAMES)


@pytest.mark.parametrize("cookbook", NAMES)
def test_every_attribute_that_is_read_is_defined_by_a_cookbook_it_depends_on(cookbook: str) -> None:
    read = read_attributes(cookbook)
    assert len(read) >= 2
    for of, name in read:
        assert of in depends_on(cookbook), f"{cookbook} reads an attribute of {of}"
        assert name in {path[0] for path in defined_attributes(of)}, f"{of}.{name} is not defined"


@pytest.mark.parametrize("cookbook", NAMES)
def test_every_attribute_is_read_and_is_in_the_readme_and_nothing_else_is(cookbook: str) -> None:
    defined = defined_attributes(cookbook)
    read = {name for of in NAMES for whose, name in read_attributes(of) if whose == cookbook}
    assert {path[0] for path in defined} == read
    section = (COOKBOOKS / cookbook / "README.md").read_text().partition("## Attributes")[2]
    rows = re.findall(r"^\| `(\w+)((?:\['\w+'\])*)` \|", section, re.MULTILINE)
    documented = {(name, *re.findall(r"'(\w+)'", rest)) for name, rest in rows}
    assert documented == defined


@pytest.mark.parametrize("cookbook", NAMES)
def test_every_recipe_that_is_included_exists_and_every_recipe_is_in_the_readme(
    cookbook: str,
) -> None:
    for name in re.findall(r"include_recipe '([\w:]+)'", code_of(cookbook)):
        assert name in recipes(), name
        assert name.partition("::")[0] in depends_on(cookbook)
    section = (COOKBOOKS / cookbook / "README.md").read_text().partition("## Attributes")[0]
    for recipe in (COOKBOOKS / cookbook / "recipes").glob("*.rb"):
        assert f"| `{recipe.stem}` |" in section, recipe


@pytest.mark.parametrize("role", ["hub", "worker"])
def test_roles_and_policyfiles_run_recipes_that_exist(role: str) -> None:
    folder = COOKBOOKS / f"labswarm_{role}"
    described = json.loads((folder / f"roles/{role}.json").read_text())
    assert (described["name"], described["json_class"]) == (role, "Chef::Role")
    listed = [re.fullmatch(r"recipe\[([\w:]+)\]", item) for item in described["run_list"]]
    assert [item and item[1] in recipes() for item in listed] == [True]

    policy = (folder / "Policyfile.rb").read_text()
    named = re.findall(r"^run_list '([\w:]+)'", policy, re.MULTILINE)
    assert [name in recipes() for name in named] == [True]
    paths = dict(re.findall(r"^cookbook '(\w+)', path: '(.+)'", policy, re.MULTILINE))
    assert set(paths) == depends_on(folder.name)
    for cookbook, path in paths.items():
        assert (folder / path).resolve() == COOKBOOKS / cookbook


def test_the_app_asks_for_a_role_that_is_here() -> None:
    machine = (REPOSITORY / "statemachines/node_launch.asl.yaml").read_text()
    asked = set(re.findall(r"role\[(\w+)\]", machine))
    assert asked == {"worker"}
    assert (COOKBOOKS / "labswarm_worker/roles/worker.json").exists()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda file: file.stem)
def test_every_resource_has_a_page_with_its_properties_and_actions(resource: Path) -> None:
    code = without_comments(resource.read_text())
    (name,) = re.findall(r"^provides :(\w+)", code, re.MULTILINE)
    assert "unified_mode true" in code
    page = (resource.parents[1] / "documentation" / f"{name}.md").read_text()
    tables = {"property": r"^\| `(\w+)` \|", "action": r"^\| `:(\w+)` \|"}
    for keyword, row in tables.items():
        declared = re.findall(rf"^{keyword} :(\w+), ", code, re.MULTILINE)
        assert re.findall(row, page, re.MULTILINE) == declared
    # Descriptions are said once: the page has each as the resource has it.
    descriptions = re.findall(r"""description: (?:'(.*?)(?<!\\)'|"(.*?)(?<!\\)")""", code)
    for single, double in descriptions:
        assert (single or double).replace("\\'", "'") in page
    assert re.search(rf"```ruby\n{name} ", page)
    readme = (resource.parents[1] / "README.md").read_text()
    assert f"(documentation/{name}.md)" in readme


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda file: file.stem)
def test_every_resource_has_a_spec(resource: Path) -> None:
    (name,) = re.findall(r"^provides :(\w+)", resource.read_text(), re.MULTILINE)
    specs = (resource.parents[1] / "spec").rglob("*_spec.rb")
    assert any(f"describe '{name}'" in spec.read_text() for spec in specs)


@pytest.mark.parametrize("cookbook", NAMES)
def test_every_recipe_has_a_spec(cookbook: str) -> None:
    specs = "".join(f.read_text() for f in (COOKBOOKS / cookbook / "spec").rglob("*_spec.rb"))
    for recipe in (COOKBOOKS / cookbook / "recipes").glob("*.rb"):
        assert f"describe '{cookbook}::{recipe.stem}'" in specs


@pytest.mark.parametrize("cookbook", NAMES)
def test_no_command_is_run_without_a_guard(cookbook: str) -> None:
    for block in re.findall(r"^( *)execute .*? do\n(.*?)^\1end", code_of(cookbook), re.M | re.S):
        assert re.search(r"not_if|only_if|action :nothing", block[1]), block[1]


def test_a_converge_of_a_worker_takes_no_part_in_the_swarm() -> None:
    code = code_of("labswarm_base") + code_of("labswarm_worker")
    assert not re.search(r"swarm['\s,]+(join|leave|init)|labswarm-node (join|leave)", code)


def test_no_code_writes_a_join_token() -> None:
    for cookbook in NAMES:
        assert "SWMTKN" not in code_of(cookbook)
        assert "join-token" not in code_of(cookbook).replace("labswarm-rotate-join-token", "")


def test_the_hubs_image_has_the_versions_that_the_tests_run_with() -> None:
    recipe = (COOKBOOKS / "labswarm_hub/recipes/jupyterhub.rb").read_text()
    lock = (REPOSITORY / "requirements/class.lock").read_text()
    installed = re.findall(r"\b([\w-]+)==([\d.]+)", recipe.partition("packages = ")[2])
    assert {name for name, _ in installed} > {"dockerspawner", "jupyterhub-idle-culler"}
    for package, version in installed:
        assert f"\n{package}=={version} " in lock
    (version,) = re.findall(r"jupyterhub/jupyterhub:([\d.]+)", recipe)
    assert f"\njupyterhub=={version} " in lock


def test_the_proxys_image_has_the_version_that_the_tests_run_with() -> None:
    attributes = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    (version,) = re.findall(r"jupyterhub/configurable-http-proxy:([\d.]+)", attributes)
    package = json.loads((REPOSITORY / "hub/proxy/package.json").read_text())
    assert package["dependencies"] == {"configurable-http-proxy": version}


def test_every_file_that_a_server_is_given_is_laid_on_the_workers() -> None:
    attributes = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    mounts = attributes.partition("['read_only_mounts'] = {")[2].partition("}")[0]
    sources = re.findall(r"'(/etc/labswarm/\S+)' =>", mounts)
    laid = re.findall(r"(?:cookbook_file|remote_directory) '(\S+)'", code_of("labswarm_worker"))
    assert sources
    assert sorted(sources) == sorted(laid)
    for source in sources:
        assert (COOKBOOKS / "labswarm_worker/files/default" / Path(source).name).exists()


def test_node_json_has_the_fields_that_the_tools_read() -> None:
    recipe = (COOKBOOKS / "labswarm_base/resources/node_config.rb").read_text()
    written = set(re.findall(r"^\s+'(\w+)' =>", recipe, re.MULTILINE))
    ground = json.loads((COOKBOOKS / "labswarm_hub/test/data/ground.json").read_text())
    fields = NodeConfig.__annotations__
    # The two that it leaves to their defaults.
    assert written >= set(fields) - {"aws_endpoint_url", "state_dir"}
    assert written - set(fields) == {
        "url",
        "organization",
        "ca_file",
        "node_name",
        "key_file",
        "client",
        "policy_name",
        "policy_group",
    }
    assert set(ground) - {"hub", "efs", "hub_address"} <= written


def test_hub_json_has_the_fields_that_the_hub_reads() -> None:
    recipe = (COOKBOOKS / "labswarm_hub/recipes/jupyterhub.rb").read_text()
    resource = (COOKBOOKS / "labswarm_hub/resources/hub_settings.rb").read_text()
    resource = resource.replace("room(described),", "")
    said = set(re.findall(r"^\s+'(\w+)' =>", recipe, re.MULTILINE))
    said |= set(re.findall(r"^\s+'(\w+)' =>", resource, re.MULTILINE))
    of_page = {field.name for field in dataclasses.fields(Labs)}
    assert of_page <= said
    assert said - of_page - {"memory_bytes", "nano_cpus", "pids"} == set(
        HubSettings.__annotations__
    ) - {
        "lab",
        # The hub's document has these, not the cookbook.
        *("default_url", "authenticator_traits", "hub_traits", "extra_config", "former_admins"),
        *("folders", "home_bytes"),
    }


@pytest.mark.parametrize("profile", PROFILES, ids=lambda folder: folder.name)
def test_profiles_have_controls_and_their_own_names(profile: Path) -> None:
    about = (profile / "inspec.yml").read_text()
    assert f"name: {profile.name}\n" in about
    for path in re.findall(r"^    path: (\S+)", about, re.MULTILINE):
        assert (profile / path / "inspec.yml").exists()
    controls = "".join(file.read_text() for file in (profile / "controls").glob("*.rb"))
    names = re.findall(r"^control ['\"](.+?)['\"] do", controls, re.MULTILINE)
    assert names
    assert len(names) == len(set(names))


def test_the_boot_units_call_programs_next_to_them() -> None:
    files = COOKBOOKS / "labswarm_base/files/default"
    for unit, run_list in (
        ("labswarm-node-config.service", "recipe[labswarm_base::node_config]"),
        ("labswarm-hub-converge.service", "role[hub]"),
    ):
        text = (files / unit).read_text()
        assert f"\nExecStart=/usr/local/sbin/labswarm-local-converge {run_list}\n" in text
        assert unit in (COOKBOOKS / "install.sh").read_text()
    assert (files / "labswarm-local-converge").stat().st_mode & 0o111


def test_only_a_worker_reports_its_start_once_its_agent_has_started() -> None:
    unit = "labswarm-report-start.service"
    text = (COOKBOOKS / "labswarm_base/files/default" / unit).read_text()
    assert unit in (COOKBOOKS / "install.sh").read_text()
    (after,) = re.findall(r"^After=(.+)$", text, re.MULTILINE)
    # The file that it reads, and the agent as a package and as the snap.
    assert {"labswarm-node-config.service", "amazon-ssm-agent.service"} < set(after.split())
    assert "snap.amazon-ssm-agent.amazon-ssm-agent.service" in after.split()
    assert '.role == \\"worker\\"' in text
    assert "\nExecStart=/usr/local/bin/labswarm-node report-start\n" in text


@pytest.mark.parametrize(("role", "module"), [("hub", "hub"), ("worker", "workers")])
def test_the_facts_that_the_cookbooks_are_tried_with_are_those_that_terraform_writes(
    role: str, module: str
) -> None:
    main = (REPOSITORY / f"terraform-base/modules/{module}/main.tf").read_text()
    block = re.search(r"^  ground = \{\n(.*?)^  \}", main, re.MULTILINE | re.DOTALL)
    assert block
    written = set(re.findall(r"^    (\w+) +=", block[1], re.MULTILINE))
    tried = json.loads((COOKBOOKS / f"labswarm_{role}/test/data/ground.json").read_text())
    assert set(tried) == written
    if role == "hub":
        inner = set(re.findall(r"^      (\w+) +=", block[1], re.MULTILINE))
        assert set(tried["hub"]) == inner


def test_an_image_has_the_packages_that_a_nodes_converge_wants() -> None:
    # The hub's alone may reach the archive at its first boot.
    attributes = (COOKBOOKS / "labswarm_base/attributes/default.rb").read_text()
    (wanted,) = re.findall(r"\['packages'\] = %w\((.+)\)", attributes)
    named = re.findall(
        r"labswarm_packages '(\w+)'$", code_of("labswarm_base") + code_of("labswarm_worker"), re.M
    )
    assert named == ["auditd"]
    scripts = [COOKBOOKS / "install.sh", *sorted((REPOSITORY / "packer/scripts").glob("*.sh"))]
    installed = {
        package
        for script in scripts
        for line in re.findall(r"--no-install-recommends (.+)", script.read_text())
        for package in line.split()
    }
    assert {*wanted.split(), *named} <= installed


def test_nodes_are_labelled_as_the_tools_look_for_them() -> None:
    resource = (COOKBOOKS / "labswarm_base/resources/engine.rb").read_text()
    given = re.findall(r'"([\w.]+)=#\{', resource)
    assert given == [labels.INSTANCE, labels.CLUSTER]


def test_systemd_lays_the_hubs_token_where_the_snapshot_service_looks() -> None:
    recipe = (COOKBOOKS / "labswarm_hub/recipes/snapshot.rb").read_text()
    assert re.findall(r"'LoadCredential' => \"([\w-]+):", recipe) == [TOKEN]


def test_the_swarm_is_founded_as_in_the_lab() -> None:
    attributes = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    assert f"['address_pool'] = '{founding._POOL}'" in attributes
    assert f"['subnet_size'] = {founding._SUBNET_SIZE}\n" in attributes
    constants = (COOKBOOKS / "labswarm_hub/libraries/hub.rb").read_text()
    assert f"NETWORK = '{founding.NETWORK}'" in constants
    assert f"SERVICE = '{hub.SERVICE}'" in constants
    assert f"PROXY = '{hub.PROXY}'" in constants


def test_every_ruby_file_parses() -> None:
    ruby = shutil.which("ruby")
    if ruby is None:
        pytest.skip("ruby is not installed: the cookbooks' syntax is not checked")
    files = sorted(str(file) for file in COOKBOOKS.rglob("*.rb"))
    parse = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }"
    done = subprocess.run([ruby, "-e", parse, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cookbook", NAMES)
def test_the_specs_pass(cookbook: str) -> None:
    rspec = _rspec()
    if rspec is None:
        pytest.skip("ChefSpec is not installed: the cookbooks' specs are not run")
    _run(cookbook, *rspec)


@pytest.mark.parametrize("cookbook", NAMES)
def test_cookstyle_finds_nothing(cookbook: str) -> None:
    cookstyle = shutil.which("cookstyle")
    if cookstyle is None:
        pytest.skip("Cookstyle is not installed: the cookbooks' style is not checked")
    _run(cookbook, cookstyle)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda folder: folder.name)
def test_inspec_reads_the_profiles(profile: Path) -> None:
    inspec = shutil.which("inspec") or shutil.which("cinc-auditor")
    if inspec is None:
        pytest.skip(
            "InSpec is not installed: the profiles are not read by it, and no node is audited"
        )
    _run(profile.parents[2].name, inspec, "json", str(profile))


def _rspec() -> list[str] | None:
    """The command of an RSpec that has ChefSpec: a Workstation's, or this machine's own."""
    for workstation in ("cinc", "chef"):
        if shutil.which(workstation):
            return [workstation, "exec", "rspec"]
    if shutil.which("ruby") and shutil.which("rspec"):
        asked = subprocess.run(["ruby", "-rchefspec", "-e", ""], capture_output=True, check=False)
        return ["rspec"] if asked.returncode == 0 else None
    return None


def _run(cookbook: str, *words: str) -> None:
    done = subprocess.run(
        words, cwd=COOKBOOKS / cookbook, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
