"""Change one value in a document's text; comments and all other lines stay as they are."""

import io
from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from labswarm.document.parse import load, parse, yaml
from labswarm.errors import BadInput

ADMINS = "hub.config.Authenticator.admin_users"


def value_of(text: str) -> Any:
    """Return a value as the document would read it, such as 2G, 3600, true or [a, b].

    Raises BadInput for text that is no YAML.
    """
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise BadInput("value", f"{text!r} is not YAML; put it in quotes") from error


def with_value(text: str, path: str, value: Any) -> str:
    """Return the text with `value` at the dotted path; missing parts around it are added.

    Raises BadDocument if the document is then wrong, and BadInput if the path leads nowhere.
    """

    def put(tree: CommentedMap) -> None:
        *outer, last = _parts(path)
        here: Any = tree
        for part in outer:
            here = _step(here, part, path, make=True)
        _put(here, last, value, path)

    return _changed(text, put)


def without_value(text: str, path: str) -> str:
    """Return the text without the value at the dotted path. Raises BadInput if there is none."""

    def remove(tree: CommentedMap) -> None:
        *outer, last = _parts(path)
        here: Any = tree
        for part in outer:
            here = _step(here, part, path, make=False)
        key: Any = int(last) if isinstance(here, list) and last.isdecimal() else last
        try:
            del here[key]
        except (KeyError, IndexError, TypeError) as error:
            raise BadInput(path, "is not in the document") from error

    return _changed(text, remove)


def admins_of(text: str) -> list[str]:
    """Return the admins that a document names."""
    document = parse(text)
    authenticator = document.hub and document.hub.config and document.hub.config.Authenticator
    return list(authenticator.admin_users or ()) if authenticator else []


def with_admin(text: str, user: str) -> str:
    """Return the text with one more admin; the same text if the user is one."""
    admins = admins_of(text)
    if user in admins:
        return text
    return with_value(text, ADMINS, [*admins, user]) if not admins else _append(text, user)


def without_admin(text: str, user: str) -> str:
    """Return the text without this admin. Raises BadInput if the user is none."""
    admins = admins_of(text)
    if user not in admins:
        known = ", ".join(admins) or "none"
        raise BadInput("user", f"{user!r} is not an admin in the document; its admins: {known}")
    return without_value(text, f"{ADMINS}.{admins.index(user)}")


def _append(text: str, user: str) -> str:
    def append(tree: CommentedMap) -> None:
        here: Any = tree
        for part in _parts(ADMINS):
            here = here[part]
        here.append(user)

    return _changed(text, append)


def _changed(text: str, change: Callable[[CommentedMap], None]) -> str:
    tree = load(text)
    change(tree)
    out = io.StringIO()
    yaml().dump(tree, out)
    changed = out.getvalue() if tree else ""
    parse(changed)
    return changed


def _parts(path: str) -> list[str]:
    parts = path.split(".")
    if not all(parts):
        raise BadInput(path or "path", "is not a path; write one such as cull.timeout")
    return parts


def _step(here: Any, part: str, path: str, *, make: bool) -> Any:
    if isinstance(here, list) and part.isdecimal() and int(part) < len(here):
        return here[int(part)]
    if isinstance(here, CommentedMap):
        if make and here.get(part) is None:
            here[part] = CommentedMap()
        if part in here:
            return here[part]
    raise BadInput(path, f"there is no {part!r} to change in the document")


def _put(here: Any, last: str, value: Any, path: str) -> None:
    if isinstance(here, CommentedMap):
        here[last] = value
    elif isinstance(here, list) and last.isdecimal() and int(last) < len(here):
        here[int(last)] = value
    else:
        raise BadInput(path, "is not in the document; name a key, or an index of a list")
