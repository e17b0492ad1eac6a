"""The keys of the document. Every key is optional: without it the cluster's own value counts.

A key that Zero to JupyterHub has too is called as there and means the same:
https://z2jh.jupyter.org/en/stable/resources/reference.html
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic.json_schema import WithJsonSchema

from labswarm.document import login
from labswarm.document.login import AnyLogin
from labswarm.document.sizes import memory_bytes
from labswarm.document.strict import Strict, Verbatim

Memory = Annotated[
    int,
    BeforeValidator(memory_bytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\d+(\.\d+)?[KMGT]$"},
            ]
        }
    ),
]
"""Bytes, from a number or a text such as 1.5G."""
Cores = Annotated[float, Field(gt=0, le=448)]
# As labswarm_node.config.IMAGE; a tag or a digest is a field of its own.
_IMAGE = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"
_TAG = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"
# Only lower case: JupyterHub makes each name lower case before it looks.
_USER = r"^[^A-Z\s/]{1,255}$"
_SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_PAGE = r"^/\S*$"
# Not the home itself and no folder of the image's programs; no part may begin with a dot.
_TARGET = r"^/(home/jovyan|srv|mnt)(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$"
IN_WORDS: Mapping[str, str] = {
    _IMAGE: "an image's name, such as quay.io/jupyter/scipy-notebook",
    _TAG: "an image's tag, such as 2026-11-01",
    _USER: "a user's name in lower case, without spaces",
    _SLUG: "up to 63 of a-z, 0-9 and -",
    _VARIABLE: "the name of a variable: letters, digits and _",
    _PAGE: "a page that begins with /, such as /lab",
    _TARGET: "a folder below /home/jovyan, /srv or /mnt, such as /home/jovyan/physics",
    login.URL: "a URL that begins with https://",
}
"""Each pattern as a person reads it."""
ImageName = Annotated[str, StringConstraints(pattern=_IMAGE)]
Tag = Annotated[str, StringConstraints(pattern=_TAG)]
UserName = Annotated[str, StringConstraints(pattern=_USER)]
Slug = Annotated[str, StringConstraints(pattern=_SLUG)]
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]
Seconds = Annotated[int, Field(ge=10)]


def _compiles(text: str) -> str:
    try:
        compile(text, "extraConfig", "exec")
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 1)
        raise ValueError(f"Python; in its line {line}: {error.args[0]}") from error
    return text


Python = Annotated[str, AfterValidator(_compiles)]
"""A piece of Python that compiles."""


def _refuse_less(limit: float | None, guarantee: float | None) -> None:
    if guarantee is not None and limit is not None and limit < guarantee:
        raise ValueError("a limit that is at least the guarantee")


class MemoryOfServer(Strict):
    """The memory of one student's server."""

    guarantee: Memory | None = Field(
        None, description="The memory of a seat. It decides how many students a node takes."
    )
    limit: Memory | None = Field(
        None, description="The most memory that a server may use; at least the guarantee."
    )

    @model_validator(mode="after")
    def _limit_covers_guarantee(self) -> Self:
        _refuse_less(self.limit, self.guarantee)
        return self


class CpuOfServer(Strict):
    """The CPU of one student's server, in cores."""

    guarantee: Cores | None = Field(None, description="The cores of a seat, such as 0.25.")
    limit: Cores | None = Field(
        None, description="The most cores that a server may use; at least the guarantee."
    )

    @model_validator(mode="after")
    def _limit_covers_guarantee(self) -> Self:
        _refuse_less(self.limit, self.guarantee)
        return self


class Image(Strict):
    """A container image."""

    name: ImageName = Field(description="The image, such as `quay.io/jupyter/scipy-notebook`.")
    tag: Tag | None = Field(None, description="The image's tag; not with a digest in the name.")

    @property
    def reference(self) -> str:
        """The image as Docker writes it."""
        return self.name if self.tag is None else f"{self.name}:{self.tag}"


class ServerLimits(Strict):
    """The most that the servers of one profile may use."""

    memory: Memory | None = Field(None, description="The most memory of a server.")
    cpu: Cores | None = Field(None, description="The most cores of a server.")


class Profile(Verbatim):
    """One choice on the form that students see before their server starts."""

    display_name: str = Field(min_length=1, max_length=100, description="The text of the choice.")
    slug: Slug = Field(description="The choice's short name, which a link may give.")
    description: str | None = Field(None, max_length=300, description="A line below the choice.")
    default: bool = Field(False, description="Select this choice first.")
    group: Slug | None = Field(None, description="The group of workers for the server's seat.")
    image: Image | None = Field(None, description="The server's image. [default: the group's]")
    limit: ServerLimits | None = Field(
        None, description="The most that a server of this profile may use."
    )
    allowed_groups: list[str] | None = Field(
        None,
        min_length=1,
        description="The hub's groups whose members may choose it. [default: all]",
    )


class VolumeMount(Strict):
    """One folder of the class, next to the homes, in students' servers."""

    name: Slug = Field(description="The folder's name. It is made when it is first needed.")
    mount_path: str = Field(
        pattern=_TARGET, description="Where servers have it, such as `/home/jovyan/physics`."
    )
    read_only: bool = Field(False, description="Let only `writers` and admins write in it.")
    writers: list[str] | None = Field(
        None, min_length=1, description="The hub's groups whose members write in any case."
    )
    readers: list[str] | None = Field(
        None,
        min_length=1,
        description="The hub's groups whose servers have it, besides `writers`. [default: all]",
    )


