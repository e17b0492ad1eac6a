"""Faults of the account and of its instances' software: small quotas, old SSM agents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from labswarm_emulator.faults.fault import NoFault


@dataclass(frozen=True)
class QuotaFaults:
    """Quotas of the account with other values than AWS's defaults: `{"L-34B43A08": 8}`.

    Service Quotas reports them. EC2 does not hold launches against them.
    """

    kind: ClassVar[str] = "quotas"
    values: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise NoFault(f"{self.kind}.values is a number for each code, not {self.values!r}")
        for code, value in self.values.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise NoFault(f"{self.kind}.values.{code} is a number from 0, not {value!r}")
        object.__setattr__(self, "values", dict(self.values))


@dataclass(frozen=True)
class AgentFaults:
    """SSM agents of another version than the emulator's own."""

    kind: ClassVar[str] = "agents"
    version: str = ""
    """Such as `3.2.582.0`; empty for the emulator's own."""

    def __post_init__(self) -> None:
        if not isinstance(self.version, str):
            raise NoFault(f"{self.kind}.version is a text, not {self.version!r}")
