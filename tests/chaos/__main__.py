"""`python -m tests.chaos`: inject faults into a lab of its own on a real Swarm for an hour."""

import argparse
import json
import os
import random
import signal
import sys
from collections.abc import Sequence

from labswarm_lab.nodes.requirements import missing
from tests.chaos.run import printed, run_chaos


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all is well; 1: something is wrong, as the report says; 2: refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="by default one by chance, which is printed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    options = parser.parse_args(arguments)
    for name, least, most in (("minutes", 0.1, 1440), ("workers", 1, 20), ("students", 1, 99)):
        if not least <= getattr(options, name) <= most:
            parser.error(f"--{name} is a number from {least} to {most}")
    lacking = missing()
    if lacking:
        parser.error(f"there can be no real Swarm here: {lacking[0]}")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = run_chaos(
            f"w{os.getpid()}",
            seed=seed,
            minutes=options.minutes,
            workers=options.workers,
            students=options.students,
        )
    except KeyboardInterrupt:
        print("interrupted; the lab is down", file=sys.stderr)
        return 130
    print(json.dumps(report) if options.json else printed(report))
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
