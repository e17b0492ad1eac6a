"""JupyterHub on this host: a service of the Swarm, whose settings it reads when it starts."""

import json
import urllib.request
from typing import Any

from labswarm.errors import Permanent, Transient
from labswarm_node.engine_api import EngineApi
from labswarm_node.engine_errors import OutOfSequence

SERVICE = "labswarm-hub"
_ATTEMPTS = 5
_ANSWER_S = 3.0
# By itself; a task that Swarm ends is `shutdown`.
_ENDED = frozenset({"complete", "failed", "rejected"})


class SwarmHub:
    """`RunningHub` as the service SERVICE of this manager's Swarm."""

    def __init__(self, docker_host: str, api_url: str) -> None:
        self._api = EngineApi(docker_host)
        self._url = api_url.rstrip("/") + "/"

    def restart(self) -> int:
        """As `docker service update --force`: the old task ends before the new one starts."""
        for _ in range(_ATTEMPTS):
            service = self._api.call("GET", f"/services/{SERVICE}")
            template: dict[str, Any] = service["Spec"]["TaskTemplate"]
            start = int(template.get("ForceUpdate", 0)) + 1
            spec = {**service["Spec"], "TaskTemplate": {**template, "ForceUpdate": start}}
            version = str(service["Version"]["Index"])
            try:
                self._api.call("POST", f"/services/{SERVICE}/update", {"version": version}, spec)
            except OutOfSequence:
                continue
            return start
        raise Transient(f"{SERVICE} was changed by others {_ATTEMPTS} times in a row")

    def answers(self, start: int) -> bool:
        tasks = self._api.call("GET", "/tasks", {"filters": json.dumps({"service": [SERVICE]})})
        ours = [task for task in tasks if int(task["Spec"].get("ForceUpdate", 0)) >= start]
        for task in ours:
            if task["Status"]["State"] in _ENDED:
                why = (
                    task["Status"].get("Err") or task["Status"].get("Message") or "no reason given"
                )
                raise Permanent(f"the hub ended when it started ({why}); see its log")
        runs = any(task["Status"]["State"] == "running" for task in ours)
        return runs and self._responds()

    def _responds(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=_ANSWER_S) as answer:  # noqa: S310  # http
                return bool(answer.status == 200)
        except OSError:
            return False
