"""The settings of the lab's machines: written once by `lab up`, read by the emulator."""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from labswarm.errors import BadInput
from labswarm_lab.nodes.place import Place

FILE = "nodes.json"
STAND_IN = "labswarm-chef-client"


@dataclass(frozen=True)
class NodesSettings:
    """One lab's machines.

    `subnet` is k in 10.98.k.0/24, `heartbeat_s` the Swarm's (seconds; Docker's default is 5);
    `images` are those that a node pulls if it is given none, and `bin_dir` has the nodes' tools.
    """

    place: Place
    subnet: int
    cluster: str
    region: str
    aws_url: str
    join_secret: str
    chef_url: str
    chef_ca_file: Path | None
    kind: Literal["namespaces", "simulated"] = "namespaces"
    chef_organization: str | None = None
    chef_client: str = STAND_IN
    images: tuple[str, ...] = ()
    hub_token_file: Path = Path("/nonexistent")
    # With 1 s, the hub's machine counts as down, and the hub restarts, when a busy computer does
    # not run it for 2.5 s.
    heartbeat_s: int = 2
    bin_dir: Path = Path(sys.executable).parent

    @property
    def gateway(self) -> str:
        """This machine's address on the lab's bridge."""
        return f"10.98.{self.subnet}.1"

    @property
    def manager_address(self) -> str:
        """The hub's address: the Swarm's manager."""
        return self.address(10)

    @property
    def hub_api_url(self) -> str:
        return f"http://{self.manager_address}:8081/hub/api"

    @property
    def proxy_url(self) -> str:
        """Where students' servers are reached."""
        return f"http://{self.manager_address}:8000"

    @property
    def file(self) -> Path:
        """Where `write` leaves them."""
        return self.place.nodes_dir / FILE

    def address(self, number: int) -> str:
        """The address of the machine with this number."""
        return f"10.98.{self.subnet}.{number}"

    def with_images(self, *images: str) -> "NodesSettings":
        """The same with these images; machines booted from then on know them."""
        return replace(self, images=images)

    def of_cluster(self, cluster: str) -> "NodesSettings":
        """The same for the machines of one of the lab's clusters."""
        return replace(self, cluster=cluster)

    def write(self) -> None:
        """Leave them where `read` and the emulator find them."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.to_json())

    @classmethod
    def read(cls, place: Place) -> "NodesSettings":
        """The settings that `write` wrote. Raises BadInput where there is nothing."""
        try:
            return cls.parse((place.nodes_dir / FILE).read_text())
        except OSError as error:
            raise BadInput("lab", f"{place.lab} is not up ({error.strerror}); bring it up") from (
                error
            )

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str) -> "NodesSettings":
        """Read the JSON that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        place = values["place"]
        values["place"] = Place(place["lab"], Path(place["state_root"]), Path(place["run_root"]))
        values["images"] = tuple(values["images"])
        for name in ("chef_ca_file", "hub_token_file", "bin_dir"):
            values[name] = None if values[name] is None else Path(values[name])
        return cls(**values)
