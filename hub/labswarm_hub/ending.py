"""Ask a student's server to end by itself."""

import aiohttp
from yarl import URL

# A node that was killed answers nothing at all.
PATIENCE_S = 2.0


async def asked_to_end(url: str, key: str, patience_s: float = PATIENCE_S) -> bool:
    """Return whether the server at `url` agrees to end within `patience_s` seconds.

    `key` is its notice key. False when nothing answers, or when its image has no labswarm_notice.
    The answer comes from the student's own process, so the hub follows no redirect in it.
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
