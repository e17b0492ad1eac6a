"""The builds of the workflow `images`, their times, and the checks of their results."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PACKER = REPOSITORY / "packer"
COOKBOOKS = REPOSITORY / "cookbooks"
SCAN = REPOSITORY / ".github/images"
IMAGES = ["chef-client", "chef-server", "chef-workstation"]


def sources(image: str) -> list[str]:
    return (PACKER / image / "sources").read_text().split()


def triggers() -> dict[str, Any]:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/images.yml").read_text())
    on: dict[str, Any] = workflow[True]  # to YAML 1.1, `on` is a truth value
    return on


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_built_of_the_paths_in_its_list_and_no_others(image: str) -> None:
    build = (PACKER / image / f"{image}.pkr.hcl").read_text()
    archives = re.findall(r"git -C .* archive (.+?)\"", build)
    assert len(archives) == 1
    assert archives[0].endswith("'${var.commit}' $(cat '${path.root}/sources')")
    for path in sources(image):
        assert (REPOSITORY / path).exists(), path


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_change_of_an_images_contents_builds_it_again(event: str) -> None:
    listed = {path for image in IMAGES for path in sources(image)}
    own = {".github/images", ".github/workflows/images.yml"}
    watched = {path.removesuffix("/**") for path in triggers()[event]["paths"]}
    assert watched == listed | own


def test_a_build_has_the_files_that_its_scripts_and_its_package_use() -> None:
    # A script's files outside packer, and the folders that the package is made of.
    used = set()
    for script in [*PACKER.glob("scripts/*.sh"), COOKBOOKS / "install.sh"]:
        used |= set(re.findall(r"\$sources/([a-z_]+)", script.read_text()))
    for parts in re.findall(
        r"^for part in (.+); do$", (COOKBOOKS / "install.sh").read_text(), re.M
    ):
        used |= {part.partition("/")[0] for part in parts.split()}
    assert {"cookbooks", "hub", "layers"} <= used
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    found = project["tool"]["setuptools"]["packages"]["find"]["where"]
    used |= {folder.partition("/")[0] for folder in found}
    used |= {project["project"]["readme"], *project["project"]["license-files"]}
    assert used <= set(sources("chef-client"))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_looked_at_once_it_has_started(image: str) -> None:
    verify = (PACKER / image / "verify.sh").read_text()
    assert re.search(r"^booted", verify, re.MULTILINE)
    scan = (SCAN / "scan.pkr.hcl").read_text()
    assert '"BOOTED=true"' in scan
    assert "packer/${var.image}/verify.sh" in scan
    assert "${path.root}/inspect.sh" in scan
    # It has failed before the workflow says which image it is.
    workflow = (REPOSITORY / ".github/workflows/images.yml").read_text()
    assert workflow.index("packer build .github/images") < workflow.index("labswarm:scanned")


def inspected(image: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    docker = folder / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    docker.chmod(0o755)
    return subprocess.run(
        [SCAN / "inspect.sh"],
        env={
            "PATH": f"{folder}:/usr/bin:/bin",
            "IMAGE": image,
            "TARGET": "ssh://ubuntu@192.0.2.1",
            "SSH_KEY": "-----BEGIN KEY-----",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_profile_is_run_on_the_image_that_it_is_about(tmp_path: Path) -> None:
    run = set()
    for image in IMAGES:
        done = inspected(image, tmp_path)
        assert done.returncode == 0, done.stderr
        words = done.stdout.split()
        profiles = [word for word in words if word.startswith("/cookbooks/")]
        for profile in profiles:
            assert (COOKBOOKS / profile.removeprefix("/cookbooks/") / "inspec.yml").exists()
            run.add(Path(profile).name)
        assert "-----BEGIN" not in done.stdout, "the key is no argument"
    # A hub has its profile run on the hub: it needs a cluster.
    all_of_them = {path.name for path in COOKBOOKS.glob("*/compliance/profiles/*")}
    included = {"labswarm-node"}
    assert run == all_of_them - included - {"labswarm-hub"}


def test_an_image_of_another_name_is_refused(tmp_path: Path) -> None:
    done = inspected("chef", tmp_path)
    assert done.returncode == 2
    assert "chef-client, chef-server or chef-workstation" in done.stderr


def test_the_chef_servers_ssh_is_closed_by_its_first_start() -> None:
    for image in ("chef-server", "chef-workstation"):
        unit = (PACKER / image / f"labswarm-{image}.service").read_text()
        assert "\nExecStartPre=systemctl disable --now ssh.socket ssh.service\n" in unit
        assert "ConditionPathExists=/etc/labswarm/ground.json" in unit


def test_the_table_of_platforms_has_each_images_default() -> None:
    table = (PACKER / "README.md").read_text().partition("## Platforms")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| (chef-[a-z]+) \| ([\d.]+) \|", table, re.MULTILINE))
    for image in IMAGES:
        build = (PACKER / image / f"{image}.pkr.hcl").read_text()
        (newest,) = re.findall(r'newest_ubuntu += "([\d.]+)"', build)
        assert listed[image] == newest
    assert set(listed) == set(IMAGES)


@pytest.mark.skipif(not shutil.which("packer"), reason="needs packer")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [("image", "hub", "chef-client, chef-server"), ("chef", "18", "like cinc 18")],
)
def test_the_scan_refuses_a_wrong_value(
    name: str, value: str, sentence: str, tmp_path: Path
) -> None:
    text = (SCAN / "scan.pkr.hcl").read_text()
    # Debian's Packer is older than these.
    text = re.sub(r"(?ms)^packer \{.*?^\}\n|^  metadata_options \{.*?^  \}\n", "", text)
    (tmp_path / "scan.pkr.hcl").write_text(text)
    shutil.copy(SCAN / "inspect.sh", tmp_path)
    values = {"region": "eu-west-1", "ami": "ami-0123456789abcdef0", "image": "chef-client"}
    values |= {"chef": "cinc 18", name: value}
    options = [word for item in values.items() for word in ("-var", "=".join(item))]
    done = subprocess.run(
        ["packer", "validate", *options, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert sentence in " ".join((done.stdout + done.stderr).split())
