"""The hub's pages, rendered as JupyterHub does."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.class_environment import PACKAGES, importable

with importable():
    from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

OURS = Path(__file__).resolve().parents[2] / "hub/templates"
THEIRS = PACKAGES.parents[2] / "share/jupyterhub/templates"


class Student:
    """A user as JupyterHub's templates have one, with these servers."""

    name = "ada"

    def __init__(self, **servers: bool) -> None:
        """Whether each of the named servers is ready; `default` is the one without a name."""
        self._servers = servers

    def all_spawners(self, include_default: bool = True) -> Iterator[SimpleNamespace]:
        for name, ready in self._servers.items():
            if include_default or name != "default":
                yield SimpleNamespace(name=name.removeprefix("default"), ready=ready)

    def server_url(self, name: str = "") -> str:
        return f"/user/{self.name}/{name}/" if name else f"/user/{self.name}/"


def rendered(name: str, **values: Any) -> str:
    """Render a page as JupyterHub does, with the values that matter here."""
    loader = ChoiceLoader(
        [
            PrefixLoader({"templates": FileSystemLoader(THEIRS)}, "/"),
            FileSystemLoader([OURS, THEIRS]),
        ]
    )
    pages = Environment(loader=loader, autoescape=True, undefined=ChainableUndefined)
    given = {
        "static_url": lambda path, **_: path,
        "spawn_url": "/hub/spawn/ada",
        "server_name": "",
        "user": {"name": "ada"},
    }
    return str(pages.get_template(name).render(**{**given, **values}))
