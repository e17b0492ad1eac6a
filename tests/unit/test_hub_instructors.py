"""The page for instructors as the hub knows it: a service, roles, and groups."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.hub_settings import SETTINGS
from traitlets.config import Config

from labswarm.errors import BadInput
from labswarm_hub import instructors
from labswarm_hub.settings import HubSettings


def settings(folder: Path, **changes: Any) -> HubSettings:
    (folder / "labs.token").write_text("secret\n")
    labs = {
        "url": "http://10.0.0.1:8002",
        "token_file": str(folder / "labs.token"),
        "instructors": {"physics": ["physics-staff"], "Chemie 1": ["staff", "tutors"]},
    }
    return HubSettings.parse(json.dumps({**SETTINGS, "labs": {**labs, **changes}}))


def test_a_hub_without_the_page_has_no_part_of_it() -> None:
    none = HubSettings.parse(json.dumps(SETTINGS))

    assert instructors.services(none) == []
    assert instructors.roles(none) == []
    assert instructors.exam_services(none, "hub.json") == []
    assert instructors.exam_roles(none) == []
    assert instructors.groups(none) == {}


def test_instructors_have_rights_for_their_own_group_only(tmp_path: Path) -> None:
    own, chemistry, physics = instructors.roles(settings(tmp_path))

    assert (physics["name"], physics["groups"]) == ("instructors-of-physics", ["physics-staff"])
    assert chemistry["groups"] == ["staff", "tutors"]
    assert physics["scopes"] == [
        "access:services!service=labs",
        "access:servers!group=physics",
        "servers!group=physics",
        "list:users!group=physics",
    ]
    assert all("!group=" in scope for scope in own["scopes"]), "the page itself neither"


def test_the_service_that_ends_exams_starts_nothing_and_opens_nothing(tmp_path: Path) -> None:
    (service,) = instructors.exam_services(settings(tmp_path), "hub.json")
    (role,) = instructors.exam_roles(settings(tmp_path))

    assert service["command"][1:] == ["-m", "labswarm_hub.exam_copies"]
    assert role["services"] == [service["name"]]
    assert role["scopes"] == ["list:users", "read:servers", "delete:servers"]


def test_a_login_without_groups_gets_those_of_the_settings(tmp_path: Path) -> None:
    given = settings(tmp_path, members={"physics": ["ada"]})

    assert instructors.groups(given) == {"physics": {"users": ["ada"]}}


def test_groups_are_left_to_a_login_that_manages_them() -> None:
    config = Config()
    config.JupyterHub.load_groups = {"physics": {"users": ["ada"]}}
    config.GenericOAuthenticator.client_id = "labswarm"
    instructors.leave_groups_to_login(config)
    assert config.JupyterHub.load_groups

    config.GenericOAuthenticator.manage_groups = True
    instructors.leave_groups_to_login(config)
    assert config.JupyterHub.load_groups == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://x"}, "labs.url"),
        ({"token_file": "labs.token"}, "labs.token_file"),
        ({"instructors": {"physics": "physics-staff"}}, "labs.instructors.physics"),
        ({"instructor": {}}, "labs.instructor"),
    ],
)
def test_settings_of_the_page_that_make_no_sense_are_refused(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        settings(tmp_path, **changes)

    assert refused.value.field == field
