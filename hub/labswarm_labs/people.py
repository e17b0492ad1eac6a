"""Whose labs a person may book and see: by the person's scopes at the hub, and nothing else."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labswarm.errors import BadInput
from labswarm.lab_hours.bookings import StoredBooking

TEACHES = "access:servers"
"""The scope that makes an instructor: an instructor may open the servers of a group's students."""
ADMIN = "admin-ui"
"""The scope that makes an admin."""


@dataclass(frozen=True)
class Person:
    """An instructor, who teaches the hub's `groups`, or an admin, who may do everything."""

    name: str
    groups: frozenset[str]
    is_admin: bool

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> "Person":
        """Return the person in the hub's answer about a token."""
        scopes: Collection[str] = model["scopes"]
        prefix = f"{TEACHES}!group="
        taught = {scope.removeprefix(prefix) for scope in scopes if scope.startswith(prefix)}
        return cls(str(model["name"]), frozenset(taught), ADMIN in scopes)

    def may_change(self, booking: StoredBooking) -> bool:
        """Whether the person may change or cancel a booking: everyone who teaches its group may."""
        return self.is_admin or booking.group in self.groups

    def refuse_foreign(self, booking: StoredBooking, all_groups: Iterable[str]) -> None:
        """Raise BadInput unless the person may book for the booking's group."""
        if booking.group is None:
            if not self.is_admin:
                raise BadInput("group", "is empty; choose the group that you teach")
        elif self.is_admin and booking.group not in all_groups:
            raise BadInput("group", f"there is no {booking.group!r} at the hub; choose another")
        elif not self.may_change(booking):
            raise BadInput("group", f"{booking.group!r} is not a group that you teach")
