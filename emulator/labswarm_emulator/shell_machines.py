"""Machines that are only folders of this host: their scripts run here. For tests."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from labswarm_emulator.emulator import Settings
from labswarm_emulator.machines import Completed, Instance, Machines

BOOT_FAILS = "labswarm:boot-fails"
"""An instance with this tag does not boot."""


class MachineGone(Exception):
    """A script was sent to a machine that is not there."""


class ShellMachines:
    """A folder for each machine, in which its scripts run with sh as this process's user."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._running: dict[str, set[subprocess.Popen[str]]] = {}

    def boot(self, instance: Instance) -> None:
        """Make the folder. Raises OSError for an instance tagged `labswarm:boot-fails`."""
        if BOOT_FAILS in instance.tags:
            raise OSError(f"{instance.instance_id} is tagged {BOOT_FAILS}")
        (self._root / instance.instance_id).mkdir(parents=True)
        with self._lock:
            self._running[instance.instance_id] = set()

    def run(
        self, instance_id: str, script: str, environment: Mapping[str, str], timeout_s: float
    ) -> Completed:
        """Run the script in the machine's folder. Raises MachineGone when it has none."""
        with self._lock:
            if instance_id not in self._running:
                raise MachineGone(instance_id)
            process = subprocess.Popen(
                ["sh", "-c", script],
                cwd=self._root / instance_id,
                env={"PATH": os.environ["PATH"], "LABSWARM_INSTANCE": instance_id, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._running[instance_id].add(process)
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            _kill(process)
            stdout, stderr = process.communicate()
        with self._lock:
            if instance_id not in self._running:
                raise MachineGone(instance_id)
            self._running[instance_id].discard(process)
        return Completed(process.returncode, stdout, stderr, timed_out)

    def terminate(self, instance_id: str) -> None:
        """Kill its scripts and remove the folder."""
        with self._lock:
            for process in self._running.pop(instance_id, set()):
                _kill(process)
        shutil.rmtree(self._root / instance_id, ignore_errors=True)


def from_settings(settings: Settings) -> Machines:
    """Machines in the `machines` folder of an emulator's state."""
    return ShellMachines(settings.state_dir / "machines")


def _kill(process: subprocess.Popen[str]) -> None:
    """End a script with all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
