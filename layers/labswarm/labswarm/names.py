"""The names of the app's things in an AWS account, which begin with the prefix of its deployment.

A second deployment in the same account has a prefix of its own (template.yaml, `Prefix`).
"""

import os
import re

from labswarm.errors import BadInput

VARIABLE = "LABSWARM_PREFIX"
"""The environment variable with the prefix: of the functions, the hub's services, the command."""
DEFAULT = "labswarm"
# Without a hyphen no prefix and hyphen are the beginning of another prefix's names.
PREFIX = re.compile(r"[a-z][a-z0-9]{0,14}")


def prefix() -> str:
    """The prefix of this deployment. Raises BadInput for one that is malformed."""
    given = os.environ.get(VARIABLE) or DEFAULT
    if not PREFIX.fullmatch(given):
        raise BadInput(VARIABLE, f"is {given!r}; it is like {PREFIX.pattern}")
    return given


def app_name(what: str) -> str:
    """The name of a table, queue, machine or document of this deployment."""
    return f"{prefix()}-{what}"
