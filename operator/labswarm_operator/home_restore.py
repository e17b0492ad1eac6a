"""`labswarm home restore`: bring a student's file back from a backup, next to the present one.

On AWS the backups are AWS Backup's. It restores into a folder of its own, from which the hub's host
gives it to the student (terraform-base/modules/storage).
https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Protocol

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.errors import code_of
from labswarm.errors import LabswarmError
from labswarm.homes import home_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.hub_document import chosen_hub
from labswarm_operator.moments import moment
from labswarm_operator.progress import step
from labswarm_operator.refusal import Failure, Refusal

_HOME = PurePosixPath("/home/jovyan")
_DAY = len("2026-01-31")
_LOOK_S = 5.0
_PATIENCE_S = 4 * 3600.0
_COMMAND_S = 7200.0


@dataclass(frozen=True)
class Backup:
    """A copy of all homes, as they were at `at` (epoch seconds)."""

    identity: str
    at: float


class Backups(Protocol):
    """The backups of one cluster's homes."""

    def listed(self) -> list[Backup]:
        """Return all complete backups, in any order."""

    def restore(self, backup: Backup, home: str, file: str) -> str:
        """Bring a file of a home back; return its path in the home. No file is overwritten.

        Raises Refusal or Failure, which say why not.
        """


def path_in_home(file: str) -> str:
    """Return the file's path in the home. Raises Refusal for a path that leads out of it."""
    path = PurePosixPath(file.removeprefix("~/"))
    if path.is_absolute() and path.is_relative_to(_HOME):
        path = path.relative_to(_HOME)
    if path.is_absolute() or ".." in path.parts or str(path) == ".":
        raise Refusal(
            f"FILE: {file!r} is not in a home. Write a path in it, such as physics/lab1.ipynb."
        )
    return str(path)


def until(text: str, now: float) -> float:
    """Return the time (epoch seconds) that `--from` names; of a date its end. Raises Refusal."""
    at = moment(text, now, "--from")
    if len(text) != _DAY or text.count("-") != 2:
        return at
    return (datetime.fromtimestamp(at) + timedelta(days=1)).timestamp() - 1


def chosen(backups: list[Backup], at: float) -> Backup:
    """Return the newest backup that was made by then. Raises Refusal without one."""
    before = [backup for backup in backups if backup.at <= at]
    if before:
        return max(before, key=lambda backup: backup.at)
    oldest = min((backup.at for backup in backups), default=None)
    known = "There is none at all." if oldest is None else f"The oldest is of {shown(oldest)}."
    raise Refusal(f"--from: There is no backup of {shown(at)} or before. {known}")


