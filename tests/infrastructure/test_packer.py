"""The images: Packer's results from their files, and their scripts in a root folder.

Debian's Packer (1.6.6) is older than the files: see `LATER`. Where it is not installed, the tests
that want it are skipped by name.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from tests.support.running_emulator import running

from labswarm_emulator.emulator import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
PACKER = REPOSITORY / "packer"
IMAGES = ["chef-client", "chef-server", "chef-workstation"]
TOOLS = Path(sys.executable).parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LATER = {
    "plugins": r"(?ms)^packer \{.*?^\}\n",
    "deprecation": r"(?m)^  deprecate_at .*= timeadd\(local\.built_at, .*\n",
    "IMDSv2 of the image": r'(?m)^  imds_support .*= "v2\.0"\n',
    "IMDSv2 of the build": (
        r'(?ms)^  metadata_options \{\n[^}]*http_tokens +[^}]*= "required"\n[^}]*limit = 1\n  \}\n'
    ),
}
"""Parts that Debian's Packer does not know yet, each once in the files; a copy leaves them out."""

needs_packer = pytest.mark.skipif(
    not shutil.which("packer"), reason="needs packer (Debian: apt-get install packer)"
)
needs_root_folder = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("dpkg-deb"),
    reason="needs root, unshare and dpkg to run scripts in a root folder",
)


