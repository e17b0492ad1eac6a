"""The lifecycle hooks of one group in memory."""

from collections import Counter
from collections.abc import Mapping

from labswarm.errors import BadInput, LabswarmError
from labswarm.lifecycle.hooks import Result


class TwinHooks:
    """Implements labswarm.lifecycle.hooks.Hooks: the hooks `launch` and `terminate` of a group, and
    the tokens that wait in them.

    `instances` maps each instance to the token that it waits with. `refused` are tokens whose
    heartbeats meet an error; `beats` counts those of each.
    """

    def __init__(
        self, *tokens: str, timeout_s: int = 600, instances: Mapping[str, str] | None = None
    ) -> None:
        self.waiting = set(tokens)
        self.instances = instances or {}
        self.results: dict[str, Result] = {}
        self.timeout = timeout_s
        self.beats: Counter[str] = Counter()
        self.refused: dict[str, LabswarmError] = {}

    def timeout_s(self, asg: str, hook: str) -> int:
        if (asg, hook) not in {("labswarm-lab-workers", h) for h in ("launch", "terminate")}:
            raise BadInput(
                "detail.LifecycleHookName", f"{asg} has no hook {hook!r}; apply the cluster's stack"
            )
        return self.timeout

    def heartbeat(self, asg: str, hook: str, token: str) -> bool:
        self.timeout_s(asg, hook)
        token = self.instances.get(token, token)
        if token in self.refused:
            raise self.refused[token]
        if token not in self.waiting:
            return False
        self.beats[token] += 1
        return True

    def complete(self, asg: str, hook: str, token: str, result: Result) -> None:
        self.timeout_s(asg, hook)
        token = self.instances.get(token, token)
        if token in self.waiting:
            self.waiting.remove(token)
            self.results[token] = result
