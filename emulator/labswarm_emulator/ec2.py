"""EC2's machines: an instance with a labswarm:role boots and ends one."""

import threading
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance as Ec2Instance
from moto.ec2.models.instances import InstanceBackend

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.machines import Instance
from labswarm_emulator.ssm import Agents

ROLE_TAG = "labswarm:role"
BROKEN_TAG = "labswarm-lab:broken"
"""An image with this tag lacks the nodes' tools."""


def install(emulator: Emulator, agents: Agents) -> None:
    """Boot a machine for each instance with a role, and end it when the instance is terminated."""
    lives = Lives(emulator, agents)
    run_instances = InstanceBackend.run_instances
    terminate = Ec2Instance.terminate

    def run_and_boot(backend: InstanceBackend, *args: Any, **kwargs: Any) -> Any:
        reservation = run_instances(backend, *args, **kwargs)
        for started in reservation.instances:
            tags = {tag["key"]: tag["value"] for tag in started.get_tags()}
            if ROLE_TAG in tags:
                if _is_broken(backend, started.image_id):
                    emulator.without_tools.add(started.id)
                lives.begin(_machine(started, tags))
        return reservation

    def terminate_and_end(instance: Ec2Instance) -> Any:
        if instance.state == "terminated":
            return instance.instance_state  # again is no error, and has nothing left to end
        previous = terminate(instance)
        lives.end(instance.id)
        return previous

    InstanceBackend.run_instances = run_and_boot
    Ec2Instance.terminate = terminate_and_end


class Lives:
    """The machines from boot to end, a thread each."""

    def __init__(self, emulator: Emulator, agents: Agents) -> None:
        self._emulator = emulator
        self._agents = agents
        self._ended: dict[str, threading.Event] = {}

    def begin(self, machine: Instance) -> None:
        """Boot the machine in the background."""
        end = self._ended[machine.instance_id] = threading.Event()
        threading.Thread(target=self._live, args=(machine, end), daemon=True).start()

    def end(self, instance_id: str) -> None:
        """End the machine in the background; an instance without one is no error."""
        if instance_id in self._ended:
            self._agents.lose(instance_id)
            self._ended.pop(instance_id).set()

    def _live(self, machine: Instance, end: threading.Event) -> None:
        """Boot the machine and end it. An end during the boot waits for the boot."""
        emulator, instance_id = self._emulator, machine.instance_id
        emulator.record.write("ec2", "boot", instance=instance_id, tags=machine.tags)
        if end.wait(emulator.clock.real(emulator.draw(emulator.latency.boot))):
            emulator.record.write("ec2", "ended", instance=instance_id)
            return  # before there was anything of it
        try:
            emulator.machines.boot(machine)
        except Exception as failure:  # noqa: BLE001  # any way a machine can fail to boot
            emulator.record.write("ec2", "boot failed", instance=instance_id, failure=repr(failure))
        else:
            if not end.is_set():
                self._agents.register(instance_id)
        end.wait()
        self._agents.lose(instance_id)
        try:
            emulator.machines.terminate(instance_id)
        except Exception as failure:  # noqa: BLE001  # any way a machine can fail to end
            emulator.record.write("ec2", "end failed", instance=instance_id, failure=repr(failure))
        else:
            emulator.record.write("ec2", "ended", instance=instance_id)


def _is_broken(backend: InstanceBackend, image_id: str) -> bool:
    image = backend.amis.get(image_id)
    return image is not None and any(tag["key"] == BROKEN_TAG for tag in image.get_tags())


def _machine(started: Ec2Instance, tags: dict[str, str]) -> Instance:
    size = INSTANCE_TYPES[started.instance_type]
    return Instance(
        instance_id=started.id,
        instance_type=started.instance_type,
        memory_bytes=int(size["MemoryInfo"]["SizeInMiB"]) * 2**20,
        cpus=int(size["VCpuInfo"]["DefaultVCpus"]),
        tags=tags,
    )
