"""The form on which students choose a profile before their server starts."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from labswarm_hub.settings import Profile

CLEAN = "clean"
"""The option of one start: set the student's settings aside."""


def options_form(profiles: Mapping[str, Profile]) -> str:
    """Return the HTML form of the profiles, the first one selected; empty without profiles.

    The names and titles are the operator's own, and are escaped all the same.
    """
    if not profiles:
        return ""
    choices = "".join(
        f'<option value="{escape(name)}">{escape(_text(profile))}</option>'
        for name, profile in profiles.items()
    )
    return f"""
<label for="profile">What do you need?</label>
<select class="form-control" id="profile" name="profile">{choices}</select>
<label><input type="checkbox" name="{CLEAN}" value="yes">
Start with clean settings: ~/.local, ~/.jupyter and ~/.ipython move into a new folder of your home
</label>
"""


def options_from_form(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the options that the hub keeps with the server; `group_of` checks them later."""
    options: dict[str, Any] = {"profile": form["profile"][0]} if form.get("profile") else {}
    # A form has JupyterHub's token; an address that somebody sends to a student has text here.
    return options | ({CLEAN: True} if form.get(CLEAN) else {})


def _text(profile: Profile) -> str:
    return f"{profile.title}: {profile.description}" if profile.description else profile.title
