"""Commands that other packages add to `labswarm`, and the labs that its commands can work on.

A package declares them as entry points; the lab is the first such package, and an extra of this
distribution. An entry point whose name is an extra is loaded only if that extra is installed.
https://packaging.python.org/en/latest/specifications/entry-points/
"""

import re
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points
from typing import Any

from labswarm_operator.refusal import Refusal

COMMANDS = "labswarm.commands"
"""A click command under its name."""
CLIENTS = "labswarm.clients"
"""A function from a lab's name to its `labswarm_operator.account.Clients`."""

BACKUPS = "labswarm.backups"
"""A function from a lab's name to its `labswarm_operator.home_restore.Backups`."""


def names(group: str) -> list[str]:
    """Return the names of the plug-ins of a group, sorted; loads none."""
    return sorted(entry_points(group=group).names)


def load(group: str, name: str) -> Any:
    """Return a plug-in's object, None if no package declares it.

    Raises Refusal, which says how to install it, if it lacks a package of its extra.
    """
    declared = list(entry_points(group=group, name=name))
    if not declared:
        return None
    if missing := _missing(declared[0]):
        raise Refusal(
            f"`labswarm {name}` needs the extra '{name}', and {missing[0]} is not installed. "
            f"Run `pip install --editable '.[{name}]'` in a checkout of labswarm."
        )
    return declared[0].load()


def _missing(plugin: EntryPoint) -> list[str]:
    """The packages of the plug-in's extra that are not installed."""
    required = plugin.dist.requires if plugin.dist else None
    of_extra = [
        re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        for requirement in required or []
        if re.search(rf"""\bextra\s*==\s*["']{plugin.name}["']""", requirement)
    ]
    return [package for package in of_extra if not _installed(package)]


def _installed(package: str) -> bool:
    try:
        Distribution.from_name(package)
    except PackageNotFoundError:
        return False
    return True
