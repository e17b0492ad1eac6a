"""One lab on this machine: its name, its folders, and its state while it is up."""

import json
import os
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import boto3

from labswarm.errors import BadInput
from labswarm_emulator.emulator import REGION
from labswarm_lab.nodes.place import Place
from labswarm_operator.account import Clients
from labswarm_operator.refusal import Refusal

DEFAULT = "lab"


@dataclass(frozen=True)
class Aws:
    """The AWS of an emulator."""

    url: str

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator, which takes any credentials."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the service is a variable here
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="lab",
            aws_secret_access_key="lab",  # noqa: S106
        )


@dataclass(frozen=True)
class Running:
    """Where the parts of a lab that is up are; `hub` is None with simulated nodes."""

    simulated: bool
    emulator: str
    chef: str
    chef_organization: str | None
    chef_ca_pem: str
    hub: str | None
    manager: str
    latency: str


@dataclass(frozen=True)
class Lab:
    """A lab by name, up or not; the name is its cluster's too."""

    place: Place

    @classmethod
    def named(cls, name: str) -> "Lab":
        """The lab of this name. Raises Refusal when the name is none."""
        try:
            return cls(Place.of(name))
        except BadInput as error:
            raise Refusal(str(error)) from error

    @property
    def cluster(self) -> str:
        return self.place.lab

    def command(self, words: str) -> str:
        """Return a command of this lab in backquotes, for a message: it never means another lab."""
        usual = os.environ.get("LABSWARM_LAB", DEFAULT)
        name = "" if self.cluster == usual else f" --name {self.cluster}"
        return f"`labswarm lab{name} {words}`"

    @property
    def homes(self) -> Path:
        """The students' homes, the one thing that stays after the lab."""
        return self.place.homes

    @property
    def emulator_dir(self) -> Path:
        return self.place.state_dir / "emulator"

    @property
    def chef_dir(self) -> Path:
        return self.place.state_dir / "chef"

    @property
    def hub_dir(self) -> Path:
        return self.place.state_dir / "hub"

    @property
    def parts(self) -> tuple[Path, ...]:
        """The files that end with the lab, besides its machines and their registry."""
        return (self.emulator_dir, self.chef_dir, self.hub_dir, self._file)

    @property
    def running(self) -> Running:
        """Raises Refusal when the lab is not up."""
        try:
            return Running(**json.loads(self._file.read_text()))
        except FileNotFoundError:
            raise Refusal(f"The lab {self.cluster!r} is not up. {self._remedy}") from None

    @property
    def _remedy(self) -> str:
        up = [path.parent.name for path in self.place.state_root.glob(f"*/{self._file.name}")]
        near = get_close_matches(self.cluster, up, n=1)
        if near:
            return f"Did you mean `--name {near[0]}`?"
        return f"Run {self.command('up')}."

    def is_up(self) -> bool:
        """Whether it was brought up, to the end, and not down since."""
        return self._file.exists()

    def write_running(self, running: Running) -> None:
        """From now on the lab is up."""
        self._file.write_text(json.dumps(asdict(running), indent=1))

    def client(self, service: str) -> Any:
        """A boto3 client of the lab's emulator. Raises Refusal when the lab is not up.

        The logs of the lab's hub are in the lab, and not in the emulator.
        """
        if service == "logs":
            from labswarm_lab.logs import hub_logs

            return hub_logs(self)
        return Aws(self.running.emulator).client(service)

    @property
    def _file(self) -> Path:
        return self.place.state_dir / "running.json"


def clients(name: str) -> Clients:
    """Return the clients of the lab of this name. Raises Refusal for a name that no lab can have.

    A client raises Refusal if the lab is not up.
    """
    return Lab.named(name).client
