"""Backups of a lab's homes: copies that somebody made, each in a folder with its time as its name.

They stand for those of AWS Backup: `HOMES-snapshots/2026-12-01T0800/STUDENT/...`.
"""

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from labswarm_lab.lab import Lab
from labswarm_operator.home_restore import Backup
from labswarm_operator.refusal import Refusal


class LabBackups:
    """Implements labswarm_operator.home_restore.Backups by folders."""

    def __init__(self, homes: Path, snapshots: Path) -> None:
        self._homes = homes
        self._snapshots = snapshots

    def listed(self) -> list[Backup]:
        found = []
        for folder in self._snapshots.glob("*/"):
            try:
                found.append(Backup(str(folder), datetime.fromisoformat(folder.name).timestamp()))
            except ValueError:
                continue
        return found

    def restore(self, backup: Backup, home: str, file: str) -> str:
        source = Path(backup.identity) / home / file
        if not source.exists() and not source.is_symlink():
            raise Refusal(
                f"FILE: {file} of the home {home} is not in the backup {backup.identity}."
            )
        into = self._homes / home
        if not into.is_dir():
            raise Refusal(f"STUDENT: There is no home {home} in {self._homes}.")
        restored = into / f"restored-{Path(backup.identity).name}"
        if restored.exists():
            raise Refusal(f"{restored.name} is in the home {home} already. Move it away first.")
        # Made where no student reaches it, who could put a link into its way.
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=self._homes) as staging:
            made = Path(staging) / restored.name
            target = made / file
            target.parent.mkdir(parents=True)
            if source.is_dir() and not source.is_symlink():
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy2(source, target, follow_symlinks=False)
            owner = into.stat()
            for one in (made, *made.rglob("*")):
                os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)
            made.rename(restored)
        return f"{restored.name}/{file}"


def backups(name: str) -> LabBackups:
    """Return the backups of the lab of this name. Raises Refusal for a name of no lab."""
    homes = Lab.named(name).homes
    return LabBackups(homes, homes.with_name(f"{homes.name}-snapshots"))
