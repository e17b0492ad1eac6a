"""Where a timetable's text comes from: an SSM parameter, or a web server."""

import time
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import HTTPError

from labswarm.aws.errors import named
from labswarm.errors import BadInput, Transient
from labswarm.lab_hours.calendar_text import MOST_BYTES, decoded

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_PARAMETER = "ssm:"
_URL = "https://"
_TIMEOUT = urllib3.Timeout(connect=3, read=5)
WHOLE_S = 10.0
"""How long a feed may take to come, however it trickles (seconds)."""
_CHUNK = 65_536


class SsmAndWebFeeds:
    """Implements labswarm.lab_hours.feed.Feeds for `ssm:/name` and `https://...`."""

    def __init__(self, client: "SSMClient", web: urllib3.PoolManager) -> None:
        self._client = client
        self._web = web

    def read_feed(self, where: str) -> str:
        if where.startswith(_PARAMETER):
            return self._parameter(where.removeprefix(_PARAMETER))
        if where.startswith(_URL):
            return fetched(self._web, where)
        raise BadInput("timetable", f"is {where!r}; give an https URL, or ssm:/name")

    def _parameter(self, name: str) -> str:
        with named():
            return self._client.get_parameter(Name=name)["Parameter"]["Value"]


def fetched(web: urllib3.PoolManager, url: str, whole_s: float = WHOLE_S) -> str:
    """Fetch a URL without following redirects, in bounded time and memory."""
    try:
        answer = web.request(
            "GET", url, timeout=_TIMEOUT, retries=False, redirect=False, preload_content=False
        )
        try:
            if answer.status != 200:
                raise Transient(f"the timetable's server answered {answer.status}")
            return decoded(_body(answer, time.monotonic() + whole_s))
        finally:
            answer.close()
    except HTTPError as error:
        raise Transient(f"the timetable's server does not answer: {error}") from error


def _body(answer: urllib3.BaseHTTPResponse, until: float) -> bytes:
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadInput("timetable", f"is over {MOST_BYTES} bytes; give a feed of the labs only")
        if time.monotonic() > until:
            raise Transient("the timetable's server did not send the whole timetable in time")
    return bytes(body)
