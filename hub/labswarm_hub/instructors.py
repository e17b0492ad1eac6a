"""The page for instructors as the hub knows it: a service, and roles with few rights.

The page is a process of its own (labswarm_labs). A person's own rights decide there what the person
may see and do: the page acts with the token that the hub gives to it for the person.
"""

import sys
from typing import Any

from labswarm.homes import escaped
from labswarm_hub.settings import HubSettings

NAME = "labs"
EXAMS = "exams"
_OF_PERSON = ("access:servers", "servers", "list:users", "admin-ui")
"""The rights of a person that the page may use, as far as the person has them."""
_OWN = ("list:groups", "read:groups", "list:users", "servers", "read:users:activity")
"""The page's own rights, for each group that is taught: it starts servers before the bell."""


def services(settings: HubSettings) -> list[dict[str, Any]]:
    """Return the hub's services for the page; none without it."""
    if settings.labs is None:
        return []
    return [
        {
            "name": NAME,
            "url": settings.labs.url,
            "api_token": settings.labs.token_file.read_text().strip(),
            "oauth_client_allowed_scopes": list(_OF_PERSON),
            # It is the hub's own page.
            "oauth_no_confirm": True,
        }
    ]


def exam_services(settings: HubSettings, file: str) -> list[dict[str, Any]]:
    """Return the hub's service that ends exams; none without the page. `file` has the settings."""
    if settings.labs is None:
        return []
    return [
        {
            "name": EXAMS,
            "command": [sys.executable, "-m", "labswarm_hub.exam_copies"],
            "environment": {"LABSWARM_HUB_CONFIG": file},
        }
    ]


def exam_roles(settings: HubSettings) -> list[dict[str, Any]]:
    """Return the role of that service; none without the page."""
    if settings.labs is None:
        return []
    return [
        {
            "name": EXAMS,
            "description": "Stop the servers of exams at their end.",
            "services": [EXAMS],
            "scopes": ["list:users", "read:servers", "delete:servers"],
        }
    ]


def roles(settings: HubSettings) -> list[dict[str, Any]]:
    """Return the role of the page itself, and one for the instructors of each group."""
    if settings.labs is None:
        return []
    own = {
        "name": NAME,
        "description": "See the classes of the groups that are taught, and start their servers.",
        "services": [NAME],
        "scopes": [
            f"{scope}!group={group}"
            for group in sorted(settings.labs.instructors)
            for scope in _OWN
        ],
    }
    return [own, *(_role(*pair) for pair in sorted(settings.labs.instructors.items()))]


def groups(settings: HubSettings) -> dict[str, dict[str, list[str]]]:
    """Return the groups with members of their own, for a login that has no groups.

    JupyterHub makes the groups that the roles name.
    """
    if settings.labs is None:
        return {}
    return {name: {"users": list(users)} for name, users in settings.labs.members.items()}


def leave_groups_to_login(config: Any) -> None:
    """Take the groups out of the hub's configuration where a login manages them.

    JupyterHub does not start with both: https://jupyterhub.readthedocs.io/en/stable/reference/authenticators.html
    """
    if any(section.get("manage_groups") for section in dict(config).values()):
        config.JupyterHub.load_groups = {}


def _role(students: str, instructors: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": f"instructors-of-{escaped(students)}"[:255],
        "description": f"Book labs for {students}, see its class and help its students.",
        "groups": list(instructors),
        "scopes": [
            f"access:services!service={NAME}",
            f"access:servers!group={students}",
            f"servers!group={students}",
            f"list:users!group={students}",
        ],
    }
