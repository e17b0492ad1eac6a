"""The plane's own door, beside AWS's APIs: what an operator of the lab has happen.

`POST /_plane/<what>/<instance id>`, with interrupt, rebalance, kill, cut or heal; 204 when it was
done. `POST /_plane/event` with an event as AWS sends it puts it on the default bus, in AWS's name
too; 200 and {"id": ...}.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from labswarm_lab.plane.events.bus import Bus, NoEvent
from labswarm_lab.plane.links import Links
from labswarm_lab.plane.spot import NotRunning, Spot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DOOR = "/_plane/"
EVENT = "event"


@dataclass(frozen=True)
class Door:
    """Who does what is asked for at the door."""

    spot: Spot
    links: Links
    bus: Bus


def with_door(aws: "WSGIApplication", door: Door) -> "WSGIApplication":
    """AWS's APIs, and the door beside them."""
    actions: dict[str, Callable[[str], None]] = {
        "interrupt": door.spot.interrupt,
        "rebalance": door.spot.recommend_rebalance,
        "kill": door.spot.kill,
        "cut": door.links.cut,
        "heal": door.links.heal,
    }

    def answered(request: Request) -> Response:
        what, _, instance_id = request.path.removeprefix(DOOR).partition("/")
        if request.method == "POST" and what == EVENT:
            return _put(request)
        if request.method != "POST" or what not in actions:
            known = "|".join(actions)
            return _refusal(404, f"POST {DOOR}{{{known}}}/<instance id>, or {DOOR}{EVENT}")
        try:
            actions[what](instance_id)
        except NotRunning as error:
            return _refusal(404, str(error))
        return Response(status=204)

    def _put(request: Request) -> Response:
        event = request.get_json(force=True, silent=True)
        if not isinstance(event, dict):
            return _refusal(400, "it is no JSON object")
        try:
            return _json(200, {"id": door.bus.put(event)})
        except NoEvent as error:
            return _refusal(400, str(error))

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(DOOR):
            return answered(Request(environ))(environ, start_response)
        return aws(environ, start_response)

    return application


def _refusal(status: int, why: str) -> Response:
    return _json(status, {"error": why})


def _json(status: int, body: object) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
