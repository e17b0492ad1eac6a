"""How a worker's process comes to be: forked from one that has the AWS SDK imported, or started.

A fork server stands for one Python with one set of layers and with the variables that are read when
a process starts. A function whose own code has a module of a name that is imported there already
gets a process of its own, and so has every function where there is no Linux.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from labswarm_emulator.functions import fork_server

FORK_SERVER = str(Path(fork_server.BOOTSTRAP).with_name("fork_server.py"))
START_LIMIT_S = 60.0
"""Real seconds a fork server has to import the SDK, on a machine that is busy with a Swarm."""
OWN = {name: value for name, value in os.environ.items() if name.startswith("LABSWARM_")}
"""The lab finds the emulator's processes by this variable; no function sees it."""
READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_", "PATH", "HOME")


class Process(Protocol):
    """A worker's process, which leads a process group; its pid is 0 where it never began."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit status once it has ended, negative for a signal; else None."""
        ...

    def wait(self) -> int: ...

    def kill(self) -> None:
        """Kill it and its children; one that has ended is no error."""
        ...

    def let_go(self) -> None:
        """Close the pipe that ties its life to the emulator's; its children end."""
        ...


@dataclass
class Forked:
    """A process that a fork server has forked."""

    lifeline: int
    pid: int = 0
    """0 where none could be forked; it has `ended` then."""
    status: int | None = None
    began: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        return self.status

    def wait(self) -> int:
        self.ended.wait()
        return self.status if self.status is not None else -signal.SIGKILL

    def kill(self) -> None:
        if self.pid and self.status is None:
            # It may have ended and its server's word of it be on its way.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def let_go(self) -> None:
        os.close(self.lifeline)


@dataclass
class Started:
    """A process that was started by itself."""

    popen: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        return self.popen.pid

    def poll(self) -> int | None:
        return self.popen.poll()

    def wait(self) -> int:
        return self.popen.wait()

    def kill(self) -> None:
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)

    def let_go(self) -> None:
        if self.popen.stdin:
            self.popen.stdin.close()


class Processes:
    """Where workers' processes come from."""

    def __init__(self, *, forks: bool = sys.platform == "linux") -> None:
        self._forks = forks
        self._servers: dict[Any, _ForkServer] = {}
        self._lock = threading.Lock()

    def start(
        self, python: str, handler: str, folder: Path, environment: Mapping[str, str], log: Path
    ) -> Process:
        """A process that becomes the runtime of `handler`; its output goes to `log`."""
        with log.open("ab") as output:
            if self._forks:
                server = self._server(python, folder, environment)
                if not server.loaded & {path.name.partition(".")[0] for path in folder.iterdir()}:
                    return server.fork([handler], folder, environment, output.fileno())
            # -P keeps the folder of bootstrap.py off the handler's search path.
            return Started(
                subprocess.Popen(
                    [python, "-P", fork_server.BOOTSTRAP, handler],
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )

    def close(self) -> None:
        """End the fork servers; their owners end their workers."""
        with self._lock:
            servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            server.close()

    def _server(self, python: str, folder: Path, environment: Mapping[str, str]) -> "_ForkServer":
        read = {k: v for k, v in environment.items() if k.startswith(READ_AT_START)}
        shared = [f for f in read.get("PYTHONPATH", "").split(os.pathsep) if f != str(folder)]
        read["PYTHONPATH"] = os.pathsep.join(shared)
        key = (python, *sorted(read.items()))
        with self._lock:
            server = self._servers.get(key)
            if server is None or not server.alive:
                server = self._servers[key] = _ForkServer(python, read)
        return server


class _ForkServer:
    """One process of `fork_server`."""

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [python, "-P", FORK_SERVER],
                env={**OWN, **environment},
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        self._workers: dict[int, Forked] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._gone = False
        self.loaded = frozenset[str]()
        self._ready = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        self._ready.wait(START_LIMIT_S)

    @property
    def alive(self) -> bool:
        return not self._gone and self._process.poll() is None

    def fork(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: int
    ) -> Forked:
        theirs, lifeline = os.pipe()
        forked = Forked(lifeline)
        with self._lock:
            self._count += 1
            number = self._count
            self._workers[number] = forked
        asked = {
            "of": number,
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
        }
        try:
            socket.send_fds(self._channel, [json.dumps(asked).encode()], [theirs, log])
        except OSError:
            self._lost(number)  # the server has ended: so has what it would have forked
        finally:
            os.close(theirs)
        forked.began.wait()
        return forked

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        while message := self._heard():
            received = json.loads(message)
            if "loaded" in received:
                self.loaded = frozenset(received["loaded"])
                self._ready.set()
                continue
            worker = self._workers[received["of"]]
            if "pid" in received:
                worker.pid = received["pid"]
                worker.began.set()
            else:
                self._end(received["of"], received["status"])
        self._gone = True
        self._ready.set()
        for number in list(self._workers):
            self._lost(number)
        self._channel.close()

    def _heard(self) -> bytes:
        try:
            return self._channel.recv(fork_server.MESSAGE_BYTES)
        except OSError:
            return b""

    def _lost(self, number: int) -> None:
        """Without its server nobody hears of a worker's end: it is ended."""
        worker = self._workers.get(number)
        if worker is not None:
            worker.kill()
        self._end(number, -signal.SIGKILL)

    def _end(self, number: int, status: int) -> None:
        with self._lock:
            worker = self._workers.pop(number, None)
        if worker is not None:
            worker.status = status
            worker.began.set()
            worker.ended.set()
