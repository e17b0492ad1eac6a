"""For all tests of this folder."""

import pytest
from tests.support.kept_pages import pytest_runtest_makereport  # noqa: F401  # a hook

# A false fact shows the value seen.
pytest.register_assert_rewrite("tests.support.hardening")
