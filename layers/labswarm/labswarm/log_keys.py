"""The keys that every log line of a function has: the instance, the cluster and the execution."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from labswarm.cluster import cluster_of

_LONGEST = 200


def log_keys(event: object) -> dict[str, str]:
    """Read from a function's event, of any kind, the subject that its log lines are about.

    A key is empty where the event names none: a schedule's is about no instance.
    """
    parts = list(_parts(event))
    return {
        "instance": _first(parts, "instance_id", "EC2InstanceId", "instance-id", "instances"),
        "cluster": _first(parts, "cluster") or _cluster(_first(parts, "AutoScalingGroupName")),
        "execution": _first(parts, "owner", "execution", "executionArn"),
    }


def _parts(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in an event that may name its subject, the work first."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if not isinstance(value, Mapping):
        return
    yield from _parts(value.get("work"))
    yield value
    for name in ("action", "detail", "event", "input", "given"):
        yield from _parts(value.get(name))


def _first(parts: list[Mapping[str, Any]], *names: str) -> str:
    """The first text that one of the objects has under one of the names; empty for none."""
    for part in parts:
        for name in names:
            value = part.get(name)
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                value = ",".join(value)
            if isinstance(value, str) and value:
                return value[:_LONGEST]
    return ""


def _cluster(asg: str) -> str:
    return cluster_of(asg) or ""