def shown(at: float) -> str:
    """Return a time as a person reads it."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


class AwsBackups:
    """Implements Backups by AWS Backup and the hub's host, which `manager` names."""

    def __init__(
        self,
        clients: Clients,
        cluster: str,
        manager: str,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._cluster = cluster
        self._manager = manager
        self._now = now
        self._sleep = sleep

    def listed(self) -> list[Backup]:
        with asked():
            points = (
                self._clients("backup")
                .get_paginator("list_recovery_points_by_resource")
                .paginate(ResourceArn=self._file_system()["FileSystemArn"])
            )
            return [
                Backup(point["RecoveryPointArn"], point["CreationDate"].timestamp())
                for page in points
                for point in page["RecoveryPoints"]
                if point["Status"] in ("COMPLETED", "AVAILABLE")
            ]

    def restore(self, backup: Backup, home: str, file: str) -> str:
        document = f"labswarm-{self._cluster}-restore-homes"
        self._refuse_closed(document)
        with step("waiting until AWS Backup has restored the file"):
            self._restored(backup, home, file)
        with step("waiting until the hub's host has given it to the student"):
            said = self._given(document, home)
        # restore-homes.sh: "ada is in /homes/ada/restored-<time>", or "/homes/ada" if it was gone.
        folder = said.rpartition(f"/homes/{home}")[2].strip("/ \n")
        return f"{folder}/{file}" if folder else file

    def _file_system(self) -> dict[str, Any]:
        name = f"labswarm-{self._cluster}-homes"
        found = self._clients("efs").describe_file_systems(CreationToken=name)["FileSystems"]
        if not found:
            raise Refusal(f"There is no file system {name} in this account and region.")
        system: dict[str, Any] = found[0]
        return system

    def _refuse_closed(self, document: str) -> None:
        try:
            with asked():
                self._clients("ssm").describe_document(Name=document)
        except LabswarmError as error:
            if code_of(error) != "InvalidDocument":
                raise
            raise Refusal(
                f"The homes of {self._cluster} are closed for restores. Apply its stack with "
                "restore_homes = true, and set it back to false afterwards."
            ) from error

    def _restored(self, backup: Backup, home: str, file: str) -> None:
        service = self._clients("backup")
        with asked():
            caller = self._clients("sts").get_caller_identity()
            partition = caller["Arn"].split(":")[1]
            job = service.start_restore_job(
                RecoveryPointArn=backup.identity,
                ResourceType="EFS",
                # The role that AWS Backup creates for its console.
                IamRoleArn=f"arn:{partition}:iam::{caller['Account']}:role/service-role/"
                "AWSBackupDefaultServiceRole",
                Metadata={
                    "file-system-id": self._file_system()["FileSystemId"],
                    "newFileSystem": "false",
                    "Encrypted": "true",
                    "ItemsToRestore": json.dumps([f"/homes/{home}/{file}"]),
                },
            )["RestoreJobId"]

        def state() -> tuple[str, str]:
            seen = service.describe_restore_job(RestoreJobId=job)
            return seen["Status"], seen.get("StatusMessage", "")

        self._until(
            state, "COMPLETED", ("ABORTED", "FAILED"), f"the restore job {job}", _PATIENCE_S
        )

    def _given(self, document: str, home: str) -> str:
        ssm = self._clients("ssm")
        with asked():
            command = ssm.send_command(
                DocumentName=document,
                InstanceIds=[self._manager],
                Parameters={"Homes": [home]},
            )["Command"]["CommandId"]

        def state() -> tuple[str, str]:
            try:
                seen = ssm.get_command_invocation(CommandId=command, InstanceId=self._manager)
            except ssm.exceptions.InvocationDoesNotExist:
                return "Pending", ""
            return seen["Status"], seen["StandardErrorContent"].strip()

        ended = ("Cancelled", "TimedOut", "Failed")
        return self._until(state, "Success", ended, f"the command {command}", _COMMAND_S)

    def _until(
        self,
        state: Callable[[], tuple[str, str]],
        good: str,
        bad: tuple[str, ...],
        called: str,
        within_s: float,
    ) -> str:
        """Wait for a state; return the text with it. Raises Failure for a bad end, or none."""
        deadline = self._now() + within_s
        while True:
            with asked():
                status, text = state()
            if status == good:
                return text
            if status in bad or self._now() > deadline:
                raise Failure(f"{called[0].upper()}{called[1:]} is {status}: {text or 'no reason'}")
            self._sleep(_LOOK_S)


def aws_backups(clients: Clients, cluster: str | None) -> AwsBackups:
    """Return the backups of a hub's homes. Raises Refusal as `chosen_hub`."""
    name = chosen_hub(clients, cluster)
    with asked():
        manager = SsmClusters(clients("ssm")).read_cluster(name).manager
    return AwsBackups(clients, name, manager)


@dataclass(frozen=True)
class Restore:
    """One file that comes back: from which backup, and where it is then in the home."""

    student: str
    file: str
    backup: Backup
    to: str | None

    def as_json(self) -> str:
        return json.dumps(
            {
                "student": self.student,
                "file": self.file,
                "backup": self.backup.identity,
                "at": self.backup.at,
                "restored_to": self.to,
            }
        )


def restore(backups: Backups, student: str, file: str, at: float, *, dry_run: bool) -> Restore:
    """Bring a student's file back from the newest backup that was made by `at`.

    With `dry_run` only choose the backup. Raises Refusal or Failure.
    """
    path = path_in_home(file)
    backup = chosen(backups.listed(), at)
    to = None if dry_run else backups.restore(backup, home_name(student), path)
    return Restore(student, path, backup, to)
