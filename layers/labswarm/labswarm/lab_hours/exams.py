"""Exams: while one is on, its nodes are on demand, and each of them stays."""

from collections.abc import Iterable

from labswarm.lab_hours.booking import Booking

COPIES_S = 900
"""How long after an exam its submissions may be copied (seconds); until then its nodes stay."""


def exam_is_on(exams: Iterable[Booking], now: float, ahead_s: float) -> bool:
    """Return whether an exam runs at `now` (epoch seconds), starts within `ahead_s` seconds, or has
    its submissions copied."""
    return any(lab.starts - ahead_s <= now < lab.ends + COPIES_S for lab in exams)
