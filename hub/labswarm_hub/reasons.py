"""Reasons why a start failed: a sentence for the student, and one for the operator's log."""

from collections.abc import Iterable
from dataclasses import dataclass

_AGAIN = "Your files are safe. Start it again; if that fails too, show your instructor this page."

IDLE = "Nobody worked on it for a while, and it made room for others."
TOO_OLD = "It had run for as long as a server may."
"""Why the culler stopped a server, in words for its student."""


@dataclass(frozen=True)
class Reason:
    """`label` is one word for metrics."""

    label: str
    student: str
    operator: str

    @property
    def is_for_admin(self) -> bool:
        """Whether the student is asked to show the page to somebody, who then looks it up."""
        return self.student.endswith(_AGAIN)

    @property
    def is_of_machine(self) -> bool:
        """Whether the start may succeed on another machine."""
        return self.label in ("ended", "answer")


def not_for_you(title: str) -> Reason:
    """The chosen profile is for members of groups in which the student is not."""
    return Reason(
        "profile",
        f"{title!r} is not open to you. Choose another one, or ask your instructor to add you.",
        f"The profile {title!r} has groups, and the user is in none of them.",
    )


def hours_are_used(hours: int) -> Reason:
    """The student has used the hours of the week, and no booked lab of the student's runs."""
    return Reason(
        "hours",
        f"You have used your {hours} hours of this week. Booked labs do not count, and you can "
        "start a server in them. New hours begin on Monday.",
        f"The student has used the {hours} hours of the week in the hub's settings.",
    )


def no_such_profile(name: object, titles: Iterable[str]) -> Reason:
    """The kept options name a profile that the hub's settings do not have; `titles` are those of
    the profiles that they have."""
    offered = " or ".join(titles)
    choose = f" Start your server again and choose {offered}." if offered else ""
    return Reason(
        "profile",
        f"The profile {str(name)[:40]!r} is no longer offered.{choose}",
        f"There is no profile {str(name)[:40]!r} in the hub's settings.",
    )


def nodes_refused(hosts: Iterable[str], end: str) -> Reason:
    """The server's task ended before it ran, on each of these nodes; `end` is the last end."""
    named = ", ".join(dict.fromkeys(hosts))
    return Reason(
        "node",
        f"None of the machines that were tried could start your server. {_AGAIN}",
        f"The server's task ended before it ran, on {named}. The last end: {end}.",
    )


def ended_before_answer(end: str) -> Reason:
    """The server's task ran and ended before the server answered."""
    return Reason(
        "ended",
        f"Your server ended while it started. {_AGAIN}",
        f"The server ended before it answered: {end}.",
    )


def no_seat(within_s: float, kept_s: float) -> Reason:
    """No seat became free within this time; the place in line is kept for `kept_s` seconds."""
    return Reason(
        "seat",
        f"No seat became free within {within_s / 60:g} minutes, and no new machine could be had. "
        f"Start your server again within {kept_s / 60:g} minutes: you keep your place in line.",
        f"It waited {within_s:g} s in line for a seat: see whether nodes are launched.",
    )


def too_long(within_s: float, step: str) -> Reason:
    """The start did not end in time; `step` is its last step."""
    return Reason(
        "time",
        f"Your server did not start within {within_s / 60:g} minutes. {_AGAIN}",
        f"The start took over {within_s:g} s. Its last step: {step}",
    )


def unexpected(error: Exception) -> Reason:
    """The reason for a failure that has no reason of its own."""
    name, text = type(error).__name__, str(error)
    return Reason(
        "error",
        f"Your server could not be started. {_AGAIN}",
        f"The start failed: {name}{f' ({text})' if text else ''}.",
    )


def no_answer(within_s: float) -> Reason:
    """The server's task runs and the server does not answer."""
    return Reason(
        "answer",
        f"Your server started, but did not answer within {within_s:g} s. {_AGAIN}",
        f"The server has not answered within {within_s:g} s.",
    )
