"""The versions of each cluster's document, numbered from 1; none of them is ever changed."""

from dataclasses import dataclass
from typing import Protocol

from labswarm.errors import Permanent


@dataclass(frozen=True)
class Version:
    """One version of a document: who wrote it, and when (epoch seconds).

    Terraform may lay the first version (terraform-base/modules/hub/document.tf), with the time 0.
    """

    number: int
    text: str
    by: str
    at: int
    note: str = ""


RESTART = "restart"
"""The note of a version for which the hub restarts, whatever the text is."""
NONE = Version(0, "", "", 0)
"""The version before the first one: an empty document."""


class Outdated(Permanent):
    """Somebody else wrote a version of this number first; `newest` is theirs or a later one."""

    def __init__(self, newest: Version) -> None:
        super().__init__(f"version {newest.number} was written by {newest.by} in the meantime")
        self.newest = newest


class Documents(Protocol):
    """The documents of all clusters."""

    def newest(self, cluster: str) -> Version:
        """The newest version; NONE if the cluster has no document."""

    def version(self, cluster: str, number: int) -> Version | None:
        """The version of this number; None if there is none."""

    def history(self, cluster: str, most: int) -> list[Version]:
        """The newest versions, the newest first, `most` at most."""

    def add(self, cluster: str, version: Version) -> None:
        """Add the version that follows the newest.

        Raises Outdated, and changes nothing, when there is one of its number already. The call may
        be repeated: the same version twice is no error.
        """
