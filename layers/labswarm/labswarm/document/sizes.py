"""Amounts of memory as Zero to JupyterHub writes them: bytes, or a number with K, M, G or T.

A unit is a power of 1,024, as in KubeSpawner and JupyterHub's ByteSpecification:
https://jupyterhub.readthedocs.io/en/stable/reference/api/spawner.html#jupyterhub.spawner.Spawner.mem_limit
"""

import re

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TEXT = re.compile(r"(\d+(?:\.\d+)?)([KMGT])")
ALLOWED = "a number of bytes, or a number with K, M, G or T such as 512M or 1.5G"


def memory_bytes(value: object) -> int:
    """Return the bytes of an amount of memory. Raises ValueError for anything else, and for 0."""
    found = 0
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and (match := _TEXT.fullmatch(value)):
        found = int(float(match[1]) * _UNITS[match[2]])
    if found <= 0:
        raise ValueError(ALLOWED)
    return found
