"""For all tests of this folder."""

import pytest

# A fact that is not so shows what was seen.
pytest.register_assert_rewrite("tests.support.hardening")
