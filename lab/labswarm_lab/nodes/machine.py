"""One machine of the lab: a Docker Engine in namespaces of its own, and the programs next to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from labswarm import labels
from labswarm.errors import Gone, Permanent
from labswarm_emulator.machines import Completed, Instance
from labswarm_lab.nodes import cgroups, cookbooks, network, numbers
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_node.engine_api import EngineApi

_INIT = Path(__file__).with_name("init.sh")
# Slow enough for a machine in software emulation.
_PATIENCE_S = 90.0
_LOOK_S = 0.02
_GRACE_S = 5.0
_SHORT_OF_TIME = 124  # as timeout(1) has it
_TOLD_BYTES = 1500
# Mounts in it are not ours; only GNU's rm can leave them out.
_WITHIN = ("--one-file-system",) if sys.platform == "linux" else ()


def start(settings: NodesSettings, instance: Instance, number: int) -> "subprocess.Popen[str]":
    """Start a machine's namespaces, network and Docker Engine; does not wait for the latter.

    None of the namespaces has a name: killing their first process takes all of them, the network's
    cable too. (`ip netns exec` would also hide the cgroups.)
    Returns the process that ends with the machine. Raises Permanent when the namespaces or the
    network cannot be made.
    """
    place, instance_id = settings.place, instance.instance_id
    directory, run_dir = place.node_dir(instance_id), place.run_dir / instance_id
    _lay(settings, instance)
    hostname = f"{'hub' if number == numbers.MANAGER else 'worker'}-{number}"
    with (directory / "dockerd.log").open("ab") as errors:
        process = subprocess.Popen(
            [
                *("unshare", "--net", "--uts", "--mount", "--pid", "--propagation", "private"),
                *("--fork", "--kill-child=KILL", *_on_cpus(instance.cpus, number)),
                *(str(_INIT), str(directory), str(run_dir), hostname),
                *_dockerd(place, instance_id),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**_environment(settings, instance_id), **place.mark},
            start_new_session=True,
        )
    stdin, stdout = cast("tuple[IO[str], IO[str]]", (process.stdin, process.stdout))
    with stdin, stdout:  # init.sh goes on when its input ends
        pid = stdout.readline().strip()
        if not pid:
            process.wait()
            raise Permanent(f"no namespaces for {instance_id}: {log(place, instance_id)}")
        (directory / "pid").write_text(pid)
        network.plug(place, settings.subnet, number, int(pid))
        # On the hub there are no students' containers, and its own is asked from outside.
        if number != numbers.MANAGER:
            network.shield(int(pid), directory / "student-firewall.conf")
    return process


def await_engine(place: Place, instance_id: str, process: "subprocess.Popen[str]") -> None:
    """Wait until the machine's Docker Engine answers.

    Raises Permanent, with the end of its log, when it ends instead or takes over 90 s.
    """
    api = EngineApi(f"unix://{place.docker_socket(instance_id)}")
    deadline = time.monotonic() + _PATIENCE_S
    while not api.answers():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            what = "has ended" if ended else f"has not answered within {_PATIENCE_S:g} s"
            raise Permanent(f"the Docker Engine of {instance_id} {what}: {log(place, instance_id)}")
        time.sleep(_LOOK_S)


def run(
    settings: NodesSettings,
    instance_id: str,
    script: str,
    environment: Mapping[str, str],
    timeout_s: float,
) -> Completed:
    """Run a script on the machine with sh, as the SSM agent does; raises Gone without one.

    Processes that still run after `timeout_s` seconds are killed.
    """
    process = subprocess.Popen(
        [*_inside(settings.place, instance_id), "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**_environment(settings, instance_id), **settings.place.mark, **environment},
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        return Completed(_SHORT_OF_TIME, stdout, stderr, timed_out=True)
    return Completed(process.returncode, stdout, stderr)


def start_beside(
    settings: NodesSettings, instance_id: str, command: Sequence[str], log: Path
) -> None:
    """Start a command next to the machine's Docker Engine, as its init would; `log` has its output.

    It ends with the machine. Raises Gone when there is none.
    """
    inside = _inside(settings.place, instance_id)
    with log.open("ab") as out:
        subprocess.Popen(
            [*inside, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**_environment(settings, instance_id), **settings.place.mark},
            start_new_session=True,
        )


def entry(
    settings: NodesSettings, instance_id: str, command: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """The command line that runs a command on the machine for a person at a terminal, and its
    environment.

    Raises Gone when the machine does not run.
    """
    socket = settings.place.docker_socket(instance_id)
    theirs = {name: os.environ[name] for name in ("TERM", "NO_COLOR") if name in os.environ}
    return [*_inside(settings.place, instance_id), *command], {
        **_environment(settings, instance_id),
        **settings.place.mark,
        **theirs,
        "DOCKER_HOST": f"unix://{socket}",
    }


def kill(place: Place, instance_id: str) -> None:
    """End the machine and everything on it, at once and without a word, as a power cut does."""
    pid = pid_of(place, instance_id)
    if pid is None:
        return
    os.kill(pid, signal.SIGKILL)  # the first process of a namespace takes all others with it
    deadline = time.monotonic() + _GRACE_S
    while pid_of(place, instance_id) is not None:
        if time.monotonic() > deadline:
            raise Permanent(f"process {pid} of {instance_id} has not ended")
        time.sleep(_LOOK_S)


def forget(settings: NodesSettings, instance_id: str) -> None:
    """Remove an ended machine's remains: its cable, cgroup folders and files."""
    place = settings.place
    number = numbers.number_of(place, instance_id)
    if number is not None:
        network.unplug(settings.subnet, number)
    cgroups.remove(place, instance_id)
    for directory in (place.run_dir / instance_id, place.node_dir(instance_id)):
        remove_tree(directory)


