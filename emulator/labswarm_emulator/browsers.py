"""Refuse the requests of web pages.

The emulator checks no credentials and runs commands, so a page in a browser on the same machine
must not reach it. AWS's clients send none of these headers.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_REFUSAL = "The emulator answers no web page. Call it from a program, without the header Origin.\n"


def without_browsers(emulator: "WSGIApplication") -> "WSGIApplication":
    """Answer 403 to each request that a page makes."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if _is_from_a_page(environ):
            return Response(_REFUSAL, 403)(environ, start_response)
        return emulator(environ, start_response)

    return application


def _is_from_a_page(environ: "WSGIEnvironment") -> bool:
    # A browser names the page's origin with every POST: https://fetch.spec.whatwg.org/#origin-header.
    # A GET without it says whether a page made it, `none` when a person typed the address:
    # https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header.
    return "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none"
