"""The machines of instances: each with an agent, a Docker engine, and the node's own tools."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labswarm.commands.started import DETAIL_TYPE, AgentStarted, source
from labswarm.errors import Gone, Transient
from labswarm.names import DEFAULT
from labswarm_lab.nodes.simulated import commands_of
from labswarm_lab.nodes.swarm_twin import TOKEN, EngineTwin, SwarmTwin
from labswarm_node import manager, node
from labswarm_node.answer import Answer
from labswarm_node.hub import Hub
from labswarm_node.join_secret import JoinSecret
from tests.simulation.agents import Machine, SsmTwin
from tests.simulation.chef import ChefTwin
from tests.simulation.virtual_time import VirtualTime

BOOT_S = 45.0
REGISTERS_S = 2.0
"""How long after the start of a worker's agent Systems Manager knows it."""
SIZE = (2 * 2**30, 2_000_000_000)
"""Bytes of memory, and billionths of a core."""
# The kind of key does not matter here, and this kind is read a hundred times faster.
_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)


class _Reports:
    """Reports of a machine, while it runs and has a connection."""

    def __init__(self, instance_id: str, workers: "Workers") -> None:
        self._instance_id = instance_id
        self._workers = workers

    def report(self) -> None:
        workers, instance_id = self._workers, self._instance_id
        if instance_id not in workers.engines:
            raise Gone(f"{instance_id} does not run")
        if instance_id in workers.silent:
            raise Transient("no connection")
        detail = AgentStarted(instance_id).detail()
        event = {"source": source(DEFAULT), "detail-type": DETAIL_TYPE, "detail": detail}
        workers.put_event(event)


class Workers:
    """Every machine that runs, the hub's too, by instance id."""

    def __init__(
        self, root: Path, time: VirtualTime, swarm: SwarmTwin, hub: Hub, chef: ChefTwin
    ) -> None:
        self._root = root
        self._time = time
        self._swarm = swarm
        self._hub = hub
        self._chef = chef
        self.engines: dict[str, EngineTwin] = {}
        self.silent: set[str] = set()
        """The instances that nobody hears."""
        self.ssm: SsmTwin
        self.put_event: Callable[[Mapping[str, Any]], None]

    def found(self, instance_id: str, cluster: str) -> None:
        """The hub's machine, with which the Swarm begins."""
        self.engines[instance_id] = self._swarm.found(instance_id, *SIZE)
        self.ssm.machines[instance_id] = Machine(instance_id, online=True)
        self._configure(instance_id, cluster, "hub")

    def boot(self, instance_id: str, cluster: str) -> None:
        """A worker's machine, whose agent is online 45 s later; it reports that from 2 s before."""
        machine = self.ssm.machines[instance_id] = Machine(instance_id)
        self._configure(instance_id, cluster, "worker")
        self.engines[instance_id] = self._swarm.start(instance_id, *SIZE, cluster=cluster)

        def up() -> None:
            machine.online = self.ssm.machines.get(instance_id) is machine

        def report() -> None:
            if instance_id in self.engines:
                self._run(instance_id, ["labswarm-node", "report-start"], {})

        self._time.spawn(up, f"boot of {instance_id}", BOOT_S)
        self._time.spawn(report, f"report of {instance_id}", BOOT_S - REGISTERS_S)

    def end(self, instance_id: str) -> bool:
        """End a machine at once; whether it ran."""
        machine = self.ssm.machines.pop(instance_id, None)
        if machine is None:
            return False
        machine.online = False
        self.engines.pop(instance_id).kill()
        return True

    def cut(self, instance_id: str) -> None:
        """Neither the Swarm nor AWS hears of a machine any more, until it is healed."""
        self.ssm.machines[instance_id].online = False
        self.silent.add(instance_id)
        self.engines[instance_id].cut()

    def heal(self, instance_id: str) -> None:
        """A machine that was cut off is heard of again; one that has ended is not."""
        if instance_id in self.engines:
            self.ssm.machines[instance_id].online = True
            self.silent.discard(instance_id)
            self.engines[instance_id].heal()

    def tool(
        self, instance_id: str, script: str, environment: Mapping[str, str]
    ) -> tuple[int, str]:
        """Run a document's script there, up to the first command that fails."""
        printed = ""
        for command in commands_of(script, environment):
            answer = self._run(instance_id, command, environment)
            printed += answer.line + "\n"
            if answer.exit_code != 0:
                return answer.exit_code, printed
        return 0, printed

    def _run(self, instance_id: str, command: list[str], environment: Mapping[str, str]) -> Answer:
        """One of the two tools."""
        tool, *arguments = command
        description = {
            **environment,
            "LABSWARM_NODE_CONFIG": str(self._root / instance_id / "node.json"),
        }
        if tool == "labswarm-node":
            if arguments == ["identify"]:
                (self._root / instance_id / "key.pem").write_bytes(_KEY)
            around = node.Surroundings(
                lambda _: self.engines[instance_id],
                lambda _: JoinSecret(TOKEN, self._swarm.manager),
                self._chef.converge,
                lambda _: _Reports(instance_id, self),
                self._time,
            )
            return node.answer(arguments, description, around)
        surroundings = manager.Surroundings(lambda _: self._swarm, lambda _: self._hub, self._time)
        return manager.answer(arguments, description, surroundings)

    def _configure(self, instance_id: str, cluster: str, role: str) -> None:
        folder = self._root / instance_id
        folder.mkdir()
        config = {
            "cluster": cluster,
            "instance_id": instance_id,
            "role": role,
            "region": "eu-west-1",
            "docker_host": "unix:///nowhere",
            "advertise_address": "10.98.0.10",
            "join_secret": "join",
            "images": [],
            "chef": {
                "url": "https://chef.invalid",
                "node_name": f"{cluster}-{instance_id}",
                "key_file": str(folder / "key.pem"),
                "client": "chef-client",
            },
            "hub": {"api_url": "http://127.0.0.1:8081/hub/api", "token_file": "/nowhere"},
            "state_dir": str(folder / "moves"),
        }
        (folder / "node.json").write_text(json.dumps(config))
