"""The service on the hub's host: a version reaches the hub, or the hub gets its old one back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from tests.support.app_twins import TwinClock
from tests.support.hub_settings import SETTINGS
from tests.twins.applied import MemoryReports
from tests.twins.documents import MemoryDocuments

from labswarm.document.documents import RESTART, Version
from labswarm.errors import Gone, Permanent, Transient
from labswarm_hub.settings import HubSettings
from labswarm_node.document import ANSWER_WITHIN_S, DocumentService, Files
from labswarm_node.document_service import run

BASE = {**SETTINGS, "admins": ["root"], "limit": {**SETTINGS["limit"], "pids": 100}}


class FakeHub:
    """A hub that reads its settings file when it starts, and answers unless `refuses` says no."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.starts: list[dict[str, Any]] = []
        self.there = True
        self.fails_with: dict[str, Any] = {}
        self.ends_with: dict[str, Any] = {}

    def restart(self) -> int:
        if not self.there:
            raise Gone("no such service")
        self.starts.append(json.loads(self._files.settings.read_text()))
        return len(self.starts)

    def answers(self, start: int) -> bool:
        if self.ends_with and self.ends_with.items() <= self.starts[start - 1].items():
            raise Permanent("the hub ended when it started (exit code 1)")
        return not (self.fails_with.items() <= self.starts[start - 1].items() and self.fails_with)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.files = Files(folder)
        self.documents, self.reports = MemoryDocuments(), MemoryReports()
        self.clock = TwinClock()
        self.hub = FakeHub(self.files)
        self.secrets: dict[str, str] = {}
        for file in (self.files.base, self.files.settings):
            file.write_text(json.dumps(BASE))

    def write(self, text: str, note: str = "") -> int:
        number = self.documents.newest("lab").number + 1
        self.documents.add("lab", Version(number, text, "alice", 1, note))
        return number

    def look(self) -> None:
        """Look as a service that was just started: it keeps nothing in memory."""
        DocumentService(
            "lab", self.documents, self.reports, self.hub, self._secret, self.files, self.clock
        ).look()

    def _secret(self, name: str) -> str:
        if name not in self.secrets:
            raise Permanent(f"there is no secret {name}")
        return self.secrets[name]

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.files.settings.read_text())
        return found


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_hub_without_a_document_is_not_restarted(rig: Rig) -> None:
    rig.look()
    rig.look()

    assert rig.hub.starts == []
    assert rig.settings == BASE


def test_a_new_version_becomes_the_hubs_settings_by_one_restart(rig: Rig) -> None:
    number = rig.write("cull: {timeout: 7200}")

    rig.look()
    rig.look()

    assert [start["idle_timeout_s"] for start in rig.hub.starts] == [7200]
    assert rig.reports.read_applied("lab").version == number
    assert HubSettings.parse(rig.files.settings.read_text()).idle_timeout_s == 7200


def test_the_cluster_changes_when_the_hub_has_changed(rig: Rig) -> None:
    rig.write("singleuser: {memory: {guarantee: 600}}")

    rig.look()

    assert rig.reports.read_applied("lab").changes == {"seat": {"memory_bytes": 600}}


def test_a_wrong_document_does_not_reach_the_hub(rig: Rig) -> None:
    good = rig.write("cull: {timeout: 7200}")
    rig.look()
    bad = rig.write("cull: {timeout: 1}")

    rig.look()

    report = rig.reports.read_applied("lab")
    assert (report.version, report.tried) == (good, bad)
    assert "line 1: cull.timeout" in report.problem
    assert len(rig.hub.starts) == 1


def test_a_hub_that_does_not_answer_gets_its_last_good_settings_back(rig: Rig) -> None:
    good = rig.write("singleuser: {memory: {guarantee: 600}}")
    rig.look()
    bad = rig.write("cull: {timeout: 9999}")
    rig.hub.fails_with = {"idle_timeout_s": 9999}
    begun = rig.clock.now()

    rig.look()

    report = rig.reports.read_applied("lab")
    assert (report.version, report.tried) == (good, bad)
    assert "did not answer within 90 s" in report.problem
    assert report.changes == {"seat": {"memory_bytes": 600}}
    assert rig.settings["seat"]["memory_bytes"] == 600
    assert "idle_timeout_s" not in rig.settings
    assert rig.clock.now() - begun < ANSWER_WITHIN_S + 10
    rig.look()
    assert len(rig.hub.starts) == 3, "the bad version is not tried again"


def test_a_refused_version_stays_refused_under_a_new_base(rig: Rig) -> None:
    rig.write("cull: {timeout: 1}")
    rig.look()
    rig.files.base.write_text(json.dumps({**BASE, "image": "new:1"}))

    rig.look()

    report = rig.reports.read_applied("lab")
    assert (rig.settings["image"], report.refused) == ("new:1", True)
    assert "line 1: cull.timeout" in report.problem
    rig.write("cull: {timeout: 7200}")
    rig.look()
    assert not rig.reports.read_applied("lab").refused


