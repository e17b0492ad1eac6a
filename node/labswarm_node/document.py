"""Apply the hub's document: from a new version to a hub that answers with it, or back."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from labswarm import shortages
from labswarm.document.applied import Applied, Reports
from labswarm.document.documents import NONE, RESTART, Documents, Version
from labswarm.document.parse import parse
from labswarm.document.settings import (
    cluster_changes,
    hub_settings,
    secrets_of,
    with_former_admins,
)
from labswarm.errors import BadInput, Gone, Permanent, Transient
from labswarm_node.clock import Clock

ANSWER_WITHIN_S = 90.0
"""How long a hub may take to answer with new settings. It takes about 5 s on a quiet machine."""
_LOOK_S = 1.0
_BACK = "it runs with its last good settings"

log = logging.getLogger("labswarm-document")


class RunningHub(Protocol):
    """JupyterHub on this host."""

    def restart(self) -> int:
        """Restart it and return the number of the start. Raises Gone when there is no hub yet."""

    def answers(self, start: int) -> bool:
        """Return whether the hub of this start answers.

        Raises Permanent if it has ended by itself, as with an error in its configuration.
        """


Secrets = Callable[[str], str]
"""Reads a secret by its name. Raises Permanent if it is not there, Transient without an answer."""


@dataclass(frozen=True)
class Files:
    """The hub's files on its host, all in one folder that root alone may read."""

    folder: Path

    @property
    def base(self) -> Path:
        """The settings as Terraform and the cookbook give them."""
        return self.folder / "base.json"

    @property
    def settings(self) -> Path:
        """The settings that the hub reads."""
        return self.folder / "hub.json"

    @property
    def good(self) -> Path:
        """The settings with which the hub has answered."""
        return self.folder / "hub.json.good"

    @property
    def tried(self) -> Path:
        """The version and the base that were tried last."""
        return self.folder / "document.json"

    @property
    def shortages(self) -> Path:
        """The clusters to which AWS sells no machines, which the hub reads again and again."""
        return self.folder / shortages.FILE


@dataclass(frozen=True)
class Tried:
    """The versions that run and that was tried last, and the base at that time.

    `refused` says what was wrong with the newest version, while the hub runs an earlier one.
    """

    runs: int = 0
    newest: int = 0
    base: str = ""
    refused: str = ""

    @classmethod
    def read(cls, file: Path) -> "Tried":
        """Return the record in a file; an empty one if it is missing or broken."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return cls()


class DocumentService:
    """Watches one hub's document and base settings, and applies what changed.

    After a crash it begins again: nothing is recorded until the hub has answered.
    """

    def __init__(
        self,
        cluster: str,
        documents: Documents,
        reports: Reports,
        hub: RunningHub,
        secrets: Secrets,
        files: Files,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._documents = documents
        self._reports = reports
        self._hub = hub
        self._secrets = secrets
        self._files = files
        self._clock = clock

    def look(self) -> None:
        """Apply a new version or a new base, if there is one.

        Raises Transient when AWS or Docker do not answer; the next look tries again.
        """
        base_text = self._files.base.read_text()
        tried = Tried.read(self._files.tried)
        newest = self._documents.newest(self._cluster)
        if newest.number == tried.newest and base_text == tried.base:
            return
        # A refused version is not tried again with every new base.
        version = newest if newest.number > tried.newest else self._version(tried.runs)
        log.info("trying version %d", version.number)
        problem, changes = self._try(version, json.loads(base_text))
        runs = tried.runs if problem else version.number
        if problem:
            log.error("DocumentRefused: version %d: %s", version.number, problem)
        elif self._files.settings.exists():
            write_whole(self._files.good, self._files.settings.read_text())
        if runs < newest.number:
            problem = problem or tried.refused
        self._report(Applied(runs, newest.number, self._clock.now(), problem, changes), tried)
        after = Tried(runs, newest.number, base_text, problem)
        write_whole(self._files.tried, json.dumps(asdict(after)))

    def _version(self, number: int) -> Version:
        return self._documents.version(self._cluster, number) or NONE

    def _try(self, version: Version, base: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Have the hub run this version; return what is wrong, and the cluster's new values.

        With a problem the hub has its last good settings again.
        """
        try:
            document = parse(version.text)
            wanted = hub_settings(document, base)
            wanted |= self._secret_traits(wanted, secrets_of(document))
        except (BadInput, Permanent) as error:
            return str(error), {}
        changes = cluster_changes(document)
        before = _read(self._files.settings)
        wanted = with_former_admins(wanted, json.loads(before or "{}"))
        text = json.dumps(wanted, indent=2)
        if before is not None and json.loads(before) == wanted and version.note != RESTART:
            return "", changes
        good = _read(self._files.good) or before
        write_whole(self._files.settings, text)
        problem = self._restart()
        if not problem:
            return "", changes
        if good is None:
            return problem, {}
        write_whole(self._files.settings, good)
        worse = self._restart()
        back = f"nor does it run with its last good settings: {worse}" if worse else _BACK
        return f"{problem}; {back}.", {}

    def _secret_traits(
        self, wanted: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> dict[str, Any]:
        if not secrets:
            return {}
        read = {trait: self._secrets(name) for trait, name in secrets.items()}
        return {"authenticator_traits": {**wanted["authenticator_traits"], **read}}

    def _restart(self) -> str:
        """Restart the hub; return what is wrong, empty if it answers or is not there yet."""
        try:
            start = self._hub.restart()
        except Gone:
            return ""
        deadline = self._clock.now() + ANSWER_WITHIN_S
        try:
            while not self._answers(start):
                if self._clock.now() > deadline:
                    return f"the hub did not answer within {ANSWER_WITHIN_S:.0f} s; see its log"
                self._clock.sleep(_LOOK_S)
        except Permanent as error:
            return str(error)
        return ""

    def _answers(self, start: int) -> bool:
        try:
            return self._hub.answers(start)
        except Transient:
            return False

    def _report(self, applied: Applied, tried: Tried) -> None:
        """Report what runs. After a problem the cluster's values stay those of the last report."""
        if applied.problem and tried.runs:
            kept = self._reports.read_applied(self._cluster).changes
            applied = Applied(**{**asdict(applied), "changes": kept})
        self._reports.report_applied(self._cluster, applied)


def _read(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def write_whole(file: Path, text: str) -> None:
    """Write the whole file or nothing, for root alone: it may have a secret."""
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(file)
