"""`labswarm hub`: read and change a hub's document.

A change is a new version. The hub's host reads it, tries it on the hub, and reports the result.
"""

import difflib
import getpass
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labswarm.aws.applied import SsmReports
from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.documents import DynamoDocuments
from labswarm.document.applied import Applied, Reports
from labswarm.document.documents import NONE, RESTART, Documents, Outdated, Version
from labswarm.document.parse import parse
from labswarm.errors import BadInput
from labswarm.names import app_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.progress import step
from labswarm_operator.refusal import Failure, Refusal
from labswarm_operator.suggestions import unknown

TABLE = app_name("documents")
_LOOK_S = 1.0
# A hub that does not answer with a new version is given 90 s, and as long with the old one.
PATIENCE_S = 300.0
_HEADER = re.compile(r"\A# labswarm: cluster (\S+), version (\d+)\n")

Edit = Callable[[str], str]


@dataclass(frozen=True)
class HubDocument:
    """One hub's document; `by` is the name of the person who changes it."""

    cluster: str
    documents: Documents
    reports: Reports
    by: str
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, clients: Clients, cluster: str | None) -> "HubDocument":
        """Raises Refusal as `chosen_hub`."""
        name = chosen_hub(clients, cluster)
        with asked():
            return cls(
                name,
                DynamoDocuments(clients("dynamodb"), TABLE),
                SsmReports(clients("ssm")),
                _caller(clients),
            )

    def read(self, number: int | None = None) -> Version:
        """Return a version, by default the newest. Raises Refusal if there is none."""
        with asked():
            if number is None:
                return self.documents.newest(self.cluster)
            if number == 0:
                return NONE
            found = self.documents.version(self.cluster, number)
        if found is None:
            newest = self.read().number
            raise Refusal(
                f"There is no version {number} of {self.cluster}. The newest is {newest}."
            )
        return found

    def history(self, most: int) -> list[Version]:
        """Return the newest versions, the newest first."""
        with asked():
            return self.documents.history(self.cluster, most)

    def changed(self, edit: Edit, note: str) -> "Change":
        """Return the change that `edit` makes to the newest version. Nothing is written yet."""
        old = self.read()
        return self._change(old, edit(old.text), note)

    def replaced(self, text: str, note: str) -> "Change":
        """Return the change to this text.

        Its first line may name the version that it was made from, as `show` prints it; then a newer
        version is a conflict. Raises Refusal if that line names another cluster.
        """
        header = _HEADER.match(text)
        if header and header[1] != self.cluster:
            raise Refusal(f"The text is of cluster {header[1]}. Choose --cluster {header[1]}.")
        base = self.read(int(header[2])) if header else self.read()
        text = without_header(text)
        parse(text)
        return self._change(base, text, note)

    def undone(self, to: int | None) -> "Change":
        """Return the change back to version `to`, by default the one before the newest."""
        newest = self.read()
        if newest.number == 0:
            raise Refusal(f"{self.cluster} has no document yet, so there is nothing to undo.")
        number = newest.number - 1 if to is None else to
        back = self.read(number)
        return self._change(newest, back.text, f"back to version {number}")

    def write(self, change: "Change") -> Version:
        """Write a change. Raises Failure, with the other change, if somebody wrote before."""
        with asked():
            try:
                self.documents.add(self.cluster, change.new)
            except Outdated as outdated:
                theirs = "\n".join(diff(change.old, outdated.newest))
                raise Failure(
                    f"{outdated}; nothing was written. This is their change:\n{theirs}\n"
                    "Make yours again on top of it."
                ) from outdated
        return change.new

    def restart(self) -> Version:
        """Write the newest text as a new version, for which the hub restarts."""
        old = self.read()
        return self.write(self._change(old, old.text, RESTART))

    def applied(self) -> Applied:
        """Return what the hub runs."""
        with asked():
            return self.reports.read_applied(self.cluster)

    def await_applied(self, version: Version) -> Applied:
        """Wait until the hub runs the version. Raises Failure if it does not."""
        deadline = self.now() + PATIENCE_S
        with step(f"waiting until the hub of {self.cluster} runs version {version.number}"):
            while (seen := self.applied()).tried < version.number:
                if self.now() > deadline:
                    raise Failure(
                        f"The hub has not tried version {version.number} for {PATIENCE_S:.0f} s. "
                        "See whether its host runs: `systemctl status labswarm-document`."
                    )
                self.sleep(_LOOK_S)
            if seen.version < version.number:
                raise Failure(
                    f"The hub runs version {seen.version} again: {seen.problem} "
                    f"Correct the document, or take it back with `labswarm hub undo`."
                )
        return seen

    def _change(self, old: Version, text: str, note: str) -> "Change":
        now = int(self.now())
        return Change(old, Version(old.number + 1, text, self.by, now, note))


@dataclass(frozen=True)
class Change:
    """A version and the one that follows it."""

    old: Version
    new: Version

    @property
    def empty(self) -> bool:
        """Whether both have the same text."""
        return self.old.text == self.new.text

    def lines(self) -> list[str]:
        """Return the lines that differ, as `diff -u` prints them."""
        return list(diff(self.old, self.new))


def chosen_hub(clients: Clients, cluster: str | None) -> str:
    """Return the cluster of a hub, which may be left out where there is one hub.

    Raises Refusal for an unknown cluster, or a missing one where there are several hubs.
    """
    with asked():
        names = hubs(SsmClusters(clients("ssm")))
    if cluster is None and len(names) != 1:
        known = ", ".join(names) or "none"
        raise Refusal(f"--cluster: Name the hub's cluster. There are: {known}.")
    if cluster is not None and cluster not in names:
        raise Refusal(f"--cluster: {unknown('hub', cluster, names)}")
    return cluster or names[0]


def hubs(clusters: SsmClusters) -> list[str]:
    """Return the clusters that have a hub of their own: no group of workers of another one."""
    known = []
    for name in clusters.names():
        try:
            known.append(clusters.read_cluster(name))
        except BadInput:
            continue
    return [
        one.name
        for one in known
        if not any(
            one.manager == other.manager and one.name.startswith(f"{other.name}-")
            for other in known
        )
    ]


def diff(old: Version, new: Version) -> Iterator[str]:
    """Return the lines that differ between two versions."""
    yield from difflib.unified_diff(
        old.text.splitlines(),
        new.text.splitlines(),
        f"version {old.number}" + (f", by {old.by}" if old.by else ""),
        f"version {new.number}" + (f", by {new.by}" if new.by else ""),
        lineterm="",
    )


def with_header(cluster: str, version: Version) -> str:
    """Return the text with a first line that names its version, for `replaced`."""
    return f"# labswarm: cluster {cluster}, version {version.number}\n{version.text}"


def without_header(text: str) -> str:
    """Return the text without that line."""
    return _HEADER.sub("", text)


def summary(version: Version) -> dict[str, object]:
    """Return a version's fields without its text."""
    return {"version": version.number, "by": version.by, "at": version.at, "note": version.note}


def _caller(clients: Clients) -> str:
    """Return the user's name here and the AWS identity, such as `alice as assumed-role/Admin/al`.

    AWS's own records have the identity; the name says which of the people who share it.
    """
    arn: str = clients("sts").get_caller_identity()["Arn"]
    return f"{getpass.getuser()} as {arn.rpartition(':')[2]}"
