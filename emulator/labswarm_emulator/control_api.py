"""The control API, next to AWS's APIs: cause what AWS has no API for.

`POST /_emulator/<what>/<instance id>`, with interrupt, rebalance, kill, cut or heal; 204 when it
was done. `POST /_emulator/event` with an event as AWS sends it puts it on the default bus, in AWS's
name too; 200 and {"id": ...}.

`GET /_emulator/faults` are the injected faults, and with `/<kind>` that kind's settings, on
or off; `PUT /_emulator/faults/<kind>` switches a kind on with the settings of its body, in place of
those it had; `DELETE` clears it, or all; `faults` has the kinds.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from labswarm_emulator.control import CONTROL, EVENT, FAULTS
from labswarm_emulator.events.bus import Bus, NoEvent
from labswarm_emulator.faults import Faults, NoFault
from labswarm_emulator.links import Links
from labswarm_emulator.record import Record
from labswarm_emulator.spot import NotRunning, Spot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class Controls:
    """The parts that carry out a request to the control API."""

    spot: Spot
    links: Links
    bus: Bus
    faults: Faults
    record: Record


def with_control_api(aws: "WSGIApplication", controls: Controls) -> "WSGIApplication":
    """Add the control API to AWS's APIs."""
    actions: dict[str, Callable[[str], None]] = {
        "interrupt": controls.spot.interrupt,
        "rebalance": controls.spot.recommend_rebalance,
        "kill": controls.spot.kill,
        "cut": controls.links.cut,
        "heal": controls.links.heal,
    }

    def answered(request: Request) -> Response:
        what, _, instance_id = request.path.removeprefix(CONTROL).partition("/")
        if what == FAULTS:
            return _faults(request, instance_id or None)
        if request.method == "POST" and what == EVENT:
            return _put(request)
        if request.method != "POST" or what not in actions:
            known = "|".join(actions)
            return _refusal(
                404,
                f"POST {CONTROL}{{{known}}}/<instance id>, {CONTROL}{EVENT} or {CONTROL}{FAULTS}",
            )
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
            return _json(200, {"id": controls.bus.put(event)})
        except NoEvent as error:
            return _refusal(400, str(error))

    def _faults(request: Request, kind: str | None) -> Response:
        try:
            if request.method == "GET":
                faults = controls.faults
                return _json(200, faults.shown() if kind is None else faults.settings(kind))
            if request.method == "PUT" and kind is not None:
                settings = request.get_json(force=True, silent=True)
                if not isinstance(settings, dict):
                    return _refusal(400, f"the settings of {kind} are no JSON object")
                on = controls.faults.put(kind, settings)
                controls.record.write("faults", "on", kind=kind, settings=on)
                return _json(200, on)
            if request.method == "DELETE":
                controls.faults.clear(kind)
                controls.record.write("faults", "off", kind=kind)
                return Response(status=204)
        except NoFault as error:
            return _refusal(400, str(error))
        return _refusal(
            405, f"GET or DELETE {CONTROL}{FAULTS}, or with PUT {CONTROL}{FAULTS}/<kind>"
        )

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(CONTROL):
            return answered(Request(environ))(environ, start_response)
        return aws(environ, start_response)

    return application


def _refusal(status: int, why: str) -> Response:
    return _json(status, {"error": why})


def _json(status: int, body: object) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
