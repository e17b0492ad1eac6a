"""Ask a student's server to end by itself."""

import aiohttp
from yarl import URL

# A node that was killed answers nothing at all.
PATIENCE_S = 2.0
_LONGEST = 100


async def asked_to_end(url: str, key: str, patience_s: float = PATIENCE_S) -> float | None:
    """Return the seconds since somebody worked on the server at `url`, which agrees to end.

    `key` is its notice key. None when nothing answers within `patience_s` seconds, or when its
    image has no labswarm_notice. The answer comes from the student's own process: it follows no
    redirect and is short.
    """
    # The path is the server's own, escaped as JupyterHub does.
    end = URL(f"{url}labswarm/end", encoded=True)
    headers = {"Authorization": f"labswarm {key}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(patience_s)) as session,
            session.post(end, headers=headers, allow_redirects=False) as answer,
        ):
            return _seconds(await answer.content.read(_LONGEST)) if answer.status == 202 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


def _seconds(content: bytes) -> float:
    try:
        return float(content)
    except ValueError:  # a worker of an older version
        return 0.0