class Storage(Strict):
    """Students' files."""

    capacity: Memory | None = Field(
        None,
        description="The size of a home. From 90 % on its student is notified; nothing is refused.",
    )
    extra_volume_mounts: list[VolumeMount] | None = Field(
        None, max_length=30, description="Folders of the class, next to the homes."
    )

    @model_validator(mode="after")
    def _folders_differ(self) -> Self:
        for what in ("name", "mount_path"):
            values = [getattr(one, what) for one in self.extra_volume_mounts or ()]
            for value in values:
                if values.count(value) > 1:
                    raise ValueError(f"one of its own for each folder; {value!r} is there twice")
        return self


class SingleUser(Strict):
    """Students' servers."""

    memory: MemoryOfServer | None = Field(None, description="Memory of a server.")
    cpu: CpuOfServer | None = Field(None, description="CPU of a server.")
    image: Image | None = Field(None, description="The class image.")
    cmd: list[str] | None = Field(
        None,
        min_length=1,
        description="The words that start a server, after the image's ENTRYPOINT.",
    )
    default_url: str | None = Field(
        None, pattern=_PAGE, description="The page that opens first, such as `/lab`."
    )
    extra_env: dict[Variable, str] | None = Field(
        None, description="Variables of each server, besides the cluster's own."
    )
    profile_list: list[Profile] | None = Field(
        None, max_length=30, description="The choices that students have."
    )
    storage: Storage | None = Field(None, description="Students' files.")

    @model_validator(mode="after")
    def _slugs_differ(self) -> Self:
        slugs = [profile.slug for profile in self.profile_list or ()]
        for slug in slugs:
            if slugs.count(slug) > 1:
                raise ValueError(f"a slug of its own for each profile; {slug!r} is there twice")
        if sum(profile.default for profile in self.profile_list or ()) > 1:
            raise ValueError("one profile that is the default")
        return self


class Cull(Strict):
    """When servers are stopped on which nobody works."""

    timeout: Seconds | None = Field(
        None, description="Seconds without work after which a server is stopped."
    )
    warning: int | None = Field(
        None, ge=0, description="How many seconds before that the student gets a notice."
    )
    max_age: int | None = Field(
        None, ge=3600, description="Seconds after which a server is stopped in any case."
    )


class AuthenticatorConfig(Verbatim):
    """Who may log in, whatever the kind of login is."""

    admin_users: list[UserName] | None = Field(None, description="The hub's admins.")
    allowed_users: list[UserName] | None = Field(None, description="The users who may log in.")
    blocked_users: list[UserName] | None = Field(None, description="Users who may not log in.")
    allow_all: bool | None = Field(None, description="Let everybody in who has an account.")
    allow_existing_users: bool | None = Field(
        None, description="Let in users that the hub knows already."
    )
    auto_login: bool | None = Field(None, description="Leave out the page with the login button.")


class HubConfig(Verbatim):
    """Options of JupyterHub's own classes."""

    Authenticator: AuthenticatorConfig | None = Field(None, description="Who may log in.")


class Hub(Strict):
    """The hub."""

    config: HubConfig | None = Field(None, description="Options of JupyterHub's classes.")
    concurrent_spawn_limit: int | None = Field(
        None, ge=0, description="Servers that start at the same time; 0 is no limit."
    )
    active_server_limit: int | None = Field(
        None, ge=0, description="Servers that run at the same time; 0 is no limit."
    )
    allow_named_servers: bool | None = Field(
        None, description="Let a user have several servers, each with a name."
    )
    named_server_limit_per_user: int | None = Field(
        None, ge=0, description="Named servers of one user; 0 is no limit."
    )
    redirect_to_server: bool | None = Field(
        None, description="Open a user's server after the login."
    )
    shutdown_on_logout: bool | None = Field(
        None, description="Stop a user's servers when the user logs out."
    )
    template_vars: dict[str, str | int | bool] | None = Field(
        None, description="Values for the hub's pages, such as `announcement`."
    )
    extra_config: dict[Slug, Python] | None = Field(
        None, description="Pieces of JupyterHub's configuration in Python, by name, in their order."
    )


class UserPlaceholder(Strict):
    """Seats that are kept free."""

    replicas: int | None = Field(
        None, ge=0, le=1000, description="Free seats that the cluster keeps ready."
    )


class Scheduling(Strict):
    """Room for students who come."""

    user_placeholder: UserPlaceholder | None = Field(None, description="Seats that are kept free.")


class PrePuller(Strict):
    """Images that a node fetches before it opens."""

    extra_images: dict[Slug, Image] | None = Field(
        None, description="Further images, by any name, besides the class image and the profiles'."
    )


class Debug(Strict):
    """More lines in the log."""

    enabled: bool = Field(description="Let the hub log at the level DEBUG.")


class Document(Strict):
    """The hub's document."""

    hub: Hub | None = Field(None, description="The hub.")
    login: AnyLogin | None = Field(None, description="How users log in.")
    singleuser: SingleUser | None = Field(None, description="Students' servers.")
    cull: Cull | None = Field(None, description="When idle servers are stopped.")
    scheduling: Scheduling | None = Field(None, description="Room for students who come.")
    pre_puller: PrePuller | None = Field(None, description="Images that nodes fetch.")
    debug: Debug | None = Field(None, description="More lines in the log.")
