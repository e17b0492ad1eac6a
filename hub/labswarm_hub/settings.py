"""The hub's settings: one JSON file, written by the cookbook or by the lab."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from labswarm.cluster import group_cluster
from labswarm.errors import BadInput
from labswarm.seats import Seat


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

    The student reads `title`.
    """

    title: str
    group: str | None


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
    proxy_command: tuple[str, ...]
    authenticator: str
    admins: frozenset[str]
    manager_token_file: Path
    read_only_mounts: Mapping[str, str]
    environment: Mapping[str, str]
    conf_dir: Path
    idle_timeout_s: int
    """Seconds after which a server is stopped on which nobody works."""
    longest_server_s: int
    """Seconds after which a server is stopped also while somebody works on it."""
    groups: Mapping[str, Group]
    """The hub's further groups of workers, by name."""
    profiles: Mapping[str, Profile]
    """The profiles by name, the first one selected. Without profiles there is no form."""

    @property
    def own(self) -> Group:
        """The hub's own workers."""
        return Group(self.cluster, self.image, self.seat, self.overhead, self.limit)

    def group_of(self, options: Mapping[str, Any]) -> Group:
        """The workers on whose seats a server with these options (the hub's `user_options`) starts.

        Options that name no profile are those of a server on the hub's own. Raises BadInput for a
        profile that there is not: its student is not moved to other workers unasked.
        """
        name = options.get("profile")
        if name is None:
            return self.own
        if not isinstance(name, str) or name not in self.profiles:
            offered = f"choose {', '.join(self.profiles)}" if self.profiles else "give none"
            raise BadInput("profile", f"there is no {str(name)[:40]!r}; {offered}")
        group = self.profiles[name].group
        return self.own if group is None else self.groups[group]

    @classmethod
    def parse(cls, text: str) -> "HubSettings":
        """The settings in a JSON text. Raises BadInput, which names the field and the remedy."""
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput("hub settings", f"write JSON: {error}") from error
        if not isinstance(document, dict):
            raise BadInput("hub settings", "write one JSON object")
        fields = _Fields(document)
        lab = fields.boolean("lab", default=False)
        cluster, image = fields.text("cluster"), fields.text("image")
        settings = cls(
            lab=lab,
            cluster=cluster,
            image=image,
            command=fields.texts("command"),
            seat=_seat(fields.inner("seat"), least=1),
            overhead=_seat(fields.inner("overhead"), least=0),
            limit=_limit(fields.inner("limit")),
            homes=fields.path("homes"),
            network=fields.text("network", default="labswarm"),
            docker_host=fields.text("docker_host", default="unix:///var/run/docker.sock"),
            hub_name=fields.text("hub_name", default="labswarm-hub"),
            data_dir=fields.path("data_dir"),
            proxy_command=fields.texts("proxy_command"),
            authenticator=fields.text("authenticator"),
            admins=frozenset(fields.texts("admins", default=())),
            manager_token_file=fields.path("manager_token_file"),
            read_only_mounts=fields.mapping("read_only_mounts"),
            environment=fields.mapping("environment"),
            conf_dir=fields.path("conf_dir", default="/etc/jupyterhub/conf.d"),
            idle_timeout_s=fields.number("idle_timeout_s", 10, default=3600),
            longest_server_s=fields.number("longest_server_s", 3600, default=24 * 3600),
            groups={n: _group(f, n, cluster, image) for n, f in fields.inners("groups")},
            profiles={n: _profile(f) for n, f in fields.inners("profiles")},
        )
        fields.refuse_unknown()
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


def _refuse_limit_below_seat(group: Group, prefix: str = "") -> None:
    for name in ("memory_bytes", "nano_cpus"):
        if getattr(group.limit, name) < getattr(group.seat, name):
            raise BadInput(f"{prefix}limit.{name}", f"give at least the seat's {name}")


def _group(fields: "_Fields", name: str, cluster: str, image: str) -> Group:
    group = Group(
        cluster=group_cluster(cluster, name),
        image=fields.text("image", default=image),
        seat=_seat(fields.inner("seat"), least=1),
        overhead=_seat(fields.inner("overhead"), least=0),
        limit=_limit(fields.inner("limit")),
    )
    fields.refuse_unknown()
    return group


def _profile(fields: "_Fields") -> Profile:
    profile = Profile(fields.text("title"), fields.optional("group"))
    fields.refuse_unknown()
    return profile


def _seat(fields: "_Fields", least: int) -> Seat:
    seat = Seat(
        memory_bytes=fields.number("memory_bytes", least),
        nano_cpus=fields.number("nano_cpus", least),
    )
    fields.refuse_unknown()
    return seat


def _limit(fields: "_Fields") -> Limit:
    limit = Limit(
        memory_bytes=fields.number("memory_bytes", 1),
        nano_cpus=fields.number("nano_cpus", 1),
        pids=fields.number("pids", 1),
    )
    fields.refuse_unknown()
    return limit


class _Fields:
    """The fields of a JSON object, each taken once with the type it has to have."""

    _REQUIRED = object()

    def __init__(self, document: dict[str, Any], prefix: str = "") -> None:
        self._document = dict(document)
        self._prefix = prefix

    def text(self, name: str, default: object = _REQUIRED) -> str:
        value = self._take(name, default)
        return value if isinstance(value, str) and value else self._refuse(name, "give a text")

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self._document else None

    def number(self, name: str, least: int, default: object = _REQUIRED) -> int:
        value = self._take(name, default)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return int(value) if whole else self._refuse(name, f"give a whole number from {least}")

    def boolean(self, name: str, default: bool) -> bool:
        value = self._take(name, default)
        return value if isinstance(value, bool) else self._refuse(name, "give true or false")

    def texts(self, name: str, default: object = _REQUIRED) -> tuple[str, ...]:
        value = self._take(name, default)
        texts = isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
        filled = texts and (value or default is not self._REQUIRED)
        return tuple(value) if filled else self._refuse(name, "give a list of texts")

    def mapping(self, name: str) -> dict[str, str]:
        value = self._take(name, {})
        texts = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
        return dict(value) if texts else self._refuse(name, "give an object of texts")

    def path(self, name: str, default: object = _REQUIRED) -> Path:
        path = Path(self.text(name, default))
        return path if path.is_absolute() else self._refuse(name, "give an absolute path")

    def inner(self, name: str) -> "_Fields":
        value = self._take(name, self._REQUIRED)
        if not isinstance(value, dict):
            self._refuse(name, "give an object")
        return _Fields(value, f"{self._prefix}{name}.")

    def inners(self, name: str) -> list[tuple[str, "_Fields"]]:
        """The objects in an object, by their names; none when it is not there."""
        if name not in self._document:
            return []
        outer = self.inner(name)
        return [(inner, outer.inner(inner)) for inner in list(outer._document)]

    def refuse_unknown(self) -> None:
        for name in self._document:
            self._refuse(name, "remove it, there is no such setting")

    def _take(self, name: str, default: object) -> Any:
        if name in self._document:
            return self._document.pop(name)
        return self._refuse(name, "is missing") if default is self._REQUIRED else default

    def _refuse(self, name: str, remedy: str) -> NoReturn:
        raise BadInput(f"{self._prefix}{name}", remedy)
