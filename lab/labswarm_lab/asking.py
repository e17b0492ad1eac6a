"""Requests to the emulator's control API, for what AWS has no API for."""

from collections.abc import Mapping
from typing import Any

import urllib3

from labswarm_emulator.control import CONTROL, EVENT, FAULTS
from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Failure, Refusal

_PATIENCE_S = 10


def ask_emulator(lab: Lab, what: str, instance_id: str) -> None:
    """Have something happen to an instance. Raises Refusal as the emulator does, or Failure."""
    _ask(lab, "POST", f"{what}/{instance_id}")


def put_event(lab: Lab, event: Any) -> str:
    """Put an event on the emulator's bus; return its id. Raises Refusal or Failure."""
    return str(_ask(lab, "POST", EVENT, event).json()["id"])


def faults_on(lab: Lab) -> dict[str, dict[str, Any]]:
    """The settings of each kind of fault that is on. Raises Failure."""
    on: dict[str, dict[str, Any]] = _ask(lab, "GET", FAULTS).json()
    return on


def put_fault(lab: Lab, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Switch a kind of fault on; return all its settings. Raises Refusal or Failure."""
    on: dict[str, Any] = _ask(lab, "PUT", f"{FAULTS}/{kind}", settings).json()
    return on


def clear_faults(lab: Lab, kind: str | None) -> None:
    """Switch one kind of fault off, or all. Raises Failure."""
    _ask(lab, "DELETE", f"{FAULTS}/{kind}" if kind else FAULTS)


def _ask(lab: Lab, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    url = f"{lab.running.emulator}{CONTROL}{path}"
    try:
        answer = urllib3.request(method, url, json=body, timeout=_PATIENCE_S, retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise Failure(f"the emulator does not answer: {error}") from error
    if answer.status >= 300:
        raise Refusal(str(answer.json()["error"]))
    return answer
