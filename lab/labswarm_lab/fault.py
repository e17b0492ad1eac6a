"""`labswarm lab fault`: AWS failures, switched on and off.

A kind of fault is a dataclass of the emulator. Each of its fields is an option here, so the command
can set every fault that the emulator has.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import click

from labswarm_emulator.faults import KINDS, Fault
from labswarm_emulator.faults.fault import ANY
from labswarm_lab import fault_help
from labswarm_lab.asking import clear_faults, faults_on, put_fault
from labswarm_lab.lab import Lab
from labswarm_operator.commands import Choice, Commands
from labswarm_operator.options import json_option
from labswarm_operator.refusal import Refusal
from labswarm_operator.refusing import refusing
from labswarm_operator.suggestions import unknown


@click.group(cls=Commands)
def fault() -> None:
    """Inject AWS failures until you clear them."""


@fault.command("list")
@json_option("one JSON object with a field per kind")
@click.pass_obj
def list_(lab: Any, as_json: bool) -> None:
    """List the faults that are on."""
    with refusing():
        on = faults_on(lab)
    if as_json:
        click.echo(json.dumps(on))
    else:
        for line in worded(on):
            click.echo(line)


@fault.group("set", subcommand_metavar="KIND [OPTIONS]")
def set_() -> None:
    """Set the faults of a kind. Replace those it had."""


@fault.command()
@click.argument(
    "kind",
    metavar="[KIND]",
    required=False,
    type=Choice("kind of fault", [kind.kind for kind in KINDS]),
)
@click.pass_obj
def clear(lab: Any, kind: str | None) -> None:
    """Clear the faults of KIND, or all faults."""
    with refusing():
        clear_faults(lab, kind)


def worded(on: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each kind that is on, with its settings; one line if none is on."""
    usual = {kind.kind: {field.name: _usual(field) for field in _settings(kind)} for kind in KINDS}
    for kind, settings in on.items():
        said = [
            f"{name} {json.dumps(value)}"
            for name, value in settings.items()
            if value != usual[kind][name]
        ]
        yield f"{kind}: {', '.join(said) or 'nothing goes wrong'}"
    if not on:
        yield "No fault is on."


def _setting(kind: type[Fault]) -> click.Command:
    """The command that switches this kind on: an option for each of its settings."""

    def switch(**given: Any) -> None:
        settings = {name: _value(value) for name, value in given.items() if value not in (None, ())}
        context = click.get_current_context()
        with refusing():
            if not settings:
                options = ", ".join(param.opts[0] for param in context.command.params)
                raise Refusal(f"`fault set {kind.kind}` needs an option. Choose from: {options}.")
            _check_names(context.obj, kind.kind, settings)
            on = put_fault(context.obj, kind.kind, settings)
        for line in worded({kind.kind: on}):
            click.echo(line)

    types = get_type_hints(kind)
    return click.Command(
        kind.kind,
        callback=switch,
        help=fault_help.of_kind(kind.kind),
        params=[_option(kind.kind, field, types[field.name]) for field in _settings(kind)],
    )


def _option(of: str, field: "dataclasses.Field[Any]", kind: Any) -> click.Option:
    """The option of a setting: several times for a list, NAME=NUMBER for a count by name."""
    name = f"--{field.name.replace('_', '-')}"
    usual = _usual(field)
    counted = isinstance(usual, dict)
    several = counted or get_origin(kind) is tuple
    said = fault_help.of_setting(of, field.name, several=several, usual=usual)
    if counted:
        return click.Option([name], multiple=True, type=Counted(get_args(kind)[1]), help=said)
    if several:
        return click.Option([name], multiple=True, metavar="NAME", help=said)
    alone = next((one for one in get_args(kind) if one is not type(None)), kind)
    return click.Option([name], type=alone, help=said)


class Counted(click.ParamType):
    """NAME=NUMBER, as a pair; `number` is the type of the number, int or float."""

    name = "NAME=NUMBER"

    def __init__(self, number: type[int] | type[float] = int) -> None:
        self._number = number

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int | float]:
        name, _, text = str(value).rpartition("=")
        whole, _, fraction = text.partition(".")
        digits = whole + fraction if self._number is float else text
        if not name or not digits.isdecimal():
            self.fail(f"{value!r} is not of the form NAME=NUMBER.", param, ctx)
        return name, self._number(text)


def _value(value: Any) -> Any:
    """The value of an option, as the emulator takes it."""
    pairs = isinstance(value, tuple) and all(isinstance(one, tuple) for one in value)
    return dict(value) if pairs else value


def _check_names(lab: Lab, kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse a function that does not exist: its fault would never come."""
    for field in sorted({"crash", "functions"} & settings.keys()):
        pages = lab.client("lambda").get_paginator("list_functions").paginate()
        there = [each["FunctionName"] for page in pages for each in page["Functions"]]
        for name in settings[field]:
            if name not in (ANY, *there):
                raise Refusal(f"fault set {kind} --{field}: {unknown('function', name, there)}")


def _settings(kind: type[Fault]) -> "list[dataclasses.Field[Any]]":
    fields: Callable[[Any], Any] = dataclasses.fields
    return [field for field in fields(kind) if field.init]


def _usual(field: "dataclasses.Field[Any]") -> Any:
    """The default of a setting, as JSON has it."""
    made = field.default
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
    return json.loads(json.dumps(made))


for _kind in KINDS:
    set_.add_command(_setting(_kind))
