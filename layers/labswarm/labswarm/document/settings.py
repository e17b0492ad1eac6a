"""The changes of a document: the hub's settings, and the parts of the cluster that functions read.

Pure. The base is the hub's settings file as its host's configuration writes it
(labswarm_hub/settings.py); without a key in the document the base's value stays.
"""

from collections.abc import Mapping
from typing import Any

from labswarm.document.model import Document, Profile
from labswarm.errors import BadInput

NANO = 10**9


def hub_settings(document: Document, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hub's settings: the base, and the document's values over it.

    Raises BadInput for a profile whose group of workers the base has not.
    """
    groups: Mapping[str, Any] = base.get("groups", {})
    changed = dict(base)
    changed |= _servers(document, base)
    changed |= _storage(document)
    changed |= _cull(document)
    changed |= _profiles(document, groups)
    changed |= _login(document)
    if users := _users(document):
        if users.get("admin_users") is not None:
            changed["admins"] = users["admin_users"]
        changed["authenticator_traits"] = {
            **changed.get("authenticator_traits", {}),
            **{name: value for name, value in users.items() if name != "admin_users"},
        }
    if traits := _hub_traits(document):
        changed["hub_traits"] = traits
    if document.hub and document.hub.extra_config:
        changed["extra_config"] = dict(document.hub.extra_config)
    return changed


def with_former_admins(wanted: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the users who were admins `before` and are none any more.

    JupyterHub's own database keeps an admin's rights, so the hub has to take them away by name.
    """
    earlier = {*before.get("admins", ()), *before.get("former_admins", ())}
    former = sorted(earlier - {*wanted.get("admins", ())})
    return {**wanted, "former_admins": former} if former else dict(wanted)


def cluster_changes(document: Document) -> dict[str, Any]:
    """Return the fields of the cluster's description (labswarm.cluster) that the document changes.

    `seat` may have only one of its two fields.
    """
    changes: dict[str, Any] = {}
    if seat := _seat(document):
        changes["seat"] = seat
    room = document.scheduling and document.scheduling.user_placeholder
    if room and room.replicas is not None:
        changes["headroom"] = room.replicas
    if images := images_of(document):
        changes["images"] = images
    return changes


def images_of(document: Document) -> list[str]:
    """Return the images that a document names, the class image first."""
    found = []
    if document.singleuser:
        server = document.singleuser
        if server.image:
            found.append(server.image.reference)
        found += [one.image.reference for one in server.profile_list or () if one.image]
    if document.pre_puller and document.pre_puller.extra_images:
        found += [image.reference for image in document.pre_puller.extra_images.values()]
    return list(dict.fromkeys(found))


def secrets_of(document: Document) -> dict[str, str]:
    """Return the names of the secrets that the login needs, by the authenticator's option."""
    return document.login.secrets() if document.login else {}


def _seat(document: Document) -> dict[str, int]:
    server = document.singleuser
    seat = {}
    if server and server.memory and server.memory.guarantee is not None:
        seat["memory_bytes"] = server.memory.guarantee
    if server and server.cpu and server.cpu.guarantee is not None:
        seat["nano_cpus"] = round(server.cpu.guarantee * NANO)
    return seat


def _servers(document: Document, base: Mapping[str, Any]) -> dict[str, Any]:
    server = document.singleuser
    if server is None:
        return {}
    seat = {**base["seat"], **_seat(document)}
    limit = dict(base["limit"])
    if server.memory and server.memory.limit is not None:
        limit["memory_bytes"] = server.memory.limit
    if server.cpu and server.cpu.limit is not None:
        limit["nano_cpus"] = round(server.cpu.limit * NANO)
    # A limit that only the base gives follows a larger seat.
    limit |= {name: max(limit[name], seat[name]) for name in ("memory_bytes", "nano_cpus")}
    changed: dict[str, Any] = {"seat": seat, "limit": limit}
    if server.image:
        changed["image"] = server.image.reference
    if server.cmd:
        changed["command"] = list(server.cmd)
    if server.default_url:
        changed["default_url"] = server.default_url
    if server.extra_env:
        changed["environment"] = {**base.get("environment", {}), **server.extra_env}
    return changed


def _storage(document: Document) -> dict[str, Any]:
    storage = document.singleuser and document.singleuser.storage
    if not storage:
        return {}
    changed: dict[str, Any] = {}
    if storage.capacity is not None:
        changed["home_bytes"] = storage.capacity
    if storage.extra_volume_mounts is not None:
        changed["folders"] = {
            one.name: {
                "target": one.mount_path,
                "read_only": one.read_only,
                "writers": one.writers or [],
                "readers": one.readers or [],
            }
            for one in storage.extra_volume_mounts
        }
    return changed


def _cull(document: Document) -> dict[str, int]:
    if document.cull is None:
        return {}
    given = {
        "idle_timeout_s": document.cull.timeout,
        "idle_warning_s": document.cull.warning,
        "longest_server_s": document.cull.max_age,
    }
    return {name: value for name, value in given.items() if value is not None}


def _profiles(document: Document, groups: Mapping[str, Any]) -> dict[str, Any]:
    server = document.singleuser
    if server is None or server.profile_list is None:
        return {}
    for index, profile in enumerate(server.profile_list):
        if profile.group is not None and profile.group not in groups:
            known = ", ".join(groups) or "none"
            where = f"singleuser.profileList.{index}.group"
            raise BadInput(
                where, f"there is no group of workers {profile.group!r}; there are: {known}"
            )
    ordered = sorted(server.profile_list, key=lambda profile: not profile.default)
    return {"profiles": {profile.slug: _profile(profile) for profile in ordered}}


def _profile(profile: Profile) -> dict[str, Any]:
    limit = {}
    if profile.limit and profile.limit.memory is not None:
        limit["memory_bytes"] = profile.limit.memory
    if profile.limit and profile.limit.cpu is not None:
        limit["nano_cpus"] = round(profile.limit.cpu * NANO)
    given = {
        "title": profile.display_name,
        "description": profile.description,
        "group": profile.group,
        "image": profile.image and profile.image.reference,
        "limit": limit or None,
        "allowed_groups": profile.allowed_groups,
    }
    return {name: value for name, value in given.items() if value is not None}


def _login(document: Document) -> dict[str, Any]:
    login = document.login
    if login is None:
        return {}
    return {"authenticator": login.CLASS, "authenticator_traits": login.traits()}


def _users(document: Document) -> dict[str, Any]:
    config = document.hub and document.hub.config
    if not config or not config.Authenticator:
        return {}
    return config.Authenticator.model_dump(exclude_none=True)


def _hub_traits(document: Document) -> dict[str, Any]:
    hub = document.hub
    traits: dict[str, Any] = (
        hub.model_dump(exclude_none=True, exclude={"config", "extra_config"}) if hub else {}
    )
    if document.debug and document.debug.enabled:
        traits["log_level"] = "DEBUG"
    return traits
