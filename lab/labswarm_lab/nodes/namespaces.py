"""The emulator's machines as Docker Engines in namespaces of this machine."""

import subprocess
from collections import defaultdict
from collections.abc import Mapping
from threading import Lock

from labswarm.errors import Permanent
from labswarm_emulator.machines import Completed, Instance
from labswarm_lab.nodes import fitness, machine, numbers, start_report
from labswarm_lab.nodes.node_config import write_node_json
from labswarm_lab.nodes.roles import cluster_of, role_of
from labswarm_lab.nodes.settings import NodesSettings


class NamespaceMachines:
    """`Machines` on the bridge of a lab, which has to be up.

    The state is in the lab's folder and in the kernel: another process can continue.
    """

    def __init__(self, settings: NodesSettings) -> None:
        self._settings = settings
        self._place = settings.place
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._one_at_a_time: defaultdict[str, Lock] = defaultdict(Lock)

    def boot(self, instance: Instance) -> None:
        """Start the machine and wait for its Docker Engine; after a failure nothing is left.

        Raises Permanent with the end of the engine's log.
        """
        instance_id, role = instance.instance_id, role_of(instance)
        with self._one_at_a_time[instance_id]:
            if machine.pid_of(self._place, instance_id) is not None:
                raise Permanent(f"{instance_id} runs already")
            try:
                # Read again for each machine: images and addresses may have been added since.
                settings = NodesSettings.read(self._place)
                settings = settings.of_cluster(cluster_of(instance, settings.cluster))
                number = numbers.take(self._place, instance_id, role)
                write_node_json(settings, instance_id, role, settings.address(number))
                process = machine.start(settings, instance, number)
                self._processes[instance_id] = process
                machine.await_engine(self._place, instance_id, process)
                if role == "worker":
                    fitness.start(settings, instance_id)
                    start_report.start(settings, instance_id)
            except BaseException:
                self._end(instance_id)
                raise

    def run(
        self, instance_id: str, script: str, environment: Mapping[str, str], timeout_s: float
    ) -> Completed:
        """Run a script in the machine's namespaces. Raises Gone when the machine does not run."""
        settings = NodesSettings.read(self._place)
        return machine.run(settings, instance_id, script, environment, timeout_s)

    def terminate(self, instance_id: str) -> None:
        """Kill the machine and remove its files; a missing machine is no error."""
        with self._one_at_a_time[instance_id]:
            self._end(instance_id)

    def _end(self, instance_id: str) -> None:
        machine.kill(self._place, instance_id)
        process = self._processes.pop(instance_id, None)
        if process is not None:
            process.kill()
            process.wait()
        machine.forget(self._settings, instance_id)