def test_a_hub_that_ends_at_once_is_not_waited_for(rig: Rig) -> None:
    rig.write("cull: {timeout: 9999}")
    rig.hub.ends_with = {"idle_timeout_s": 9999}
    begun = rig.clock.now()

    rig.look()

    problem = rig.reports.read_applied("lab").problem
    assert problem.startswith("the hub ended when it started (exit code 1)")
    assert problem.endswith("it runs with its last good settings.")
    assert rig.clock.now() - begun < 5
    assert rig.settings == BASE


def test_a_service_that_was_killed_in_between_ends_with_the_last_good_settings(rig: Rig) -> None:
    rig.write("cull: {timeout: 7200}")
    rig.look()
    # It wrote the next version's settings, and was killed before it knew whether the hub answers.
    rig.write("cull: {timeout: 9999}")
    rig.files.settings.write_text(json.dumps({**rig.settings, "idle_timeout_s": 9999}))
    rig.hub.fails_with = {"idle_timeout_s": 9999}
    rig.write("cull: {timeout: 9999}", RESTART)

    rig.look()

    assert rig.settings["idle_timeout_s"] == 7200


def test_a_removed_key_has_the_clusters_own_value_again(rig: Rig) -> None:
    rig.write("singleuser: {memory: {limit: 4G}}")
    rig.look()
    rig.write("")

    rig.look()

    assert rig.settings == BASE
    assert rig.reports.read_applied("lab").changes == {}


def test_a_new_base_counts_under_the_same_document(rig: Rig) -> None:
    rig.write("cull: {timeout: 7200}")
    rig.look()
    rig.files.base.write_text(json.dumps({**BASE, "image": "new:1"}))

    rig.look()

    assert rig.settings["image"] == "new:1"
    assert rig.settings["idle_timeout_s"] == 7200


def test_a_restart_without_a_change_restarts_the_hub_once(rig: Rig) -> None:
    rig.write("", RESTART)

    rig.look()
    rig.look()

    assert len(rig.hub.starts) == 1


def test_a_hub_that_is_not_there_yet_starts_with_the_document(rig: Rig) -> None:
    rig.hub.there = False
    rig.write("cull: {timeout: 7200}")

    rig.look()

    assert rig.settings["idle_timeout_s"] == 7200
    assert rig.reports.read_applied("lab").version == 1


def test_a_login_gets_its_secret_which_stands_in_no_report(rig: Rig) -> None:
    rig.secrets["labswarm/github"] = "s3cret"
    rig.write("login: {kind: github, clientId: abc, clientSecret: labswarm/github}")

    rig.look()

    assert rig.settings["authenticator_traits"]["client_secret"] == "s3cret"
    assert rig.settings["authenticator"].endswith("GitHubOAuthenticator")
    assert "s3cret" not in rig.reports.read_applied("lab").to_json()
    assert {file.stat().st_mode & 0o777 for file in rig.files.folder.glob("hub.json*")} == {0o600}


def test_a_login_without_its_secret_does_not_reach_the_hub(rig: Rig) -> None:
    rig.write("login: {kind: github, clientId: abc, clientSecret: labswarm/github}")

    rig.look()

    assert "no secret labswarm/github" in rig.reports.read_applied("lab").problem
    assert rig.settings == BASE


def test_a_removed_admin_loses_the_rights_when_the_hub_starts(rig: Rig) -> None:
    rig.write("hub: {config: {Authenticator: {admin_users: [alice]}}}")

    rig.look()

    settings = HubSettings.parse(rig.files.settings.read_text())
    assert settings.admins == {"alice"}
    assert settings.former_admins == {"root"}


def test_no_answer_of_aws_is_no_end_of_the_service(rig: Rig) -> None:
    def no_answer(cluster: str) -> Version:
        raise Transient("throttled")

    rig.documents.newest = no_answer  # type: ignore[method-assign]

    with pytest.raises(Transient):
        rig.look()
    assert replace(rig.reports.read_applied("lab"), at=0).version == 0


class Ended(Exception):
    """Ends a loop that has no end."""


@pytest.mark.parametrize("error", [Transient("throttled"), NoCredentialsError()])
def test_days_without_aws_or_credentials_are_waited_for(error: Exception) -> None:
    clock, looks = TwinClock(), 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks > 3000:
            raise Ended
        raise error

    with pytest.raises(Ended):
        run(look, clock, every_s=10)
    assert clock.now() - TwinClock().now() <= 3000 * 60
