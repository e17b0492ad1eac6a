"""Measure the memory of a lab at rest, by part, in MiB. Run it with python, as root.

Brings a real lab up (with `--workers`, by default 3), and leaves it alone (`--rest` seconds, by
default 180). Then it sums the proportional set sizes of the lab's processes every 10 s (for
`--watched` seconds, by default the 300 between two reconcile passes). It prints the median sum, the
largest and its parts, and brings the lab down. In a proportional set size a page that n processes
share counts 1/n in each (proc_pid_smaps_rollup(5)).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from labswarm_lab.lab import Lab
from labswarm_lab.nodes import sweep

COMMAND = Path(sys.executable).with_name("labswarm")
PARTS = (
    ("emulator.server", "emulator"),
    ("functions/", "functions"),
    ("jupyterhub-singleuser", "students' servers"),
    ("jupyterhub", "hub"),
    ("configurable-http-proxy", "hub"),
    ("hub/proxy", "hub"),
    ("labswarm-snapshot", "snapshot service"),
    ("goiardi", "Chef Server"),
    ("docker-registry", "registry"),
    ("dockerd", "Docker Engines"),
    ("containerd", "Docker Engines"),
)
"""By a text in a process's command line; the first match counts."""
SHOWN, EVERY_S = 200, 10

Sample = dict[int, tuple[float, str]]
"""The size and the command line of each process."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="bench-memory")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rest", type=float, default=180, metavar="SECONDS")
    parser.add_argument("--watched", type=float, default=300, metavar="SECONDS")
    parser.add_argument("--processes", action="store_true", help="each process too")
    options = parser.parse_args()
    lab = [str(COMMAND), "lab", "--name", options.name]
    samples: list[Sample] = []
    try:
        subprocess.run([*lab, "up", "--workers", str(options.workers)], check=True)
        time.sleep(options.rest)
        end = time.monotonic() + options.watched
        while not samples or time.monotonic() < end:
            samples.append({pid: (mib(pid), command(pid)) for pid in family(options.name)})
            time.sleep(EVERY_S)
    finally:
        subprocess.run([*lab, "down", "--homes"], check=True)
    report(max(samples, key=total), each=options.processes)
    print(f"{statistics.median(map(total, samples)):8.1f}  is the median of {len(samples)}")


def total(sample: Sample) -> float:
    return sum(size for size, _ in sample.values())


def family(name: str) -> set[int]:
    """The lab's processes, and their children: a container's have an environment of their own."""
    parents = {int(stat.parent.name): parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found = set(sweep.processes(Lab.named(name).place))
    while more := {pid for pid, above in parents.items() if above in found} - found:
        found |= more
    return found


def parent(stat: Path) -> int:
    """0 for a process that has just ended."""
    try:
        return int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def mib(pid: int) -> float:
    """The proportional set size; 0 for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def command(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except (FileNotFoundError, ProcessLookupError):
        return ""


def report(measured: Sample, *, each: bool) -> None:
    sums, counts = Counter[str](), Counter[str]()
    for pid, (size, line) in sorted(measured.items(), key=lambda item: -item[1][0]):
        part = next((part for word, part in PARTS if word in line), "other")
        sums[part] += size  # type: ignore[assignment]
        counts[part] += 1
        if each:
            print(f"{size:8.1f}  {pid:>8}  {part}: {line[:SHOWN]}")
    for part, size in sums.most_common():
        print(f"{size:8.1f}  {part} ({counts[part]})")
    print(f"{sum(sums.values()):8.1f}  in all, in {len(measured)} processes, at the most")


if __name__ == "__main__":
    main()
