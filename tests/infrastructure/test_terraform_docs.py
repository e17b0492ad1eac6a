"""The READMEs of terraform-base: their tables are the files', and nothing is left undescribed."""

from pathlib import Path

import pytest
from tests.infrastructure.terraform import tables
from tests.infrastructure.terraform.workspace import BASE

each_folder = pytest.mark.parametrize(
    "folder", tables.folders(BASE), ids=lambda folder: str(folder.relative_to(BASE))
)


@each_folder
def test_tables_are_up_to_date(folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme == tables.updated(folder, readme), (
        "write them with `python -m tests.infrastructure.terraform tables`"
    )


@each_folder
def test_each_folder_has_a_purpose_before_its_tables(folder: Path) -> None:
    head = (folder / "README.md").read_text(encoding="utf-8").partition(tables.BEGIN)[0]
    assert head.startswith("# ")
    assert len(head.split()) > 30


@each_folder
def test_inputs_and_outputs_are_described_and_inputs_typed(folder: Path) -> None:
    assert tables.undescribed(folder) == []
