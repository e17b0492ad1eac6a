"""The permissions in a new organization of a Chef Server.

Each container (`nodes`, `clients`) has an access control list; an object that is made in it has a
copy, and its creator has every permission on it. A client has every permission on itself. Sources:
https://docs.chef.io/server/server_orgs/#permissions, and the policy that makes an organization in
chef-server's source (oc_chef_authz_org_creator.erl).
"""

from collections.abc import Iterable, Mapping

Acl = dict[str, dict[str, list[str]]]
"""Of each permission, the `actors` (by authorization id) and the `groups` that have it."""

PERMISSIONS = ("create", "read", "update", "delete", "grant")
ADMINS, CLIENTS, USERS = "admins", "clients", "users"
CONTAINERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "nodes": {
        "create": (ADMINS, CLIENTS, USERS),
        "read": (ADMINS, CLIENTS, USERS),
        "update": (ADMINS, USERS),
        "delete": (ADMINS, USERS),
        "grant": (ADMINS,),
    },
    "clients": {
        "create": (ADMINS,),
        "read": (ADMINS, USERS),
        "update": (ADMINS,),
        "delete": (ADMINS, USERS),
        "grant": (ADMINS,),
    },
}
"""The groups that have a permission on a container, and so on the objects made in it."""


def acl_of_new(container: str, *actors: str) -> Acl:
    """The list of an object that is made in a container; the actors have every permission."""
    return {
        permission: {"actors": list(actors), "groups": list(CONTAINERS[container][permission])}
        for permission in PERMISSIONS
    }


def allows(acl: Acl, permission: str, actor: str, groups: Iterable[str]) -> bool:
    """Whether an actor has a permission, itself or by one of its groups."""
    entry = acl[permission]
    return actor in entry["actors"] or not set(groups).isdisjoint(entry["groups"])
