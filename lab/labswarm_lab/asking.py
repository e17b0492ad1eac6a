"""Asking at the plane's own door, for what AWS has no API for."""

from typing import Any

import urllib3

from labswarm_lab.lab import Lab
from labswarm_lab.plane.control import DOOR, EVENT
from labswarm_lab.refusal import Failure, Refusal

_PATIENCE_S = 10


def ask_plane(lab: Lab, what: str, instance_id: str) -> None:
    """Have something happen to an instance. Raises Refusal as the plane does, or Failure."""
    _post(lab, f"{what}/{instance_id}", None)


def put_event(lab: Lab, event: Any) -> str:
    """Put an event on the plane's bus; its id. Raises Refusal as the plane does, or Failure."""
    return str(_post(lab, EVENT, event).json()["id"])


def _post(lab: Lab, path: str, body: Any) -> urllib3.BaseHTTPResponse:
    url = f"{lab.running.plane}{DOOR}{path}"
    try:
        answer = urllib3.request("POST", url, json=body, timeout=_PATIENCE_S, retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise Failure(f"the plane does not answer: {error}") from error
    if answer.status >= 300:
        raise Refusal(str(answer.json()["error"]))
    return answer
