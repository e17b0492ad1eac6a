"""The start of a worker process: it ties its life to the emulator's, then becomes awslambdaric.

Standard input is a pipe whose other end only the emulator holds, so it ends however the emulator
ends, a `kill -9` included. (PR_SET_PDEATHSIG would not do: it follows the thread that forked, not
the process, and is Linux's alone.) The process leads its own group, so what a handler started ends
too.

Runs on the functions' Python, which may not have this package: standard library only.
"""

import os
import runpy
import signal
import threading


def end_with(lifeline: int) -> None:
    """Wait for the end of the pipe `lifeline`, then kill this process group."""
    while os.read(lifeline, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=end_with, args=(lifeline,), daemon=True).start()
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
