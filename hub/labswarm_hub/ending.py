"""Asking a server to end by itself."""

import aiohttp
from yarl import URL

# A node that was killed answers nothing at all.
PATIENCE_S = 2.0


async def asked_to_end(url: str, key: str, patience_s: float = PATIENCE_S) -> bool:
    """Whether the server at `url` has taken it up, by its notice key, within `patience_s` seconds.

    False where nothing answers, or where its image has not what takes this (labswarm_notice). What
    answers is its student's: the hub goes nowhere else for it.
    """
    # The path is the server's own, escaped as JupyterHub does.
    end = URL(f"{url}labswarm/end", encoded=True)
    headers = {"Authorization": f"labswarm {key}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(patience_s)) as session,
            session.post(end, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status == 202
    except (aiohttp.ClientError, TimeoutError):
        return False
