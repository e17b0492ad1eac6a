"""A process that has the AWS SDK imported, and forks workers that share it: less memory, less wait.

A worker finds the same modules by the same layers and the same Python; everything else is its own:
process group, environment, folder, search path. It then runs `bootstrap` as a worker that was
started by itself does.

Standard input is a socket whose other end only the emulator holds (`processes`). The emulator
sends each worker's number, environment, folder and arguments as JSON, with its lifeline and its log
as file descriptors. This process answers {"loaded": [...]} once, for each worker {"of": number,
"pid": ...}, and at its end {"of": number, "status": ...}, negative for a signal.

Runs on the functions' Python, which may not have this package: standard library only.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 64 * 1024
"""More than a function's environment can be, which is 4 KB."""
SHARED = "boto3"
BOOTSTRAP = str(Path(__file__).with_name("bootstrap.py"))


def serve(emulator: socket.socket) -> None:
    """Fork workers until the emulator ends; they end with it by themselves."""
    own = set(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    rest = [folder for folder in sys.path if folder not in own]
    send(emulator, loaded=sorted({name.partition(".")[0] for name in sys.modules}))
    ended = _ends()
    workers: dict[int, int] = {}
    gc.collect()
    gc.freeze()  # a collection in a worker writes to no page that it shares
    while True:
        ready, _, _ = select.select([emulator.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, MESSAGE_BYTES)
            _send_ends(emulator, workers)
        if emulator.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(emulator, MESSAGE_BYTES, 2)
            if not message:
                return
            asked = json.loads(message)
            pid = os.fork()
            if pid == 0:
                emulator.close()
                _become_worker(asked, descriptors, rest)
            for descriptor in descriptors:
                os.close(descriptor)
            os.setpgid(pid, pid)
            workers[pid] = asked["of"]
            send(emulator, of=asked["of"], pid=pid)


def send(emulator: socket.socket, **message: Any) -> None:
    """Send the emulator a message."""
    emulator.send(json.dumps(message).encode())


def _become_worker(asked: Mapping[str, Any], descriptors: list[int], rest: list[str]) -> None:
    """As a process that was started so; does not return."""
    os.setpgid(0, 0)  # both do it, so that it is done for the first of them
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lifeline, log = descriptors
    for here, there in ((lifeline, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    os.closerange(3, max(3, lifeline, log) + 1)
    # Where the locale is not there, the interpreter has set this one at its start (PEP 538).
    coerced = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
    os.environ.clear()
    os.environ.update({**coerced, **asked["environment"]})
    time.tzset()
    os.chdir(asked["folder"])
    sys.path[:] = [*filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), *rest]
    sys.argv = [BOOTSTRAP, *asked["arguments"]]
    importlib.invalidate_caches()
    code = 1
    try:
        runpy.run_path(BOOTSTRAP, run_name="__main__")
        code = 0
    except SystemExit as wanted:
        code = wanted.code if isinstance(wanted.code, int) else int(wanted.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does with what nobody has caught
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def _ends() -> int:
    """A pipe that can be read when a worker may have ended."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    return readable


def _send_ends(emulator: socket.socket, workers: dict[int, int]) -> None:
    while workers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        send(emulator, of=workers.pop(pid), status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with contextlib.suppress(ImportError):  # then there is only the interpreter to share
        importlib.import_module(SHARED)
    serve(channel)
