"""Times in the past as a person writes them."""

import re
from datetime import datetime, timedelta

from labswarm_operator.refusal import Refusal

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment(text: str, now: float, option: str = "--since") -> float:
    """The time that an option names: an age (90s, 10m, 2h), a time of day or a date and time.

    A time of day that is still to come was yesterday's. Raises Refusal.
    """
    if match := re.fullmatch(r"(\d+)([smhd])", text):
        return now - int(match[1]) * _UNITS[match[2]]
    today = datetime.fromtimestamp(now)
    try:
        if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
            at = datetime.combine(today.date(), datetime.strptime(text[:5], "%H:%M").time())
            at = at.replace(second=int(text[6:] or 0))
            return (at if at <= today else at - timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Refusal(
            f"{option}: {text!r} is not a time. Write 90s, 10m or 2h, 14:05, or 2026-01-31T14:05."
        ) from None
