"""The logins of the hub's document: each kind's options are those of its authenticator."""

import json
import subprocess
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES

from labswarm.document.login import KINDS
from labswarm.document.parse import parse
from labswarm.document.settings import hub_settings

PYTHON = PACKAGES.parents[2] / "bin/python"
DERIVED = {"allow_all": True, "username_derivation": {"username_claim": "eppn"}}
OAUTH = {"clientId": "id", "clientSecret": "labswarm/main/login/x"}
URLS = {
    "authorizeUrl": "https://example.edu/a",
    "tokenUrl": "https://example.edu/t",
    "userdataUrl": "https://example.edu/u",
}
GROUPS = {"groupsClaim": "groups", "allowedGroups": ["a"], "adminGroups": ["b"], "scope": ["x"]}
LOGINS: dict[str, dict[str, Any]] = {
    "github": {**OAUTH, **GROUPS, "allowedOrganizations": ["example"]},
    "google": {**OAUTH, **GROUPS, "hostedDomain": ["example.edu"]},
    "entra": {**OAUTH, **GROUPS, "tenantId": "t", "usernameClaim": "upn"},
    "oidc": {
        **OAUTH,
        **URLS,
        **GROUPS,
        "callbackUrl": "https://hub.example.edu/hub/oauth_callback",
    },
    "cilogon": {**OAUTH, "allowedIdps": {"https://idp.example.edu": DERIVED}},
    "lti13": {
        "clientId": ["1"],
        "issuer": "https://canvas.example.edu",
        "authorizeUrl": "https://canvas.example.edu/a",
        "jwksEndpoint": "https://canvas.example.edu/j",
    },
    "ldap": {
        "serverAddress": "ldap.example.edu",
        "serverPort": 636,
        "userSearchBase": "ou=people,dc=example",
        "userAttribute": "uid",
        "lookupUser": "cn=hub",
        "lookupPassword": "labswarm/main/login/ldap",
        "bindDnTemplate": ["uid={username},ou=people,dc=example"],
        "allowedGroups": ["cn=students,dc=example"],
    },
    "native": {"openSignup": True, "askEmail": True},
    "firstuse": {"createUsers": True},
}
# Prints the class's options that are none, and those whose values it refuses.
CHECK = """
import importlib, json, sys
module, _, name = sys.argv[1].rpartition(".")
kind = getattr(importlib.import_module(module), name)
traits = json.loads(sys.argv[2])
wrong = sorted(set(traits) - set(kind.class_traits(config=True)))
# The class of native accounts needs the hub's database to be made.
if not hasattr(kind, "add_new_table"):
    kind(**{name: value for name, value in traits.items() if name not in wrong})
print(json.dumps(wrong))
"""


@pytest.mark.parametrize("kind", LOGINS)
def test_a_login_sets_options_that_its_authenticator_has(kind: str) -> None:
    document = parse(json.dumps({"login": {"kind": kind, **LOGINS[kind]}}))
    assert document.login is not None
    traits = document.login.traits() | dict.fromkeys(document.login.secrets(), "secret")

    done = subprocess.run(
        [str(PYTHON), "-c", CHECK, document.login.CLASS, json.dumps(traits)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(PACKAGES.parents[3] / "hub")},
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_every_kind_is_tried() -> None:
    assert len(LOGINS) == len(KINDS)


def test_a_login_never_has_its_secret_in_the_settings() -> None:
    document = parse(json.dumps({"login": {"kind": "github", **OAUTH}}))
    base: dict[str, Any] = {"seat": {}, "limit": {}}

    assert "labswarm/main/login/x" not in json.dumps(hub_settings(document, base))
