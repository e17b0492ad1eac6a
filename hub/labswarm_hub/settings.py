"""The hub's settings: one JSON file, written by the cookbook or by the lab."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labswarm.cluster import group_cluster
from labswarm.errors import BadInput
from labswarm.fields import Fields, names
from labswarm.seats import Seat
from labswarm_hub.folders import Folder


@dataclass(frozen=True)
class Limit:
    """The most that one server may use: bytes, units of 1e-9 cores, processes and threads."""

    memory_bytes: int
    nano_cpus: int
    pids: int


@dataclass(frozen=True)
class Group:
    """A group of workers with seats of its own; the app treats it as a cluster."""

    cluster: str
    image: str
    seat: Seat
    overhead: Seat
    limit: Limit


@dataclass(frozen=True)
class Profile:
    """One choice on the form: `group` is the group of the seat, None for the hub's own workers.

    The student reads `title` and `description`. `image`, `memory_bytes` and `nano_cpus` (both at
    most) take the place of the group's; None: the group's. Members of the hub's groups
    `allowed_groups` may choose it; empty: everybody.
    """

    title: str
    group: str | None
    description: str = ""
    image: str | None = None
    memory_bytes: int | None = None
    nano_cpus: int | None = None
    allowed_groups: tuple[str, ...] = ()

    def over(self, group: Group) -> Group:
        """Return the group with this profile's image and limits; its seat stays."""
        limit = replace(
            group.limit,
            memory_bytes=self.memory_bytes or group.limit.memory_bytes,
            nano_cpus=self.nano_cpus or group.limit.nano_cpus,
        )
        return replace(group, image=self.image or group.image, limit=limit)

    def allows(self, groups: Collection[str]) -> bool:
        """Return whether a member of these groups may choose it."""
        return not self.allowed_groups or bool({*self.allowed_groups} & {*groups})


