"""The plane's own door, beside AWS's APIs: what an operator of the lab has happen to an instance.

`POST /_plane/<what>/<instance id>`, with interrupt, rebalance or kill; 204 when it was done.
"""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from labswarm_lab.plane.spot import NotRunning, Spot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DOOR = "/_plane/"


def with_door(aws: "WSGIApplication", spot: Spot) -> "WSGIApplication":
    """AWS's APIs, and the door beside them."""
    actions: dict[str, Callable[[str], None]] = {
        "interrupt": spot.interrupt,
        "rebalance": spot.recommend_rebalance,
        "kill": spot.kill,
    }

    def answered(request: Request) -> Response:
        what, _, instance_id = request.path.removeprefix(DOOR).partition("/")
        if request.method != "POST" or what not in actions:
            return _refusal(404, f"POST {DOOR}{{{'|'.join(actions)}}}/<instance id>")
        try:
            actions[what](instance_id)
        except NotRunning as error:
            return _refusal(404, str(error))
        return Response(status=204)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(DOOR):
            return answered(Request(environ))(environ, start_response)
        return aws(environ, start_response)

    return application


def _refusal(status: int, why: str) -> Response:
    return Response(json.dumps({"error": why}), status, content_type="application/json")
