"""Requests to the emulator's own API, for actions that AWS has no API for."""

from collections.abc import Mapping
from typing import Any

import urllib3

from labswarm_emulator.control import CONTROL, EVENT, FAULTS
from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Failure, Refusal

_PATIENCE_S = 10


def ask_emulator(lab: Lab, what: str, instance_id: str) -> None:
    """Run an action on an instance. Raises Refusal as the emulator does, or Failure."""
    _ask(lab, "POST", f"{what}/{instance_id}")


def put_event(lab: Lab, event: Any) -> str:
    """Put an event on the bus; return its id. Raises Refusal as the emulator does, or Failure."""
    return str(_ask(lab, "POST", EVENT, event).json()["id"])


def faults_on(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return the settings of each kind of fault that is on. Raises Failure."""
    on: dict[str, dict[str, Any]] = _ask(lab, "GET", FAULTS).json()
    return on


def put_fault(lab: Lab, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Set a kind of fault; return all its settings. Raises as `put_event` does."""
    on: dict[str, Any] = _ask(lab, "PUT", f"{FAULTS}/{kind}", settings).json()
    return on


def clear_faults(lab: Lab, kind: str | None) -> None:
    """Clear one kind of fault, or all. Raises Failure."""
    _ask(lab, "DELETE", f"{FAULTS}/{kind}" if kind else FAULTS)


def _ask(lab: Lab, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    url = f"{lab.running.emulator}{CONTROL}{path}"
    try:
        answer = urllib3.request(method, url, json=body, timeout=_PATIENCE_S, retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise Failure(
            f"The AWS emulator does not answer: {error}. See {lab.command('logs')}."
        ) from error
    if answer.status >= 300:
        raise Refusal(str(answer.json()["error"]))
    return answer
