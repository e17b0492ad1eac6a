"""The sentence for a name that does not exist, with the nearest one that does."""

from collections.abc import Sequence
from difflib import get_close_matches

_MOST_LISTED = 20


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """Say that there is no `kind` of this name, and suggest the right one.

    A name that is nearly right gets the nearest one; any other gets the list.
    """
    said = f"There is no {kind} {name!r}."
    if near := get_close_matches(name, known, n=1):
        return f"{said} Did you mean {near[0]!r}?"
    if not known:
        return f"{said} There are none."
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"{said} Choose from: {', '.join(known[:_MOST_LISTED])}{more}."
