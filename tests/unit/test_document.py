"""The hub's document: each problem of a wrong one names path, line, value and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from labswarm.document.model import Document
from labswarm.document.parse import MOST_BYTES, BadDocument, parse
from labswarm.document.refused import INSTEAD
from labswarm.document.sizes import memory_bytes

BROKEN = sorted((Path(__file__).parent / "documents").glob("*.document"))
FULL = """
hub:
  config:
    Authenticator:
      admin_users: [alice]
      allow_all: true
  concurrentSpawnLimit: 20
  extraConfig:
    banner: |
      c.JupyterHub.template_vars = {"announcement": "Exam on Friday"}
login:
  kind: github
  clientId: abc
  clientSecret: labswarm/main/github
  allowedOrganizations: [example]
singleuser:
  memory: {guarantee: 1G, limit: 1.5G}
  cpu: {guarantee: 0.25}
  image: {name: quay.io/jupyter/scipy-notebook, tag: "2026-11-01"}
  defaultUrl: /lab
  extraEnv: {COURSE: statistics}
  profileList:
    - {display_name: Small, slug: small, default: true}
    - display_name: Large
      slug: large
      group: large
      limit: {memory: 8G}
      allowed_groups: [instructors]
cull: {timeout: 3600, maxAge: 86400}
scheduling: {userPlaceholder: {replicas: 4}}
prePuller: {extraImages: {r: {name: quay.io/jupyter/r-notebook}}}
debug: {enabled: false}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadDocument) as bad:
        parse(text)
    return [str(problem) for problem in bad.value.problems]


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_each_problem_names_line_path_value_and_remedy(file: Path) -> None:
    expected = file.with_suffix(".txt").read_text().splitlines()

    assert problems(file.read_text()) == expected


def test_there_are_at_least_twenty_broken_documents() -> None:
    assert len(BROKEN) >= 20


def test_a_document_with_every_part_is_read() -> None:
    document = parse(FULL)

    assert document.singleuser is not None
    assert document.singleuser.memory is not None
    assert document.singleuser.memory.limit == 3 * 2**29
    assert document.login is not None
    assert document.login.secrets() == {"client_secret": "labswarm/main/github"}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "{}"])
def test_an_empty_document_changes_nothing(text: str) -> None:
    assert parse(text) == Document.model_validate({})


def test_a_document_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert "is longer than" in problems("#" * (MOST_BYTES + 1))[0]


def test_a_few_lines_of_aliases_do_not_expand_to_millions() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]

    assert "is an alias" in problems("\n".join(lines))[0]


@pytest.mark.parametrize(
    ("value", "size"), [(1, 1), ("512M", 2**29), ("1.5G", 3 * 2**29), ("2T", 2**41), ("1K", 1024)]
)
def test_memory_is_read_as_jupyterhub_reads_it(value: object, size: int) -> None:
    assert memory_bytes(value) == size


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "0M", "1g", "1 G", "G", None, "1GiB"])
def test_other_amounts_of_memory_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number of bytes"):
        memory_bytes(value)


@pytest.mark.parametrize("path", INSTEAD)
def test_a_key_of_zero_to_jupyterhub_is_refused_with_the_remedy(path: str) -> None:
    value: Any = 1
    for part in reversed(path.split(".")):
        value = {part: value}
        if part == "profileList":
            value = {part: [{"display_name": "A", "slug": "a"} | value[part]]}

    said = problems(json.dumps(value))
    assert any(INSTEAD[path] in problem for problem in said), said
