"""Each validation, precondition and postcondition of terraform-base has a case that it refuses."""

import re
from pathlib import Path

import pytest
from tests.infrastructure.conftest import Prepared
from tests.infrastructure.terraform import refusals, tables
from tests.infrastructure.terraform.workspace import BASE


@pytest.mark.parametrize(
    "folder",
    [each for each in tables.folders(BASE) if refusals.conditions(each)],
    ids=lambda folder: str(folder.relative_to(BASE)),
)
def test_every_condition_refuses_something_in_a_case(terraform: Prepared, folder: Path) -> None:
    assert refusals.conditions(folder) - refusals.refusing(terraform(folder)) == set()


def test_a_condition_without_a_case_is_found(terraform: Prepared) -> None:
    module = terraform(BASE / "modules" / "node_role")
    written = refusals.conditions(module.folder)
    (tests,) = module.folder.glob("tests/*.tftest.hcl")
    tests.write_text(re.sub(r"expect_failures", "# not expected", tests.read_text()))

    assert written != set()
    assert refusals.refusing(module) == set()