@dataclass(frozen=True)
class Labs:
    """The page for instructors: where its process listens, and the file with its token.

    `instructors` names, for a group of students, the groups of the people who teach it. `members`
    are the people of groups, for a login that has none; the hub adds them and removes nobody.
    """

    url: str
    token_file: Path
    instructors: Mapping[str, tuple[str, ...]]
    members: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class HubSettings:
    """Everything that differs between two hubs."""

    lab: bool
    cluster: str
    image: str
    command: tuple[str, ...]
    seat: Seat
    overhead: Seat
    limit: Limit
    homes: Path
    network: str
    docker_host: str
    hub_name: str
    data_dir: Path
    authenticator: str
    admins: frozenset[str]
    manager_token_file: Path
    read_only_mounts: Mapping[str, str]
    environment: Mapping[str, str]
    conf_dir: Path
    idle_timeout_s: int
    """A server stops after nobody has worked on it for so long (seconds)."""
    idle_warning_s: int
    """A student is notified so long before the server stops (seconds)."""
    longest_server_s: int
    """A server stops at this age (seconds) even while somebody works on it."""
    groups: Mapping[str, Group]
    """The hub's further groups of workers, by name."""
    profiles: Mapping[str, Profile]
    """The profiles by name, the first one selected. Without profiles there is no form."""
    labs: Labs | None
    """The page for instructors; None: the hub has none."""
    hours_per_week: int = 0
    """A student's hours per week outside of booked labs; 0: no limit."""
    default_url: str = ""
    """The page that opens first; empty: Jupyter's own."""
    authenticator_traits: Mapping[str, Any] = field(default_factory=dict)
    """Options of the authenticator, by JupyterHub's names. They may have a secret."""
    hub_traits: Mapping[str, Any] = field(default_factory=dict)
    """Options of JupyterHub itself, by its names."""
    extra_config: Mapping[str, str] = field(default_factory=dict)
    """Pieces of configuration in Python, by name."""
    former_admins: frozenset[str] = frozenset()
    """Users who lose an admin's rights when the hub starts."""
    folders: Mapping[str, Folder] = field(default_factory=dict)
    """The folders next to the homes, by name."""
    home_bytes: int | None = None
    """The size of a home above which its student is notified. A home has no other limit."""

    @property
    def own(self) -> Group:
        """The hub's own workers."""
        return Group(self.cluster, self.image, self.seat, self.overhead, self.limit)

    @property
    def activity_interval_s(self) -> int:
        """Seconds between two reports of a server's last activity: well before it counts as idle.

        JupyterHub's own default is 300 s.
        """
        return min(300, self.idle_timeout_s // 3)

    @property
    def authenticator_section(self) -> str:
        """The class whose options `authenticator_traits` are."""
        _, dot, name = self.authenticator.rpartition(".")
        return name if dot else "Authenticator"

    def group_of(self, options: Mapping[str, Any]) -> Group:
        """The group that starts a server with these options (the hub's `user_options`).

        Options that name no profile are those of a server on the hub's own. Raises BadInput for a
        profile that there is not: its student is not moved to other workers unasked.
        """
        name = options.get("profile")
        if name is None:
            return self.own
        if not isinstance(name, str) or name not in self.profiles:
            offered = f"choose {', '.join(self.profiles)}" if self.profiles else "give none"
            raise BadInput("profile", f"there is no {str(name)[:40]!r}; {offered}")
        profile = self.profiles[name]
        return profile.over(self.own if profile.group is None else self.groups[profile.group])

    def offered(self, groups: Collection[str]) -> dict[str, Profile]:
        """Return the profiles that a member of these groups may choose, by name."""
        return {name: one for name, one in self.profiles.items() if one.allows(groups)}

    @classmethod
    def parse(cls, text: str) -> "HubSettings":
        """The settings in a JSON text. Raises BadInput, which names the field and the remedy."""
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput(
                "hub settings", f"is no JSON ({error}); run chef-client to write it"
            ) from error
        fields = Fields(document, names(cls), of="hub settings")
        lab = fields.flag("lab", default=False)
        cluster, image = fields.text("cluster"), fields.text("image")
        settings = cls(
            lab=lab,
            cluster=cluster,
            image=image,
            command=fields.texts("command", least=1),
            seat=_seat(fields.inside("seat", names(Seat)), least=1),
            overhead=_seat(fields.inside("overhead", names(Seat)), least=0),
            limit=_limit(fields.inside("limit", names(Limit))),
            homes=fields.path("homes"),
            network=fields.text("network", default="labswarm"),
            docker_host=fields.text("docker_host", default="unix:///var/run/docker.sock"),
            hub_name=fields.text("hub_name", default="labswarm-hub"),
            data_dir=fields.path("data_dir"),
            authenticator=fields.text("authenticator"),
            admins=frozenset(fields.texts("admins", default=())),
            manager_token_file=fields.path("manager_token_file"),
            read_only_mounts=fields.texts_by_name("read_only_mounts"),
            environment=fields.texts_by_name("environment"),
            conf_dir=fields.path("conf_dir", default="/etc/jupyterhub/conf.d"),
            idle_timeout_s=fields.count("idle_timeout_s", 10, default=3600),
            idle_warning_s=fields.count("idle_warning_s", 0, default=300),
            longest_server_s=fields.count("longest_server_s", 3600, default=24 * 3600),
            groups={
                name: _group(group, name, cluster, image)
                for name, group in fields.named("groups", _GROUP).items()
            },
            profiles={
                name: _profile(profile)
                for name, profile in fields.named("profiles", _PROFILE).items()
            },
            labs=_labs(fields.inside("labs", names(Labs))) if fields.has("labs") else None,
            hours_per_week=fields.count("hours_per_week", 0, default=0),
            default_url=fields.text("default_url", default="/")
            if fields.has("default_url")
            else "",
            authenticator_traits=fields.anything_by_name("authenticator_traits"),
            hub_traits=fields.anything_by_name("hub_traits"),
            extra_config=fields.texts_by_name("extra_config"),
            former_admins=frozenset(fields.texts("former_admins", default=())),
            folders={
                name: _folder(folder)
                for name, folder in fields.named("folders", names(Folder)).items()
            },
            home_bytes=fields.optional_count("home_bytes"),
        )
        settings._refuse_contradictions()
        return settings

    @classmethod
    def read(cls, file: Path) -> "HubSettings":
        """The settings in a file. Raises BadInput also when it cannot be read."""
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput("LABSWARM_HUB_CONFIG", f"name a readable file: {error}") from error
        return cls.parse(text)

    def _refuse_contradictions(self) -> None:
        if self.authenticator == "dummy" and not self.lab:
            raise BadInput(
                "authenticator", "name one that checks who logs in; dummy is for the lab only"
            )
        _refuse_limit_below_seat(self.own)
        for name, group in self.groups.items():
            _refuse_limit_below_seat(group, f"groups.{name}.")
        for name, profile in self.profiles.items():
            if profile.group is not None and profile.group not in self.groups:
                raise BadInput(
                    f"profiles.{name}.group", f"{profile.group!r} is not among the groups; add it"
                )
            _refuse_limit_below_seat(self.group_of({"profile": name}), f"profiles.{name}.")


def _refuse_limit_below_seat(group: Group, prefix: str = "") -> None:
    for name in ("memory_bytes", "nano_cpus"):
        limit, seat = getattr(group.limit, name), getattr(group.seat, name)
        if limit < seat:
            raise BadInput(f"{prefix}limit.{name}", f"is {limit}; give at least the seat's {seat}")


def _folder(fields: Fields) -> Folder:
    return Folder(
        target=str(fields.path("target")),
        read_only=fields.flag("read_only", default=False),
        writers=fields.texts("writers", default=()),
        readers=fields.texts("readers", default=()),
    )


# The cluster of a group follows from its name.
_GROUP = names(Group) - {"cluster"}


def _group(fields: Fields, name: str, cluster: str, image: str) -> Group:
    return Group(
        cluster=group_cluster(cluster, name),
        image=fields.text("image", default=image),
        seat=_seat(fields.inside("seat", names(Seat)), least=1),
        overhead=_seat(fields.inside("overhead", names(Seat)), least=0),
        limit=_limit(fields.inside("limit", names(Limit))),
    )


def _labs(fields: Fields) -> Labs:
    return Labs(
        url=fields.text("url", re.compile(r"https?://[^/\s]+")),
        token_file=fields.path("token_file"),
        instructors=fields.texts_listed("instructors"),
        members=fields.texts_listed("members"),
    )


_PROFILE = names(Profile) - {"memory_bytes", "nano_cpus"} | {"limit"}


def _profile(fields: Fields) -> Profile:
    known = ("memory_bytes", "nano_cpus")
    limit = fields.inside("limit", known) if fields.has("limit") else None
    return Profile(
        title=fields.text("title"),
        group=fields.optional("group"),
        description=fields.optional("description") or "",
        image=fields.optional("image"),
        memory_bytes=limit.optional_count("memory_bytes") if limit else None,
        nano_cpus=limit.optional_count("nano_cpus") if limit else None,
        allowed_groups=fields.texts("allowed_groups", default=()),
    )


def _seat(fields: Fields, least: int) -> Seat:
    return Seat(
        memory_bytes=fields.count("memory_bytes", least),
        nano_cpus=fields.count("nano_cpus", least),
    )


def _limit(fields: Fields) -> Limit:
    return Limit(
        memory_bytes=fields.count("memory_bytes", 1),
        nano_cpus=fields.count("nano_cpus", 1),
        pids=fields.count("pids", 1),
    )
