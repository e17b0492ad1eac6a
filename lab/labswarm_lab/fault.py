"""`labswarm lab fault`: what goes wrong on the emulator because someone wants it to.

A kind is a dataclass of the emulator's, and each of its fields is an option here: what the emulator
can have go wrong, the command can.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import click

from labswarm_emulator.faults import KINDS, Fault
from labswarm_lab.asking import clear_faults, faults_on, put_fault
from labswarm_operator.refusal import Refusal
from labswarm_operator.refusing import refusing


@click.group()
def fault() -> None:
    """What goes wrong on the emulator on purpose, until it is cleared."""


@fault.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, a field a kind.")
@click.pass_obj
def list_(lab: Any, as_json: bool) -> None:
    """The faults that are on."""
    with refusing():
        on = faults_on(lab)
    if as_json:
        click.echo(json.dumps(on))
    else:
        for line in worded(on):
            click.echo(line)


@fault.group("set", subcommand_metavar="KIND [OPTIONS]")
def set_() -> None:
    """Switch on the faults of a kind, in place of those it had."""


@fault.command()
@click.argument(
    "kind", metavar="[KIND]", required=False, type=click.Choice([kind.kind for kind in KINDS])
)
@click.pass_obj
def clear(lab: Any, kind: str | None) -> None:
    """Switch the faults of KIND off, or all; none that is on is no error."""
    with refusing():
        clear_faults(lab, kind)


def worded(on: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each kind that is on, with what is set of it; one where none is."""
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
                raise Refusal(f"KIND {kind.kind}: say what goes wrong, with {options}")
            on = put_fault(context.obj, kind.kind, settings)
        for line in worded({kind.kind: on}):
            click.echo(line)

    types = get_type_hints(kind)
    return click.Command(
        kind.kind,
        callback=switch,
        help=_said_of(kind),
        params=[_option(field, types[field.name]) for field in _settings(kind)],
    )


def _option(field: "dataclasses.Field[Any]", kind: Any) -> click.Option:
    """The option of a setting: several times for a list, NAME=NUMBER for a count by name."""
    name = f"--{field.name.replace('_', '-')}"
    usual = _usual(field)
    several = get_origin(kind)
    if several is tuple:
        return click.Option([name], multiple=True, metavar="NAME", help="Again for each.")
    if isinstance(usual, dict):
        return click.Option([name], multiple=True, type=Counted(), help="Again for each.")
    alone = next((one for one in get_args(kind) if one is not type(None)), kind)
    return click.Option([name], type=alone, help="" if usual is None else f"By default {usual}.")


class Counted(click.ParamType):
    """NAME=NUMBER, as a pair."""

    name = "NAME=NUMBER"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        name, _, number = str(value).rpartition("=")
        if not name or not number.isdecimal():
            self.fail(f"{value!r} is no NAME=NUMBER.", param, ctx)
        return name, int(number)


def _value(value: Any) -> Any:
    """Return an option's value as the control API takes it."""
    pairs = isinstance(value, tuple) and all(isinstance(one, tuple) for one in value)
    return dict(value) if pairs else value


def _settings(kind: type[Fault]) -> "list[dataclasses.Field[Any]]":
    fields: Callable[[Any], Any] = dataclasses.fields
    return [field for field in fields(kind) if field.init]


def _usual(field: "dataclasses.Field[Any]") -> Any:
    """What it is by itself, as JSON has it."""
    made = field.default
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
    return json.loads(json.dumps(made))


def _said_of(kind: type[Fault]) -> str:
    """What its docstring says, without where that is from."""
    lines = [line.strip() for line in (kind.__doc__ or "").splitlines()]
    return "\n".join(line for line in lines if not line.startswith("https://"))


for _kind in KINDS:
    set_.add_command(_setting(_kind))
