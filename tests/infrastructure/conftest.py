"""Terraform offline, for all tests: one provider, one plan of each folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infrastructure.terraform.workspace import BASE, Terraform, missing, provider

SAMPLE = Path(__file__).resolve().parent / "terraform" / "sample"
Prepared = Callable[[Path], Terraform]
Planned = Callable[[Path], dict[str, Any]]

HERE = Path(__file__).resolve().parent
# Measured: these took four of the six minutes of `make check`, and fail only with a change of
# terraform-base, packer or hub/labextension. `make test` and CI run them.
SLOW_FIXTURES = {"terraform", "plan", "sample"}
SLOW_FILES = ("test_terraform", "test_packer", "test_chef_server_first_apply", "test_extension")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run Terraform, Packer, checkov or npm as slow."""
    for item in items:
        if item.path.is_relative_to(HERE) and (
            item.path.stem.startswith(SLOW_FILES)
            or SLOW_FIXTURES & set(getattr(item, "fixturenames", ()))
        ):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """Terraform on a new copy of a folder of terraform-base, initialised."""
    skip_without_terraform()
    with provider(BASE) as attach:

        def prepared(folder: Path) -> Terraform:
            copy = Terraform(folder, attach, tmp_path_factory.mktemp(folder.name))
            copy.init()
            return copy

        yield prepared


@pytest.fixture(scope="session")
def plan(terraform: Prepared) -> Planned:
    """The plan of a folder with its example's values, made once."""
    plans: dict[Path, dict[str, Any]] = {}

    def planned(folder: Path) -> dict[str, Any]:
        if folder not in plans:
            plans[folder] = terraform(folder).plan()
        return plans[folder]

    return planned


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Terraform]]:
    """Terraform on a new copy of the tool's own sample."""
    skip_without_terraform()
    with provider(SAMPLE) as attach:
        yield lambda: Terraform(SAMPLE, attach, tmp_path_factory.mktemp("sample"))


def skip_without_terraform() -> None:
    """Never counted as passed: a test that needs terraform says that it is not there."""
    if reason := missing():
        pytest.skip(f"terraform skipped: {reason}")
