"""The published page and schema of the hub's document say what its checks say."""

import json

import pytest
from tests.support.document_page import PAGE, SCHEMA, page, schema

from labswarm.document.model import Document


def test_the_page_is_generated_from_the_models() -> None:
    assert PAGE.read_text() == page(), "write it again: python -m tests.support.document_page"


def test_the_schema_is_generated_from_the_models() -> None:
    assert SCHEMA.read_text() == schema(), "write it again: python -m tests.support.document_page"


@pytest.mark.parametrize("part", ["Hub", "SingleUser", "Cull", "Oidc", "Profile"])
def test_every_key_has_a_description_for_editors(part: str) -> None:
    fields = json.loads(schema())["$defs"][part]["properties"]

    assert [name for name, field in fields.items() if not field.get("description")] in (
        [],
        ["kind"],
    )


def test_a_key_of_the_document_is_called_as_in_zero_to_jupyterhub() -> None:
    assert set(Document.model_json_schema()["properties"]) == {
        *("hub", "login", "singleuser", "cull", "scheduling", "prePuller", "debug")
    }
