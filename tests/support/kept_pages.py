"""The pages of a failed test, kept for the person who looks for the cause."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.support.student_page import StudentPage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Keep each student's page that a failed test has as a fixture."""
    report = yield
    if report.when == "call" and report.failed:
        for name, value in item.funcargs.items():
            if isinstance(value, StudentPage):
                value.keep(f"{item.name}-{name}")
    return report
