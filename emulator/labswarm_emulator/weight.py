"""Free memory that the emulator's process does not need.

moto has every region's offers of instance types in memory: the emulator has one region, and in
another no type is offered. Freed memory goes back to the machine only on request to the C library
(mallopt(3), malloc_trim(3); glibc alone has them), and each arena of its allocator keeps its own.
"""

import ctypes
import gc

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from labswarm_emulator.emulator import REGION

M_ARENA_MAX = -8
ARENAS = 2


def shed() -> None:
    """Release memory that the emulator does not need; call it before it has threads."""
    for offerings in INSTANCE_TYPE_OFFERINGS.values():
        for region in set(offerings) - {REGION}:
            del offerings[region]
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.mallopt(M_ARENA_MAX, ARENAS)
        libc.malloc_trim(0)
