"""The control API, next to AWS's APIs: cause what AWS has no API for.

`POST /_emulator/<action>/<instance id>`: interrupt, rebalance, kill, cut or heal an instance; 204.
`POST /_emulator/event`: put an event on the default bus, in any service's name; 200 and its id.
`GET /_emulator/faults[/<kind>]`: show the faults that are on, or one kind's settings.
`PUT /_emulator/faults/<kind>`: switch a kind on, with the settings of the body.
`DELETE /_emulator/faults[/<kind>]`: clear all faults, or one kind; 204.
A bad request is answered 400, 404 or 405 with {"error": ...}.
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
    api = ControlApi(controls)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(CONTROL):
            return api.answer(Request(environ))(environ, start_response)
        return aws(environ, start_response)

    return application


class ControlApi:
    """Answers the requests to the control API."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._actions: dict[str, Callable[[str], None]] = {
            "interrupt": controls.spot.interrupt,
            "rebalance": controls.spot.recommend_rebalance,
            "kill": controls.spot.kill,
            "cut": controls.links.cut,
            "heal": controls.links.heal,
        }

    def answer(self, request: Request) -> Response:
        """Carry a request out, and return its answer."""
        what, _, name = request.path.removeprefix(CONTROL).partition("/")
        if what == FAULTS:
            return self._faults(request, name or None)
        if request.method == "POST" and what == EVENT:
            return self._put_event(request)
        if request.method == "POST" and what in self._actions:
            return self._act(what, name)
        known = "|".join(self._actions)
        return _refusal(
            404,
            f"There is no {request.method} {request.path}. POST {CONTROL}{{{known}}}/<instance id> "
            f"or {CONTROL}{EVENT}, or use {CONTROL}{FAULTS}.",
        )

    def _act(self, what: str, instance_id: str) -> Response:
        try:
            self._actions[what](instance_id)
        except NotRunning as error:
            return _refusal(404, str(error))
        return Response(status=204)

    def _put_event(self, request: Request) -> Response:
        event = request.get_json(force=True, silent=True)
        if not isinstance(event, dict):
            return _refusal(400, "The body is no JSON object. Send an event as AWS sends it.")
        try:
            return _json(200, {"id": self._controls.bus.put(event)})
        except NoEvent as error:
            return _refusal(400, str(error))

    def _faults(self, request: Request, kind: str | None) -> Response:
        try:
            if request.method == "GET":
                return self._shown(kind)
            if request.method == "PUT" and kind is not None:
                return self._switched_on(kind, request.get_json(force=True, silent=True))
            if request.method == "DELETE":
                self._controls.faults.clear(kind)
                self._controls.record.write("faults", "off", kind=kind)
                return Response(status=204)
        except NoFault as error:
            return _refusal(400, str(error))
        return _refusal(
            405, f"GET or DELETE {CONTROL}{FAULTS}, or with PUT {CONTROL}{FAULTS}/<kind>"
        )

    def _shown(self, kind: str | None) -> Response:
        faults = self._controls.faults
        return _json(200, faults.shown() if kind is None else faults.settings(kind))

    def _switched_on(self, kind: str, settings: object) -> Response:
        if not isinstance(settings, dict):
            return _refusal(400, f"The settings of {kind} are no JSON object.")
        on = self._controls.faults.put(kind, settings)
        self._controls.record.write("faults", "on", kind=kind, settings=on)
        return _json(200, on)


def _refusal(status: int, why: str) -> Response:
    return _json(status, {"error": why})


def _json(status: int, body: object) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