def pid_of(place: Place, instance_id: str) -> int | None:
    """The machine's first process, as this machine numbers it; None when it does not run."""
    try:
        pid = int((place.node_dir(instance_id) / "pid").read_text())
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    # The number may be another process's by now; an ended one has no arguments.
    return pid if os.fsencode(place.node_dir(instance_id)) in arguments else None


def log(place: Place, instance_id: str) -> str:
    """The end of the log of the machine's Docker Engine."""
    try:
        content = (place.node_dir(instance_id) / "dockerd.log").read_bytes()
    except FileNotFoundError:
        return "(it logged nothing)"
    return content[-_TOLD_BYTES:].decode(errors="replace").strip()


def remove_tree(directory: Path) -> None:
    """Remove a folder and all in it, if it is there.

    By `rm`, for an image's layers have tens of thousands of files, named in any encoding.
    """
    network.command("rm", "-rf", *_WITHIN, "--", str(directory))


def _lay(settings: NodesSettings, instance: Instance) -> None:
    """Write the files that the machine's first process mounts over this machine's."""
    place = settings.place
    directory, run_dir = place.node_dir(instance.instance_id), place.run_dir / instance.instance_id
    for folder in (directory / "etc-docker", run_dir / "containerd"):
        folder.mkdir(parents=True, exist_ok=True)
    # The targets of the mounts must exist; a machine with a Docker package has both.
    for folder in (Path("/etc/docker"), Path("/run/containerd")):
        folder.mkdir(parents=True, exist_ok=True)
    settings_of_engine = daemon_json(settings, instance.instance_id)
    # The node has this folder as /etc/docker, where the cookbooks' setting names the profile.
    profile = Path(settings_of_engine["seccomp-profile"]).name
    (directory / "etc-docker" / profile).write_text(cookbooks.seccomp_profile())
    (directory / "etc-docker/daemon.json").write_text(json.dumps(settings_of_engine, indent=2))
    parameters = cookbooks.network_parameters().items()
    (directory / "sysctl.conf").write_text("".join(f"{n} = {value}\n" for n, value in parameters))
    (directory / "student-firewall.conf").write_text(cookbooks.student_firewall_conf())
    (directory / "resolv.conf").write_text(f"nameserver {settings.gateway}\n")
    if instance.memory_bytes:
        (directory / "memory-kib").write_text(str(instance.memory_bytes // 1024))


def _inside(place: Place, instance_id: str) -> list[str]:
    """The command that runs another one in the machine's namespaces. Raises Gone without one."""
    pid = pid_of(place, instance_id)
    if pid is None:
        raise Gone(f"{instance_id} does not run")
    namespaces = ("--net", "--uts", "--mount", "--pid")
    return ["nsenter", "--target", str(pid), *namespaces, "--wd=/", "--"]


def daemon_json(settings: NodesSettings, instance_id: str) -> dict[str, Any]:
    """The settings of a machine's Docker Engine: the cookbooks', and the lab's own."""
    return {
        **cookbooks.engine_settings(),
        "labels": [
            f"{labels.INSTANCE}={instance_id}",
            f"{labels.CLUSTER}={settings.cluster}",
        ],
        # With cgroup version 2 the default is systemd's driver, and it is not in the namespaces.
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{settings.place.cgroup}/{instance_id}",
        "insecure-registries": [f"{settings.gateway}:5000"],
    }


def _dockerd(place: Place, instance_id: str) -> list[str]:
    run_dir = place.run_dir / instance_id
    return [
        *("--host", f"unix://{run_dir}/docker.sock"),
        *("--data-root", f"{place.node_dir(instance_id)}/docker"),
        *("--exec-root", f"{run_dir}/docker", "--pidfile", f"{run_dir}/docker.pid"),
    ]


def _on_cpus(cpus: int, number: int) -> list[str]:
    """The command that has the machine see so many CPUs, its neighbour others; at most all."""
    there = sorted(os.sched_getaffinity(0))
    if not 0 < cpus < len(there):
        return []
    chosen = [there[(number * cpus + i) % len(there)] for i in range(cpus)]
    return ["taskset", "--cpu-list", ",".join(map(str, chosen))]


def _environment(settings: NodesSettings, instance_id: str) -> dict[str, str]:
    """The environment of a process of the machine. The emulator takes any credentials."""
    return {
        "PATH": f"{settings.bin_dir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "LABSWARM_NODE_CONFIG": str(settings.place.node_dir(instance_id) / "node.json"),
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_DEFAULT_REGION": settings.region,
    }