def packer(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["packer", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1", **environment},
    )


def for_debian(image: str, folder: Path) -> Path:
    """A copy of an image's files that Debian's Packer reads."""
    copy = folder / image
    shutil.copytree(PACKER / image, copy)  # links are followed
    shared = copy / "ubuntu.pkr.hcl"
    text = shared.read_text()
    for what, pattern in LATER.items():
        text, found = re.subn(pattern, "", text)
        assert found == 1, what
    shared.write_text(text)
    return copy


@needs_packer
@pytest.mark.parametrize("image", IMAGES)
def test_files_are_formatted(image: str) -> None:
    done = packer("fmt", "-check", "-diff", PACKER / image)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_packer
@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_valid_with_a_region_alone(image: str, tmp_path: Path) -> None:
    done = packer("validate", "-var", "region=eu-west-1", for_debian(image, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_packer
@pytest.mark.parametrize("image", IMAGES)
def test_inspect_shows_one_build_of_scripts_that_exist(image: str, tmp_path: Path) -> None:
    done = packer("inspect", for_debian(image, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"> ([a-z-]+):\n\n    sources:\n\n      (\S+)", done.stdout) == [
        (image, "amazon-ebs.ubuntu")
    ]
    scripts = re.findall(r'"(\.[./a-z-]+\.sh)', (PACKER / image / f"{image}.pkr.hcl").read_text())
    assert scripts[0] == "./base.sh"
    assert scripts[-2:] == ["./seal.sh", f"../{image}/verify.sh"]
    for script in scripts:
        assert os.access(PACKER / "scripts" / script, os.X_OK), script


@needs_packer
@pytest.mark.parametrize(
    ("image", "name", "value", "sentence"),
    [
        ("chef-client", "region", "Ireland", "one of AWS"),
        ("chef-client", "ubuntu", "18.04", "24.04 (current LTS)"),
        ("chef-client", "chef_flavour", "puppet", "cinc or chef"),
        ("chef-client", "chef_version", "latest; x", "like 18"),
        ("chef-client", "class_images", '["a;b"]', "image references"),
        ("chef-client", "commit", "$(id)", "a name that git knows"),
        ("chef-client", "share_with", '{accounts=["1234"],kms_key=""}', "12 digits"),
        (
            *("chef-server", "share_with", '{accounts=["210987654321"],kms_key=""}'),
            "AWS's own key for EBS cannot be shared",
        ),
        ("chef-client", "volume_gib", "1.5", "a whole number"),
        ("chef-client", "deprecate_after_days", "0", "at least 1"),
        ("chef-client", "subnet_id", "vpc-1", "like subnet-"),
        ("chef-server", "chef_version", "x", "like 15"),
        ("chef-workstation", "chef_version", "x", "like 25"),
    ],
)
def test_a_wrong_value_is_refused(
    image: str, name: str, value: str, sentence: str, tmp_path: Path
) -> None:
    values = {"region": "eu-west-1", name: value}
    options = [word for item in values.items() for word in ("-var", "=".join(item))]
    done = packer("validate", *options, for_debian(image, tmp_path))
    assert done.returncode != 0
    assert sentence in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("image", IMAGES)
def test_every_variable_is_typed_and_described_and_in_the_readme(image: str) -> None:
    readme = (PACKER / "README.md").read_text() + (PACKER / image / "README.md").read_text()
    for file in (PACKER / image).glob("*.pkr.hcl"):
        variables = re.findall(r'(?ms)^variable "(\w+)" \{(.*?)^\}', file.read_text())
        assert variables
        for name, body in variables:
            assert re.search(r"^  type +=", body, re.MULTILINE), name
            assert re.search(r'^  description = ".+"', body, re.MULTILINE), name
            assert f"`{name}`" in readme, name


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The lab's emulator, with an image of each Ubuntu's name; its URL."""
    folder = tmp_path_factory.mktemp("aws")
    published = {
        "ami_id": "ami-0123456789abcdef0",
        "architecture": "x86_64",
        "description": "Ubuntu as Canonical publishes it",
        "hypervisor": "xen",
        "image_type": "machine",
        "name": "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260101",
        "owner_id": "099720109477",
        "public": True,
        "root_device_name": "/dev/sda1",
        "root_device_type": "ebs",
        "virtualization_type": "hvm",
    }
    older = {
        **published,
        "ami_id": "ami-0123456789abcdef1",
        "name": "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260101",
    }
    (folder / "amis.json").write_text(json.dumps([published, older]))
    settings = Settings(address="127.0.0.1", port=0, state_dir=folder)
    published_at = {"MOTO_AMIS_PATH": str(folder / "amis.json")}
    with mock.patch.dict(os.environ, published_at), running(settings) as emulator:
        yield emulator.url


KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@needs_packer
@pytest.mark.parametrize("image", IMAGES)
def test_a_build_registers_the_image_encrypted_with_tags_of_its_contents(
    image: str, aws: str, tmp_path: Path
) -> None:
    copy = for_debian(image, tmp_path)
    shared, own = copy / "ubuntu.pkr.hcl", copy / f"{image}.pkr.hcl"
    # No machine starts there: none to log in to, nothing to provision.
    text = re.sub(
        r"(?ms)^  communicator .*?^  ssh_clear_authorized_keys .*?\n(  associate.*?\n)",
        f'  communicator = "none"\n  custom_endpoint_ec2 = "{aws}"\n',
        shared.read_text(),
    )
    assert 'communicator = "none"' in text
    shared.write_text(text)
    own.write_text(re.sub(r"(?ms)^  provisioner .*?^  \}\n", "", own.read_text()))

    done = packer(
        "build",
        *("-var", "region=eu-west-1", "-var", "commit=0a1b2c3"),
        *(["-var", 'class_images=["quay.io/a/b:1"]'] if image == "chef-client" else []),
        *("-var", f'share_with={{accounts=["210987654321"],kms_key="{KEY}"}}'),
        copy,
        AWS_EC2_METADATA_DISABLED="true",
        **KEYS,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    ec2 = boto3.client(
        "ec2",
        endpoint_url=aws,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    filters: Any = [{"Name": "tag:labswarm:image", "Values": [image]}]
    (made,) = ec2.describe_images(Owners=["self"], Filters=filters)["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
    assert re.fullmatch(rf"labswarm-{image}-\d{{8}}-\d{{6}}", made["Name"])
    assert tags["labswarm:commit"] == "0a1b2c3"
    ubuntu = "22.04" if image == "chef-server" else "24.04"
    assert tags["labswarm:ubuntu"] == ubuntu
    assert tags["labswarm:chef"].startswith("cinc ")
    assert f"-{ubuntu}-amd64" in tags["labswarm:source-image"]
    assert tags["labswarm:ssm-agent"] == "3.3.2746 or later"
    if image == "chef-client":
        assert tags["labswarm:class-images"] == "quay.io/a/b:1"
    shared_with = ec2.describe_image_attribute(
        ImageId=made["ImageId"], Attribute="launchPermission"
    )["LaunchPermissions"]
    assert [one["UserId"] for one in shared_with] == ["210987654321"]
    volumes = {
        volume["VolumeId"]: volume["Encrypted"] for volume in ec2.describe_volumes()["Volumes"]
    }
    snapshots = ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
    assert all(volumes.get(snapshot["VolumeId"], True) for snapshot in snapshots)
    (listed,) = json.loads((copy / "manifest.json").read_text())["builds"]
    assert listed["artifact_id"] == f"eu-west-1:{made['ImageId']}"


def test_scripts_have_no_finding() -> None:
    scripts = sorted([*PACKER.rglob("*.sh")])
    assert len(scripts) > 10
    done = subprocess.run(
        [TOOLS / "shellcheck", "-x", *scripts],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""
    for script in scripts:
        text = script.read_text()
        assert re.search(r"^set -[e]?uo pipefail$", text, re.MULTILINE) or script.stem == "checks"
        assert text.splitlines()[1].startswith("# "), f"{script} does not say what it does"


def test_the_nodes_have_the_versions_that_the_tests_run_with() -> None:
    def versions(lock: Path) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))

    tested = versions(REPOSITORY / "requirements/lab.lock")
    locked = versions(PACKER / "scripts/node-requirements.lock")
    assert {"boto3", "botocore", "cryptography", "urllib3"} <= locked.keys()
    assert {name: tested.get(name) for name in locked} == locked


# ---- the scripts, in a root folder --------------------------------------------------------------


class RootFolder:
    """A folder that scripts take for the machine's root: this machine's /usr, all else its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("dev", "etc/ssh", "home/ubuntu", "opt", "proc", "root", "run", "tmp", "usr"):
            (path / name).mkdir(parents=True, exist_ok=True)
        for name in ("local/bin", "local/sbin", "build"):
            (path / name).mkdir(parents=True)
        for name in ("lib/dpkg/info", "lib/dpkg/updates", "lib/apt/lists", "log", "cache/apt"):
            (path / "var" / name).mkdir(parents=True, exist_ok=True)
        (path / "var/lib/dpkg/status").touch()
        for name in ("bin", "sbin", "lib", "lib64"):
            (path / name).symlink_to(f"usr/{name}")
        shutil.copy("/etc/passwd", path / "etc/passwd")
        (path / "etc/os-release").write_text('ID=ubuntu\nVERSION_ID="24.04"\n')
        shutil.copytree(PACKER, path / "build/packer", symlinks=True)

    def run(
        self, script: str, *words: str, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        inside = (
            'set -e; cd "$0"; mount --rbind /usr usr; mount --bind local usr/local;'
            'mount --rbind /dev dev; mount --bind /proc proc; exec chroot . "$@"'
        )
        return subprocess.run(
            [
                *("unshare", "--mount", "--propagation", "private", "bash", "-c", inside),
                *(str(self.path), f"/build/packer/{script}", *words),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": PATH, "HOME": "/root", **environment},
        )


@pytest.fixture
def root(tmp_path: Path) -> RootFolder:
    return RootFolder(tmp_path / "root")


@needs_root_folder
def test_a_first_start_is_installed_and_starts_with_the_machine(root: RootFolder) -> None:
    for _ in range(2):
        done = root.run("scripts/first-start.sh", "chef-workstation")
        assert done.returncode == 0, done.stderr
    unit = root.path / "etc/systemd/system/labswarm-chef-workstation.service"
    assert os.access(root.path / "local/sbin/labswarm-chef-workstation", os.X_OK)
    wanted = root.path / "etc/systemd/system/multi-user.target.wants" / unit.name
    assert wanted.is_symlink()
    assert "ExecStart=/usr/local/sbin/labswarm-chef-workstation\n" in unit.read_text()


@needs_root_folder
def test_a_sealed_image_has_nothing_of_its_first_machine(root: RootFolder) -> None:
    secret = [
        *("etc/ssh/ssh_host_rsa_key", "root/.ssh/authorized_keys", "home/ubuntu/.bash_history"),
        *("var/lib/amazon/ssm/Vault/Store/RegistrationKey", "etc/chef/client.pem"),
        *("etc/cinc/client.pem", "var/lib/docker/engine-id", "var/log/cloud-init.log"),
        *("var/lib/systemd/random-seed", "var/lib/apt/lists/noble_Packages"),
    ]
    for name in secret:
        (root.path / name).parent.mkdir(parents=True, exist_ok=True)
        (root.path / name).write_text("what only one machine may have")
    (root.path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    for _ in range(2):
        done = root.run("scripts/seal.sh")
        assert done.returncode == 0, done.stderr
    assert [name for name in secret if (root.path / name).exists()] == []
    assert (root.path / "etc/machine-id").read_text() == ""


@needs_root_folder
def test_a_build_through_session_manager_keeps_the_agent_that_carries_it(root: RootFolder) -> None:
    snap = root.path / "local/bin/snap"
    snap.write_text(
        '#!/bin/sh\necho "$*" >>/tmp/snap\n'
        "echo Name Version Rev Tracking Publisher Notes\n"
        "echo amazon-ssm-agent 3.3.3050.0 9 latest/stable aws held,classic\n"
    )
    snap.chmod(0o755)
    (root.path / "var/lib/dpkg/status").write_text(
        "Package: amazon-cloudwatch-agent\nStatus: install ok installed\nVersion: 1.3\n"
        "Architecture: amd64\nMaintainer: x\nDescription: x\n\n"
    )
    done = root.run("scripts/aws-agents.sh", REGION="eu-west-1", SESSION_MANAGER="true")
    assert done.returncode == 0, done.stderr
    asked = (root.path / "tmp/snap").read_text()
    assert "refresh --hold amazon-ssm-agent" in asked
    assert "remove" not in asked
    snap.write_text(snap.read_text().replace("3.3.3050.0", "3.2.0"))
    done = root.run("scripts/aws-agents.sh", REGION="eu-west-1", SESSION_MANAGER="true")
    assert done.returncode == 1
    assert "3.3.2746 or later" in done.stderr


@needs_root_folder
@pytest.mark.parametrize("image", IMAGES)
def test_a_verification_names_all_that_is_missing_and_writes_no_versions(
    image: str, root: RootFolder
) -> None:
    (root.path / "etc/ssh/ssh_host_rsa_key").touch()
    (root.path / "etc/labswarm").mkdir()
    (root.path / "etc/labswarm/ground.json").touch()
    done = root.run(
        f"{image}/verify.sh",
        CHEF_FLAVOUR="cinc",
        CHEF_VERSION="18",
        CLASS_IMAGES="quay.io/a/b:1",
        COMMIT="c",
        IMAGE=image,
    )
    assert done.returncode == 1
    failed = re.findall(r"^FAILED  ([^:]+):", done.stderr, re.MULTILINE)
    assert {"SSM agent 3.3.2746 or later", "CloudWatch agent", "no host keys"} <= set(failed)
    assert "no facts of a cluster" in failed
    assert ("class image quay.io/a/b" in failed) == (image == "chef-client")
    assert not (root.path / "etc/labswarm/image.json").exists()


@needs_root_folder
def test_without_a_licence_there_is_no_chef_and_nothing_is_fetched(root: RootFolder) -> None:
    chef = {"CHEF_VERSION": "18", "CHEF_DOWNLOADS": "http://127.0.0.1:9"}
    done = root.run("scripts/chef.sh", "client", CHEF_FLAVOUR="chef", **chef)
    assert done.returncode == 2
    assert "chef_license_id" in done.stderr
    done = root.run("scripts/chef.sh", "solo", CHEF_FLAVOUR="cinc", **chef)
    assert done.returncode == 2
    assert "client, server, workstation" in done.stderr
