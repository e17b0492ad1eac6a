"""The end of a booked lab: when students are notified of it."""

from collections.abc import Iterable

from labswarm.lab_hours.booking import Booking

NOTICE_S = 300
"""How long before the end of a lab its students are notified (s)."""
FOLLOWS_S = 900
"""A lab that starts so soon after another one (s) goes on with the same servers."""


def end_of_labs(labs: Iterable[Booking], now: float) -> int | None:
    """Return when the labs that run at `now` are over (epoch s); None while that is far off.

    Nothing says which student is in which lab, so the last of them counts, and a lab that follows
    it prolongs it.
    """
    known = list(labs)
    ends = max((lab.ends for lab in known if lab.starts <= now < lab.ends), default=None)
    if ends is None or ends - now > NOTICE_S:
        return None
    follows = any(lab.starts <= ends + FOLLOWS_S and lab.ends > ends for lab in known)
    return None if follows else int(ends)
