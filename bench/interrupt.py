"""How soon students are notified, back on another node, and their node removed, when EC2 takes it.

Brings a real lab up, seats a class on one of two workers (`--students`, by default six),
interrupts their node `--runs` times (by default ten), prints the slowest student of each run in
seconds from the warning, and brings the lab down. The last student saves a file 1 s before each
warning. Exits with 1 when a promise was not kept. Run it as root: python -m bench.interrupt
"""

import argparse
import os
import sys

from tests.e2e.conftest import LabUnderTest
from tests.support.interrupted import NOTICE_S, figures, interrupted, seated

PROMISED = {"fast": (20.0, 10.0), "aws": (20.0, 60.0)}
"""Seconds until a student is notified, and back, by how slow the emulator is."""
# The group has replaced the node by then.
PATIENCE_S = NOTICE_S + 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default=f"bench{os.getpid()}")
    parser.add_argument("--latency", choices=sorted(PROMISED), default="fast")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--students", type=int, default=6)
    options = parser.parse_args()
    lab, kept = LabUnderTest(options.name), 0
    try:
        lab.must("up", "--workers", "1", "--latency", options.latency)
        seated(lab, options.students)
        for run in range(1, options.runs + 1):
            seen = interrupted(lab, options.students, PATIENCE_S)
            wrong = seen.wrong(*PROMISED[options.latency])
            kept += not wrong
            line = ", ".join(f"{what} {figure}" for what, figure in figures(seen).items())
            print(f"run {run}: {line}", *wrong, sep="\n  ", flush=True)
    finally:
        lab.must("down", "--homes")
    print(f"{kept} of {options.runs} as promised, {options.latency}")
    return int(kept < options.runs)


if __name__ == "__main__":
    sys.exit(main())
