"""The simulation's parts of template.yaml: machines, functions, documents and rules."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from moto.events.models import EventPattern

from labswarm.names import DEFAULT
from tests.simulation.functions import ROOT

_RATE = re.compile(r"rate\((\d+) minutes?\)")
_SCHEDULED = '{"source": "aws.events", "detail-type": "Scheduled Event"}'


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms as their plain values."""


def _plain(loader: yaml.CSafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _plain)


def with_names(text: str, prefix: str = DEFAULT) -> str:
    """A template or a machine with the names of an app of this prefix."""
    named = text.replace("!Ref Prefix", prefix).replace("${Prefix}", prefix)
    # A text in which nothing is left to be replaced.
    return re.sub(r"!Sub ('[^'$\n]*'|[^'\s\[\],{}$|>]+)(?=[\s\]},])", r"\1", named)


def _read(path: str) -> str:
    return (ROOT / path).read_text()


@cache
def resources() -> dict[str, Any]:
    """Each of the template's resources by its logical name."""
    loaded: dict[str, Any] = yaml.load(with_names(_read("template.yaml")), _Loader)["Resources"]  # noqa: S506
    return loaded


def _of(kind: str) -> dict[str, Any]:
    return {n: r["Properties"] for n, r in resources().items() if r["Type"] == kind}


@cache
def functions() -> dict[str, str]:
    """Each function's folder by its name in a machine, such as `${ClaimFunction}`."""
    return {
        f"${{{name}}}": _folder(properties)
        for name, properties in _of("AWS::Serverless::Function").items()
    }


@cache
def timeouts() -> dict[str, float]:
    """Each function's own timeout in seconds, by its folder."""
    return {
        functions()[f"${{{name}}}"]: float(properties.get("Timeout", 3))
        for name, properties in _of("AWS::Serverless::Function").items()
    }


def async_retries(folder: str) -> int:
    """How often a function is tried again after it failed on an event."""
    (properties,) = [p for p in _of("AWS::Serverless::Function").values() if _folder(p) == folder]
    return int(properties.get("EventInvokeConfig", {}).get("MaximumRetryAttempts", 2))


@cache
def machines() -> dict[str, Any]:
    """Each machine's definition by its name."""
    return {
        properties["Name"]: yaml.load(with_names(_read(properties["DefinitionUri"])), _Loader)  # noqa: S506
        for properties in _of("AWS::Serverless::StateMachine").values()
    }


@cache
def documents() -> dict[str, Any]:
    """Each SSM document's content by its name."""
    return {p["Name"]: p["Content"] for p in _of("AWS::SSM::Document").values()}


def started_by(event: Mapping[str, Any]) -> list[str]:
    """The machines that an event starts."""
    rules = _rules("AWS::Serverless::StateMachine")
    return [properties["Name"] for properties, rule in rules if rule.matches_event(event)]


def called_by(event: Mapping[str, Any]) -> list[str]:
    """The functions that an event calls, by their folders."""
    rules = _rules("AWS::Serverless::Function")
    return [_folder(properties) for properties, rule in rules if rule.matches_event(event)]


def schedules() -> dict[str, tuple[float, Any]]:
    """The scheduled calls and starts, with their period and input: by folder or name."""
    found = {}
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine"):
        for properties in _of(kind).values():
            for event in properties.get("Events", {}).values():
                rate = event["Properties"].get("Schedule")
                if rate is not None:
                    match = _RATE.fullmatch(rate)
                    assert match, f"{rate} is no rate of minutes"
                    whose = _folder(properties) if "CodeUri" in properties else properties["Name"]
                    given = json.loads(event["Properties"].get("Input", _SCHEDULED))
                    found[whose] = (60.0 * int(match.group(1)), given)
    return found


@cache
def _rules(kind: str) -> tuple[tuple[dict[str, Any], EventPattern], ...]:
    return tuple(
        (properties, EventPattern.load(json.dumps(_named(event["Properties"]["Pattern"]))))
        for properties in _of(kind).values()
        for event in properties.get("Events", {}).values()
        if "Pattern" in event["Properties"]
    )


def _named(pattern: Any) -> Any:
    """A pattern with the ARNs of the machines that it refers to."""
    machines = _of("AWS::Serverless::StateMachine")
    if isinstance(pattern, dict):
        return {name: _named(value) for name, value in pattern.items()}
    if isinstance(pattern, list):
        return [_named(value) for value in pattern]
    return machine_arn(machines[pattern]["Name"]) if pattern in machines else pattern


def machine_arn(name: str) -> str:
    """A machine's ARN in a simulation."""
    return f"arn:aws:states:eu-west-1:123456789012:stateMachine:{name}"


def _folder(properties: Mapping[str, Any]) -> str:
    return str(properties["CodeUri"]).strip("/").split("/")[-1]
