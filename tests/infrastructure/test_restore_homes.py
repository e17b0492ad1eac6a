"""The script that gives homes back, on a file system as AWS Backup leaves it.

A restore never overwrites: https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html
It puts the file system's root into a folder `aws-backup-restore_<time>` next to it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.infrastructure.conftest import Prepared
from tests.infrastructure.terraform.workspace import BASE, resources

SCRIPT = BASE / "modules/storage/restore-homes.sh"
FOLDER = "aws-backup-restore_2026-11-30T02-00-00-000Z"

# A mount that shows the folder $SHARED, and only for the access point that the script is given.
MOUNT = """\
#!/bin/sh
[ "$*" = "-t efs -o tls,iam,accesspoint=fsap-1 fs-1 $6" ] || { echo "mount $*" >&2; exit 32; }
rmdir "$6" && ln -s "$SHARED" "$6"
"""
UMOUNT = '#!/bin/sh\nrm "$1" && mkdir "$1"\n'


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A file system: ada has gone on working, grace's home was deleted, both were restored."""
    root = tmp_path / "shared"
    for path, text in {
        "homes/ada/lab.ipynb": "newer",
        f"{FOLDER}/homes/ada/lab.ipynb": "older",
        f"{FOLDER}/homes/grace/lab.ipynb": "graces",
        "aws-backup-restore_2026-10-01T02-00-00-000Z/homes/ada/lab.ipynb": "of october",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    os.utime(root / FOLDER / "homes/grace/lab.ipynb", (1, 1))
    for name, script in (("mount", MOUNT), ("umount", UMOUNT)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return root


def restore(shared: Path, homes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", SCRIPT],
        env={
            "PATH": f"{shared.parent}:{os.environ['PATH']}",
            "SHARED": str(shared),
            "TMPDIR": str(shared.parent),
            "HOMES": homes,
            "FILE_SYSTEM": "fs-1",
            "ACCESS_POINT": "fsap-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def files(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.is_file()
    }


def test_a_home_that_exists_gets_its_old_files_next_to_the_new_ones(shared: Path) -> None:
    done = restore(shared, "ada")
    assert done.returncode == 0, done.stderr
    assert files(shared / "homes/ada") == {
        "lab.ipynb": "newer",
        "restored-2026-11-30T02-00-00-000Z/lab.ipynb": "older",
    }
    assert not (shared / "homes/grace").exists()


def test_all_homes_come_back_and_a_deleted_one_in_its_place_with_its_times(shared: Path) -> None:
    done = restore(shared, "all")
    assert done.returncode == 0, done.stderr
    assert files(shared / "homes/grace") == {"lab.ipynb": "graces"}
    assert (shared / "homes/grace/lab.ipynb").stat().st_mtime == 1
    assert not (shared / "homes/.restoring").exists()
    # Nothing stays mounted.
    assert [each for each in shared.parent.iterdir() if each.name.startswith("tmp.")] == []


def test_a_second_run_changes_nothing(shared: Path) -> None:
    restore(shared, "ada")
    before = files(shared)
    done = restore(shared, "ada")
    assert (done.returncode, files(shared)) == (0, before)
    assert "ada has it already" in done.stderr


def test_a_name_that_is_not_in_the_backup_changes_nothing(shared: Path) -> None:
    before = files(shared)
    done = restore(shared, "ada alan")
    assert (done.returncode, files(shared)) == (1, before)
    assert "alan is not in the backup" in done.stderr


def test_without_a_restore_job_the_script_says_so(shared: Path) -> None:
    for folder in shared.glob("aws-backup-restore_*"):
        folder.rename(shared.parent / folder.name)
    done = restore(shared, "ada")
    assert done.returncode == 1
    assert "start a restore job first" in done.stderr


def test_the_document_sets_each_variable_that_the_script_reads(terraform: Prepared) -> None:
    cluster = terraform(BASE / "stacks" / "cluster")
    cluster.apply(restore_homes=True)
    (document,) = [
        each for each in resources(cluster.state()) if each["type"] == "aws_ssm_document"
    ]
    content = json.loads(document["values"]["content"])
    (step,) = content["mainSteps"]
    begins = step["inputs"]["runCommand"][:3]
    assert begins[0] == "HOMES=$SSM_Homes"
    assert begins[1].startswith("FILE_SYSTEM=fs-")
    assert begins[2].startswith("ACCESS_POINT=fsap-")
    assert content["parameters"]["Homes"]["interpolationType"] == "ENV_VAR"
