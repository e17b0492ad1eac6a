"""For all tests of this folder."""

import pytest

# A false fact shows the value seen.
pytest.register_assert_rewrite("tests.support.hardening")
