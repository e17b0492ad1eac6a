"""A lab's remains on this machine, found by the machine's own means and not by the lab's."""

import shutil
import subprocess
from pathlib import Path

from tests.e2e.conftest import LabUnderTest

LISTED = (
    ["ip", "-o", "link"],
    ["ip", "netns"],
    ["iptables", "-S"],
    ["nft", "list", "ruleset"],
    ["mount"],
)
FOLDERS = (Path("/run/labswarm"), Path("/var/lib/labswarm"))


def traces(lab: LabUnderTest) -> set[str]:
    """Every link, mount, firewall rule, cgroup folder, process and file of the lab."""
    found = set(lab.must("down", "--dry-run").splitlines())
    for words in LISTED:
        if shutil.which(words[0]):
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found |= {line for line in done.stdout.splitlines() if lab.name in line}
    for folder in [*FOLDERS, *Path("/sys/fs/cgroup").glob("*")]:
        if folder.is_dir():
            found |= {str(path) for path in folder.glob(f"*{lab.name}*")}
    return found | _processes(lab.name)


def _processes(name: str) -> set[str]:
    """Those with the lab's folder in their command line or environment."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            given = (process / "environ").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or is not this user's to look into
        variables = (word for word in given.split("\0") if "PYTEST" not in word)
        if f"/{name}/" in line or any(f"/labswarm/{name}" in word for word in variables):
            found.add(f"process {process.name}: {line}")
    return found
