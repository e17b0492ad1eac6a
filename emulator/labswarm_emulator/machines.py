"""The seam between the emulator's EC2 and the lab's machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Instance:
    """An EC2 instance, as its machine has to know it."""

    instance_id: str
    instance_type: str
    memory_bytes: int
    cpus: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Completed:
    """The end of one script on a machine."""

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False


class Machines(Protocol):
    """Where the emulator's instances run."""

    def boot(self, instance: Instance) -> None:
        """Start the machine; returns when its agent can run scripts. Raises on failure."""
        ...

    def run(
        self, instance_id: str, script: str, environment: Mapping[str, str], timeout_s: float
    ) -> Completed:
        """Run a shell script on the machine, with `environment` added to its agent's own."""
        ...

    def terminate(self, instance_id: str) -> None:
        """End the machine at once; ending one that is not there is no error."""
        ...
