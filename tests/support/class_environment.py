"""JupyterHub and dockerspawner in the tests' own process, from the class environment."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = Path(__file__).parents[2] / ".class/lib" / _VERSION / "site-packages"


@contextmanager
def importable() -> Iterator[None]:
    """Find the class environment's packages after the tests' own."""
    sys.path.append(str(PACKAGES))
    try:
        yield
    finally:
        sys.path.remove(str(PACKAGES))
