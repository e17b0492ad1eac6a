"""Links that copy an instructor's files into a student's home and open one: nbgitpuller's."""

import re
from urllib.parse import quote, urlencode, urlsplit

from labswarm.errors import BadInput

# A part of a branch's or a file's name. https://git-scm.com/docs/git-check-ref-format
_PART = re.compile(r"(?!\.|-)[^\x00-\x20\x7f~^:?*\[\\]{1,100}")
_LONGEST = 500


def git_link(hub: str, repository: str, branch: str, file: str = "") -> str:
    """Return the link for a repository's branch, which opens `file`, or the folder without one.

    `hub` is the hub's address with its slash at the end. Raises BadInput naming the field. The
    parameters are nbgitpuller's: https://nbgitpuller.readthedocs.io/en/latest/topic/url-options.html
    """
    folder = _folder(repository)
    if not branch:
        raise BadInput("branch", "is empty; write one like main")
    _refuse_odd("branch", branch)
    if file:
        _refuse_odd("file", file)
    opened = "/".join(["lab/tree", folder, *(file.split("/") if file else ())])
    query = {"repo": repository, "branch": branch, "urlpath": opened}
    return f"{hub}user-redirect/git-pull?{urlencode(query, quote_via=quote, safe='')}"


def _folder(repository: str) -> str:
    """The folder into which nbgitpuller copies: the last part of the repository's address."""
    refused = BadInput(
        "repository",
        f"is {repository[:100]!r}; write an address like https://github.com/physics/labs",
    )
    try:
        parts = urlsplit(repository)
    except ValueError as error:
        raise refused from error
    folder = parts.path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if parts.scheme != "https" or not parts.hostname or not folder or len(repository) > _LONGEST:
        raise refused
    if parts.query or parts.fragment or not _PART.fullmatch(folder):
        raise refused
    if parts.username is not None:
        raise BadInput(
            "repository",
            "has a name or a token in it, which every student would read; leave it out",
        )
    return folder


def _refuse_odd(field: str, text: str) -> None:
    if len(text) > _LONGEST or not all(_PART.fullmatch(part) for part in text.split("/")):
        example = "main" if field == "branch" else "week-1/exercise.ipynb"
        raise BadInput(field, f"is {text[:100]!r}; write one like {example}")
