"""Changes of a document's text, and what a document changes in the hub's settings."""

from typing import Any

import pytest

from labswarm.document.edit import (
    admins_of,
    value_of,
    with_admin,
    with_value,
    without_admin,
    without_value,
)
from labswarm.document.parse import BadDocument, parse
from labswarm.document.settings import cluster_changes, hub_settings, images_of
from labswarm.errors import BadInput

COMMENTED = """\
# The statistics course.
cull:
  timeout: 3600  # one hour

hub:
  config:
    Authenticator:
      admin_users:
        - alice  # the lecturer
        - "bob"
"""
BASE: dict[str, Any] = {
    "image": "base:1",
    "seat": {"memory_bytes": 2**29, "nano_cpus": 10**8},
    "limit": {"memory_bytes": 2**30, "nano_cpus": 10**9, "pids": 512},
    "groups": {"gpu": {}},
    "environment": {"A": "1"},
    "admins": ["root"],
    "idle_timeout_s": 3600,
}


def settings(text: str) -> dict[str, Any]:
    return hub_settings(parse(text), BASE)


def test_one_value_changes_and_every_other_line_stays() -> None:
    changed = with_value(COMMENTED, "cull.timeout", 7200)

    assert changed == COMMENTED.replace("3600  #", "7200  #")


def test_missing_parts_are_added() -> None:
    changed = with_value("", "singleuser.memory.guarantee", "2G")

    assert changed == "singleuser:\n  memory:\n    guarantee: 2G\n"


def test_a_value_that_the_document_refuses_is_not_set() -> None:
    with pytest.raises(BadDocument, match="at least 10"):
        with_value(COMMENTED, "cull.timeout", 1)


@pytest.mark.parametrize("path", ["", "cull..timeout", "cull.timeout.x", "cull.timeout.0"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(BadInput):
        with_value(COMMENTED, path, 1)


def test_a_value_is_removed() -> None:
    assert without_value("cull: {timeout: 3600, maxAge: 7200}\n", "cull.maxAge") == (
        "cull: {timeout: 3600}\n"
    )
    with pytest.raises(BadInput, match="not in the document"):
        without_value(COMMENTED, "cull.maxAge")


def test_an_item_of_a_list_is_changed_by_its_index() -> None:
    changed = with_value(COMMENTED, "hub.config.Authenticator.admin_users.1", "carol")

    assert admins_of(changed) == ["alice", "carol"]


def test_an_admin_is_added_and_removed_next_to_the_others() -> None:
    added = with_admin(COMMENTED, "carol")

    assert admins_of(added) == ["alice", "bob", "carol"]
    assert "- alice  # the lecturer" in added
    assert without_admin(added, "carol") == COMMENTED
    assert with_admin(COMMENTED, "bob") == COMMENTED
    assert admins_of(with_admin("", "alice")) == ["alice"]


def test_a_user_who_is_no_admin_is_not_removed() -> None:
    with pytest.raises(BadInput, match="its admins: alice, bob"):
        without_admin(COMMENTED, "carol")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2G", "2G"),
        ("3600", 3600),
        ("true", True),
        ("yes", "yes"),
        ("[a, b]", ["a", "b"]),
        ("", None),
    ],
)
def test_a_value_is_read_as_the_document_reads_it(text: str, value: object) -> None:
    assert value_of(text) == value


def test_an_empty_document_leaves_the_base_as_it_is() -> None:
    assert settings("") == BASE
    assert cluster_changes(parse("")) == {}


def test_a_new_seat_counts_for_hub_and_functions() -> None:
    text = "singleuser: {memory: {guarantee: 2G}, cpu: {guarantee: 0.5}}"

    assert settings(text)["seat"] == {"memory_bytes": 2**31, "nano_cpus": 5 * 10**8}
    assert cluster_changes(parse(text))["seat"] == settings(text)["seat"]


def test_a_limit_of_the_base_follows_a_larger_seat() -> None:
    assert settings("singleuser: {memory: {guarantee: 2G}}")["limit"]["memory_bytes"] == 2**31
    assert settings("singleuser: {memory: {limit: 4G}}")["limit"]["memory_bytes"] == 2**32


def test_the_nodes_fetch_every_image_that_the_document_names() -> None:
    text = """
singleuser:
  image: {name: a, tag: "1"}
  profileList:
    - {display_name: R, slug: r, image: {name: r}}
    - {display_name: R 2, slug: r2, image: {name: r}}
prePuller: {extraImages: {x: {name: x}}}
"""
    assert images_of(parse(text)) == ["a:1", "r", "x"]
    assert settings(text)["image"] == "a:1"


def test_a_profile_of_a_group_that_there_is_not_is_refused() -> None:
    text = "singleuser: {profileList: [{display_name: A, slug: a, group: tpu}]}"

    with pytest.raises(BadInput, match=r"profileList.0.group: .*'tpu'; there are: gpu"):
        settings(text)


def test_the_default_profile_is_the_first_of_the_form() -> None:
    text = """
singleuser:
  profileList:
    - {display_name: A, slug: a}
    - {display_name: B, slug: b, default: true, group: gpu, limit: {cpu: 2}, allowed_groups: [x]}
"""
    profiles = settings(text)["profiles"]

    assert list(profiles) == ["b", "a"]
    assert profiles["b"] == {
        "title": "B",
        "group": "gpu",
        "limit": {"nano_cpus": 2 * 10**9},
        "allowed_groups": ["x"],
    }
