"""A kind of fault, and the checks of its settings."""

from fnmatch import fnmatchcase
from typing import Any, ClassVar, Protocol

from labswarm_emulator import actions

ANY = "*"


class NoFault(ValueError):
    """The emulator cannot have this fault; the message says why."""


class Fault(Protocol):
    """One kind of fault: a frozen dataclass that refuses bad values with NoFault."""

    kind: ClassVar[str]

    def __init__(self, **settings: Any) -> None: ...


def whole(where: str, value: object) -> None:
    """Refuse a value that is no whole number from 1. Raises NoFault."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise NoFault(f"{where} is a whole number from 1, not {value!r}")


def share(kind: str, name: str, value: object) -> None:
    """Refuse what is no number from 0 to 1. Raises NoFault."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NoFault(f"{kind}.{name} is a share from 0 to 1, not {value!r}")


def seconds(kind: str, name: str, value: object) -> None:
    """Refuse what is no number of seconds up to a day. Raises NoFault."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise NoFault(f"{kind}.{name} is a time from 0 to 86400 s, not {value!r}")


def an_action(where: str, action: object) -> None:
    """Refuse what is no action that the emulator can be asked for. Raises NoFault."""
    if not any(fnmatchcase(known, str(action)) for known in actions.known()):
        raise NoFault(f"{where} has {action!r}: an action is like ssm:SendCommand, or ssm:*")


def names(fault: Fault, name: str) -> None:
    """Keep a list of texts as a tuple. Raises NoFault for anything else."""
    value = getattr(fault, name)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise NoFault(f"{fault.kind}.{name} is a list of texts, not {value!r}")
    object.__setattr__(fault, name, tuple(value))
