"""The parts that this machine lacks for real nodes."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labswarm_lab.nodes.network import SYSTEM_PATH

_PROGRAMS = {
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
_TRIAL_S = 10


@dataclass(frozen=True)
class Missing:
    """One thing that is missing, and the sentence that says how to get it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} ({self.remedy})"


def missing() -> list[Missing]:
    """Everything that real nodes need and this machine lacks; empty when they can be had."""
    programs = [
        Missing(program, f"install it; on Debian and Ubuntu: apt-get install {package}")
        for program, package in _PROGRAMS.items()
        if shutil.which(program, path=SYSTEM_PATH) is None
    ]
    if os.uname().sysname != "Linux":
        return [Missing("Linux", "use a Linux machine, or a virtual machine with it"), *programs]
    if os.geteuid() != 0:
        return [Missing("root", "run it as root: sudo make lab"), *programs]
    return [*programs, *(_of_the_kernel() if not programs else [])]


def _of_the_kernel() -> list[Missing]:
    host = "run it on the machine itself or in a virtual machine, not in a container"
    found = []
    trial = ("unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--propagation", "private")
    if not _works(*trial, "mount", "-t", "proc", "proc", "/proc"):
        found.append(Missing("namespaces", host))
    elif not _works(*trial, "sh", "-c", _OVERLAY):
        found.append(Missing("the overlay file system", f"modprobe overlay, or {host}"))
    if not _works("iptables", "-w", "-S", "FORWARD"):
        found.append(Missing("iptables in the kernel", f"modprobe ip_tables, or {host}"))
    if Path("/proc/net/if_inet6").exists() and not _works("ip6tables", "-w", "-S", "FORWARD"):
        found.append(Missing("ip6tables in the kernel", f"modprobe ip6_tables, or {host}"))
    if not _cgroups_writable():
        found.append(Missing("writable cgroups", host))
    if not _works(*trial, "sh", "-c", _LINKS):
        found.append(
            Missing("bridge, veth and vxlan links", f"modprobe bridge veth vxlan, or {host}")
        )
    return found


_OVERLAY = (
    "mount -t tmpfs none /mnt && cd /mnt && mkdir a b c d && "
    "mount -t overlay none -o lowerdir=a,upperdir=b,workdir=c d"
)
# In a network namespace of their own, so that nothing is left.
_LINKS = (
    "ip link add b0 type bridge && ip link add v0 type veth peer name v1 && "
    "ip link add x0 type vxlan id 1 dstport 4789"
)


def _works(*words: str) -> bool:
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            timeout=_TRIAL_S,
            check=False,
            env={**os.environ, "PATH": SYSTEM_PATH},
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _cgroups_writable() -> bool:
    root = Path("/sys/fs/cgroup")
    top = root / "memory" if (root / "memory").is_dir() else root
    try:
        Path(tempfile.mkdtemp(prefix="labswarm-trial-", dir=top)).rmdir()
    except OSError:
        return False
    return True
