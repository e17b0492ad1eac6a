"""Check whether a server accepts connections yet."""

import asyncio

# A node that was killed refuses no connection: nothing answers at all, for minutes.
PATIENCE_S = 2.0


async def listens(address: str, port: int, patience_s: float = PATIENCE_S) -> bool:
    """Return whether the address accepts a connection within `patience_s` seconds."""
    try:
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(address, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True
