"""`labswarm home restore`: a student's file from a backup, next to the present one."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from labswarm_lab.backups import LabBackups
from labswarm_operator.cli import labswarm
from labswarm_operator.home_restore import AwsBackups, Backup, chosen, path_in_home, restore, until
from labswarm_operator.refusal import Failure, Refusal

NOW = datetime(2026, 12, 1, 15, 0).timestamp()


# The rules.


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("lab1.ipynb", "lab1.ipynb"),
        ("~/physics/lab1.ipynb", "physics/lab1.ipynb"),
        ("/home/jovyan/physics/", "physics"),
        ("./a b.txt", "a b.txt"),
    ],
)
def test_a_file_is_named_as_its_student_knows_it(given: str, path: str) -> None:
    assert path_in_home(given) == path


@pytest.mark.parametrize("given", ["", ".", "~/", "/etc/passwd", "../bob/x", "a/../../x", "/homes"])
def test_a_path_that_leads_out_of_the_home_is_refused(given: str) -> None:
    with pytest.raises(Refusal, match="is not in a home"):
        path_in_home(given)


def test_a_date_means_its_end_and_a_time_itself() -> None:
    assert until("2026-11-24", NOW) == datetime(2026, 11, 24, 23, 59, 59).timestamp()
    assert until("2026-11-24T14:05", NOW) == datetime(2026, 11, 24, 14, 5).timestamp()
    assert until("2d", NOW) == NOW - 2 * 86_400
    with pytest.raises(Refusal, match="--from: 'Monday' is not a time"):
        until("Monday", NOW)


def test_the_newest_backup_of_the_date_or_before_is_used() -> None:
    backups = [Backup("b", 20.0), Backup("c", 30.0), Backup("a", 10.0)]
    assert chosen(backups, 29.0) == Backup("b", 20.0)
    with pytest.raises(Refusal, match=r"There is no backup of .* The oldest is of"):
        chosen(backups, 9.0)
    with pytest.raises(Refusal, match="There is none at all"):
        chosen([], NOW)


# A lab.


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabBackups:
    """Homes of ada and two copies of them; who owns a file is not changed without root."""
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    for folder, text in (
        ("homes", "today"),
        ("homes-snapshots/2026-11-23T0200", "older"),
        ("homes-snapshots/2026-11-24T0200", "yesterday's"),
    ):
        file = tmp_path / folder / "ada/physics/lab1.ipynb"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    (tmp_path / "homes-snapshots/notes").mkdir()
    return LabBackups(tmp_path / "homes", tmp_path / "homes-snapshots")


def test_a_labs_file_comes_back_next_to_the_present_one(lab: LabBackups, tmp_path: Path) -> None:
    at = until("2026-11-24", NOW)

    done = restore(lab, "ada", "physics/lab1.ipynb", at, dry_run=False)

    home = tmp_path / "homes/ada"
    assert done.to == "restored-2026-11-24T0200/physics/lab1.ipynb"
    assert (home / done.to).read_text() == "yesterday's"
    assert (home / "physics/lab1.ipynb").read_text() == "today"
    assert [one.name for one in (tmp_path / "homes").iterdir()] == ["ada"]


def test_nothing_is_overwritten_by_a_second_restore(lab: LabBackups, tmp_path: Path) -> None:
    at = until("2026-11-24", NOW)
    first = restore(lab, "ada", "physics", at, dry_run=False)
    file = tmp_path / "homes/ada" / str(first.to) / "lab1.ipynb"
    file.write_text("worked on again")

    with pytest.raises(Refusal, match=r"is in the home ada already\. Move it away first"):
        restore(lab, "ada", "physics", at, dry_run=False)
    assert file.read_text() == "worked on again"


def test_a_dry_run_names_the_backup_and_restores_nothing(lab: LabBackups, tmp_path: Path) -> None:
    done = restore(lab, "ada", "physics", until("2026-11-23", NOW), dry_run=True)

    assert (done.backup.identity, done.to) == (
        str(tmp_path / "homes-snapshots/2026-11-23T0200"),
        None,
    )
    assert [one.name for one in (tmp_path / "homes/ada").iterdir()] == ["physics"]


@pytest.mark.parametrize(
    ("student", "file", "said"),
    [
        ("ada", "physics/lab2.ipynb", "FILE: physics/lab2.ipynb of the home ada is not in the b"),
        ("bob", "physics", "FILE: physics of the home bob is not in the backup"),
    ],
)
def test_a_file_that_no_backup_has_is_refused(
    lab: LabBackups, student: str, file: str, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        restore(lab, student, file, NOW, dry_run=False)


def test_a_link_in_a_backup_stays_a_link(lab: LabBackups, tmp_path: Path) -> None:
    (tmp_path / "homes-snapshots/2026-11-24T0200/ada/link").symlink_to("/etc/passwd")

    done = restore(lab, "ada", "link", NOW, dry_run=False)

    assert (tmp_path / "homes/ada" / str(done.to)).readlink() == Path("/etc/passwd")


# AWS.

POINT = "arn:aws:backup:eu-west-1:123456789012:recovery-point:1"
DOCUMENT = "labswarm-lab-restore-homes"
SAID = "restore-homes: ada is in /homes/ada/restored-2026-12-01T15-00-00Z"


class Account:
    """Clients that answer each call as scripted, and refuse any other."""

    def __init__(self) -> None:
        self.clients = {
            name: boto3.client(
                name,
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            for name in ("backup", "efs", "ssm", "sts")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def on(self, service: str, call: str, answer: dict[str, Any], **given: Any) -> None:
        self.stubs[service].add_response(call, answer, given)

    def backups(self) -> AwsBackups:
        return AwsBackups(
            lambda service: self.clients[service], "lab", "i-1", lambda: 0.0, lambda _: None
        )

    def homes(self) -> None:
        system = {
            **{
                "OwnerId": "1",
                "CreationToken": "t",
                "FileSystemId": "fs-1",
                "PerformanceMode": "x",
            },
            **{"CreationTime": datetime.now(UTC), "LifeCycleState": "available", "Tags": []},
            **{"NumberOfMountTargets": 1, "SizeInBytes": {"Value": 1}, "FileSystemArn": "arn:fs-1"},
        }
        self.on(
            "efs",
            "describe_file_systems",
            {"FileSystems": [system]},
            CreationToken="labswarm-lab-homes",
        )

    def job(self, status: str, message: str = "") -> None:
        answer = {"Status": status, "StatusMessage": message}
        self.on("backup", "describe_restore_job", answer, RestoreJobId="job-1")

    def restores(self) -> None:
        self.on("ssm", "describe_document", {}, Name=DOCUMENT)
        self.on(
            "sts",
            "get_caller_identity",
            {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/al"},
        )
        self.homes()
        self.on(
            "backup",
            "start_restore_job",
            {"RestoreJobId": "job-1"},
            RecoveryPointArn=POINT,
            ResourceType="EFS",
            IamRoleArn="arn:aws:iam::123456789012:role/service-role/AWSBackupDefaultServiceRole",
            Metadata={
                "file-system-id": "fs-1",
                "newFileSystem": "false",
                "Encrypted": "true",
                "ItemsToRestore": '["/homes/ada/physics/lab1.ipynb"]',
            },
        )

    def used(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def account() -> Account:
    return Account()


def test_complete_backups_of_the_clusters_homes_are_listed(account: Account) -> None:
    account.homes()
    made = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    points = [
        {"RecoveryPointArn": POINT, "CreationDate": made, "Status": "COMPLETED"},
        {"RecoveryPointArn": "partly", "CreationDate": made, "Status": "PARTIAL"},
    ]
    account.on(
        "backup",
        "list_recovery_points_by_resource",
        {"RecoveryPoints": points},
        ResourceArn="arn:fs-1",
    )

    assert account.backups().listed() == [Backup(POINT, made.timestamp())]
    account.used()


def test_aws_backup_restores_the_file_and_the_hubs_host_gives_it(account: Account) -> None:
    account.restores()
    account.job("RUNNING")
    account.job("COMPLETED")
    account.on(
        "ssm",
        "send_command",
        {"Command": {"CommandId": "0" * 36}},
        DocumentName=DOCUMENT,
        InstanceIds=["i-1"],
        Parameters={"Homes": ["ada"]},
    )
    for status, said in (("InProgress", ""), ("Success", SAID)):
        account.on(
            "ssm",
            "get_command_invocation",
            {"Status": status, "StandardErrorContent": said},
            CommandId=ANY,
            InstanceId="i-1",
        )

    to = account.backups().restore(Backup(POINT, NOW), "ada", "physics/lab1.ipynb")

    assert to == "restored-2026-12-01T15-00-00Z/physics/lab1.ipynb"
    account.used()


def test_a_restore_job_that_fails_says_why(account: Account) -> None:
    account.restores()
    account.job("FAILED", "the path is not in the backup")

    with pytest.raises(Failure, match="The restore job job-1 is FAILED: the path is not in the"):
        account.backups().restore(Backup(POINT, NOW), "ada", "physics/lab1.ipynb")


def test_homes_that_are_closed_for_restores_are_said_with_the_remedy(account: Account) -> None:
    account.stubs["ssm"].add_client_error("describe_document", "InvalidDocument")

    with pytest.raises(Refusal, match="Apply its stack with restore_homes = true"):
        account.backups().restore(Backup(POINT, NOW), "ada", "x")


# The command.


def test_the_command_restores_from_a_labs_folder_and_prints_data(
    lab: LabBackups, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Callable[[str], LabBackups] = lambda _name: lab  # noqa: E731  # typed
    monkeypatch.setattr("labswarm_operator.home_commands.lab_backups", found)
    words = ["home", "restore", "ada", "physics", "--from", "2026-11-24"]

    dry = CliRunner().invoke(labswarm, [*words, "--dry-run"])
    done = CliRunner().invoke(labswarm, [*words, "--json"])
    again = CliRunner().invoke(labswarm, words)

    assert dry.output == "physics of ada would come from the backup of 2026-11-24 02:00.\n"
    assert json.loads(done.output)["restored_to"] == "restored-2026-11-24T0200/physics"
    assert (again.exit_code, "already" in again.output) == (2, True)
