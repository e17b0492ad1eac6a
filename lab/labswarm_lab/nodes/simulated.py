"""The emulator's machines without namespaces: the nodes' own tools over the Swarm's twin.

A script is one command line, as in the app's SSM documents; the called program runs in this
process.
"""

import io
import shlex
from collections.abc import Collection, Mapping, Sequence
from string import Template
from threading import Lock, Thread

from botocore.session import Session

from labswarm.errors import Gone
from labswarm_emulator.machines import Completed, Instance
from labswarm_lab.nodes import numbers
from labswarm_lab.nodes.machine import remove_tree
from labswarm_lab.nodes.node_config import write_node_json
from labswarm_lab.nodes.roles import cluster_of, role_of
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.simulated_students import with_students
from labswarm_lab.nodes.swarm_twin import TOKEN, EngineTwin, SwarmTwin
from labswarm_node import manager, node
from labswarm_node.answer import Answer
from labswarm_node.chef_run import Ended
from labswarm_node.config import NodeConfig
from labswarm_node.hub import HubApi
from labswarm_node.join_secret import JoinSecret, read_join_secret
from labswarm_node.start_report import EventReports, Reports

SNAPSHOT = "swarm.json"
_NOT_FOUND = 127
_HEARTBEATS_MISSED = 3
_NANO = 10**9


class SimulatedMachines:
    """`Machines` that are entries of a SwarmTwin.

    After every change the Swarm is written to the lab's folder, for `swarm_seen` to read.
    """

    def __init__(self, settings: NodesSettings) -> None:
        self._place = settings.place
        self.swarm = SwarmTwin(
            manager=f"{settings.manager_address}:2377",
            down_after_s=_HEARTBEATS_MISSED * settings.heartbeat_s,
        )
        self._engines: dict[str, EngineTwin] = {}
        self._lock = Lock()

    def boot(self, instance: Instance) -> None:
        """Start the machine; the hub's founds the Swarm."""
        settings, instance_id = NodesSettings.read(self._place), instance.instance_id
        settings = settings.of_cluster(cluster_of(instance, settings.cluster))
        role = role_of(instance)
        number = numbers.take(self._place, instance_id, role)
        write_node_json(settings, instance_id, role, settings.address(number))
        begin = self.swarm.found if role == "hub" else self.swarm.start
        size = (instance.memory_bytes, instance.cpus * _NANO)
        engine = begin(instance_id, *size, cluster=settings.cluster)
        with self._lock:
            self._engines[instance_id] = engine
        self._show()
        if role == "worker":
            Thread(target=self._report_start, args=(instance_id,), daemon=True).start()

    def run(
        self,
        instance_id: str,
        script: str,
        environment: Mapping[str, str],
        timeout_s: float,  # noqa: ARG002  # nothing here waits
    ) -> Completed:
        """Run a script's commands up to the first that fails; anything but the two tools is not
        found, with exit 127.

        Raises Gone when the machine does not run.
        """
        engine = self._engines.get(instance_id)
        if engine is None:
            raise Gone(f"{instance_id} does not run")
        where = {"LABSWARM_NODE_CONFIG": str(self._place.node_dir(instance_id) / "node.json")}
        code, printed = 0, ""
        for words in commands_of(script, environment):
            answer = self._tool(words, {**environment, **where}, engine)
            if answer is None:
                return Completed(_NOT_FOUND, printed, f"sh: 1: {script.strip()}: not found\n")
            self._show()
            code, printed = answer.exit_code, f"{printed}{answer.line}\n"
            if code != 0:
                break
        return Completed(code, printed, "")

    def terminate(self, instance_id: str) -> None:
        """End the machine; one that is not there is no error."""
        with self._lock:
            engine = self._engines.pop(instance_id, None)
        if engine is not None:
            engine.kill()
            self._show()
        remove_tree(self._place.node_dir(instance_id))

    def _report_start(self, instance_id: str) -> None:
        """As systemd runs it on a worker that boots; it ends with the machine."""
        where = {"LABSWARM_NODE_CONFIG": str(self._place.node_dir(instance_id) / "node.json")}
        engine = self._engines.get(instance_id)
        if engine is not None:
            self._tool(["labswarm-node", "report-start"], where, engine)

    def _reports(self, config: NodeConfig) -> Reports:
        return _Reports(config, self._engines)

    def _tool(
        self, words: Sequence[str], environment: Mapping[str, str], engine: EngineTwin
    ) -> Answer | None:
        match list(words):
            case ["labswarm-node", *arguments]:
                around = node.Surroundings(
                    lambda _: engine, _join_secret, _chef_client, self._reports
                )
                return node.answer(arguments, environment, around)
            case ["labswarm-manager", *arguments]:
                return manager.answer(
                    arguments, environment, manager.Surroundings(lambda _: self.swarm, HubApi)
                )
        return None

    def _show(self) -> None:
        with self._lock:
            path = self._place.nodes_dir / SNAPSHOT
            part = path.with_suffix(".part")
            part.write_text(self.swarm.to_json())
            part.replace(path)


class _Reports(EventReports):
    """Those of a machine, for as long as it runs."""

    def __init__(self, config: NodeConfig, running: Collection[str]) -> None:
        super().__init__(config, _session())
        self._instance_id = config.instance_id
        self._running = running

    def report(self) -> None:
        if self._instance_id not in self._running:
            raise Gone(f"{self._instance_id} does not run")
        super().report()


def swarm_seen(settings: NodesSettings) -> SwarmTwin:
    """The simulated Swarm as it stands, to be looked at from another process."""
    path = settings.place.nodes_dir / SNAPSHOT
    if not path.exists():
        return SwarmTwin()
    return SwarmTwin.parse(with_students(path.read_text(), settings.place))


def simulated_join_secret(settings: NodesSettings) -> JoinSecret:
    """The token with which simulated workers join."""
    return JoinSecret(TOKEN, f"{settings.manager_address}:2377")


def commands_of(script: str, environment: Mapping[str, str]) -> list[list[str]]:
    """The words of each command of a line, with `&&` between them, its variables filled in as a
    shell would.

    Of a script of several lines one command without words: nothing here is a shell.
    """
    if len(script.strip().splitlines()) != 1:
        return [[]]
    commands: list[list[str]] = [[]]
    # Split before the values are filled in: in quotes they stay one word, with any content.
    for word in shlex.split(script):
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(Template(word).safe_substitute(environment))
    return commands


def _join_secret(config: NodeConfig) -> JoinSecret:
    return read_join_secret(config, _session())


def _session() -> Session:
    """With credentials of its own, for there is no instance's role; the emulator takes any."""
    session = Session()
    session.set_credentials("lab", "lab")
    return session


def _chef_client(command: Sequence[str], timeout_s: float) -> Ended:  # noqa: ARG001  # in process
    from labswarm_lab.chef import client

    output = io.StringIO()
    return Ended(client.run(client.parse_arguments(command[1:]), output), output.getvalue())
